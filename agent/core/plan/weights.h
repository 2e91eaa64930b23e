/* SPDX-License-Identifier: MIT */
/* The last step of a plan: from targets to HAProxy's integer weights. */
#ifndef WSB_WEIGH_H
#define WSB_WEIGH_H

#include <stddef.h>

#include "core/plan/planner.h"

/*
 * For planner.c, which has filled in each result's basis, target and share_limit. Both set every
 * weight: 0 for a draining pod, 1..256 otherwise. The why of the formulas is in agent/DESIGN.md,
 * "The planner".
 */

enum {
	WEIGH_SCRATCH = 4, /* doubles of scratch for each pod */
};

/* For PLANNER_STOCK. Targets may be below 0 and are 0 or more afterwards. */
void weigh_stock(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, double *scratch);

/* For PLANNER_FLOW: weights in the proportion of the targets. */
void weigh_flow(
	const struct planner_pod *pods, size_t n, struct planner_result *results, double *scratch);

#endif
