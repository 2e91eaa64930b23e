/* SPDX-License-Identifier: MIT */
/* Weights that keep every pod's limit on its share of new connections. */
#ifndef WSB_LIMITS_H
#define WSB_LIMITS_H

#include <stddef.h>

#include "core/plan/planner.h"

/*
 * For weigh.c. Weights are not yet rounded; that of a draining pod is 0 and stays so. Each result's
 * share_limit is set, and their sum is 1 or more. Nothing changes where no limit is below 1. How it
 * works is in agent/doc/DESIGN.md, "The planner".
 */

/*
 * For a share of new connections: no weight is a larger part of all weights than its limit; what
 * is over goes to the others in proportion, and where their weights are 0, to their capacities.
 */
void limits_flow(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	double *weights);

/*
 * For leastconn: until the next plan a limited pod takes at once no more than its credit, and from
 * there on no more than its share. Sets keys[i] to the key, (sessions + 1) / weight, up to which
 * the pod keeps to its credit, for limits_to_keys() once weights have been scaled: by as much keys
 * shrink. 0 where nothing is limited. scratch has room for 2 * n.
 */
void limits_stock(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	double *weights, double *keys, double *scratch);

/* No limited pod reaches its key, which is above 0, with more than it has and its credit. */
void limits_to_keys(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	const double *keys, double *weights);

#endif
