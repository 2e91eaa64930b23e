/* SPDX-License-Identifier: MIT */
/* The planner: from one snapshot of a backend to one weight a server. */
#ifndef WSB_PLANNER_H
#define WSB_PLANNER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/plan/plan.h"

/*
 * A pure function on plain arrays: no memory of earlier plans, no clock, no I/O. What it computes
 * and why is in agent/doc/DESIGN.md, "The planner".
 */

/*
 * Plans n pods into results[0..n), in the same order, and *summary. The order of pods does not
 * change any pod's weight. At least one weight is above 0 when n > 0, even when all pods drain.
 * Returns false, with results and *summary untouched, only when out of memory.
 */
bool planner_plan(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, struct planner_summary *summary);

#endif
