/* SPDX-License-Identifier: MIT */
/* The last step of a plan: from targets to HAProxy's integer weights. */
#ifndef WSB_WEIGHTS_H
#define WSB_WEIGHTS_H

#include <stddef.h>

#include "core/plan/plan.h"
#include "core/plan/workspace.h"

/*
 * For planner.c, which has filled in each result's basis, target and share_limit. Both set every
 * weight: 0 for a draining pod, 1..256 otherwise. The why of the formulas is in
 * agent/doc/DESIGN.md, "The planner".
 */

/* For PLANNER_STOCK. Targets may be below 0 and are 0 or more afterwards. */
void weights_stock(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, struct workspace *workspace);

/* For PLANNER_FLOW: weights in the proportion of the targets. */
void weights_flow(const struct planner_pod *pods, size_t n, struct planner_result *results,
	struct workspace *workspace);

#endif
