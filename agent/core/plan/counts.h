/* SPDX-License-Identifier: MIT */
/* The first step of a plan: from what pods said, and when, to the counts to plan with. */
#ifndef WSB_COUNTS_H
#define WSB_COUNTS_H

#include <stddef.h>

#include "core/plan/plan.h"
#include "core/plan/workspace.h"

/* For planner.c: sets count, and basis without a thought of draining, in n results. */
void counts_reckon(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, struct workspace *workspace);

/* What each further instance is taken to have done while this HAProxy's own sessions moved by so
 * many: the same, as far as that is beyond chance. */
double counts_moved_alike(double moved);

#endif
