/* SPDX-License-Identifier: MIT */
/* Names of what a plan rests on. */
#include "core/plan/plan.h"

const char *planner_basis_name(enum planner_basis basis)
{
	static const char *const names[] = {
		[PLANNER_HEARD] = "heard",
		[PLANNER_STALE] = "stale",
		[PLANNER_NEVER_HEARD] = "never heard",
		[PLANNER_DISBELIEVED] = "disbelieved",
		[PLANNER_DRAINING] = "draining",
	};

	return names[basis];
}
