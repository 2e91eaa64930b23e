/* SPDX-License-Identifier: MIT */
/* The runs of a row, on all processors. */
#ifndef SIM_CROWD_H
#define SIM_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure.h"
#include "scenario.h"

/*
 * Runs a scenario under every policy with n_seeds seeds from seed on: results[policy * n_seeds + i]
 * is of the i-th seed. Each run is what it would be alone, whatever runs beside it. False, with
 * results in parts, when a run failed or no process could be started.
 */
bool crowd_run(const struct scenario *scenario, uint64_t seed, unsigned n_seeds,
	struct measure_result *results);

#endif
