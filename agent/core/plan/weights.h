/* SPDX-License-Identifier: MIT */
/* The last step of a plan: from targets to HAProxy's integer weights. */
#ifndef WSB_WEIGHTS_H
#define WSB_WEIGHTS_H

#include <stddef.h>

#include "core/plan/planner.h"

/*
 * For planner.c, which has filled in each result's basis, target and share_limit. Both set every
 * weight: 0 for a draining pod, 1..256 otherwise. The why of the formulas is in
 * agent/doc/DESIGN.md, "The planner".
 */

enum {
	WEIGHTS_SCRATCH = 4, /* doubles of scratch for each pod */
};

/* For PLANNER_STOCK. Targets may be below 0 and are 0 or more afterwards. */
void weights_stock(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, double *scratch);

/* For PLANNER_FLOW: weights in the proportion of the targets. */
void weights_flow(
	const struct planner_pod *pods, size_t n, struct planner_result *results, double *scratch);

#endif
