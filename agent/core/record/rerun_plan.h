/* SPDX-License-Identifier: MIT */
/* One backend of a recorded round, planned with other settings. */
#ifndef WSB_RERUN_PLAN_H
#define WSB_RERUN_PLAN_H

#include <stdbool.h>

#include "core/cluster/backend.h"
#include "core/plan/plan.h"
#include "core/record/record.h"

struct rerun_plan {
	enum backend_mode mode;         /* by the settings */
	double arrivals_per_s;          /* over all instances */
	struct planner_pod *pods;       /* these three are as many as the backend's servers */
	struct planner_result *results; /* also where the mode is BACKEND_NOT_STEERED */
	int *weights;                   /* -1 where it is */
	struct planner_summary summary;
};

/* settings as in rerun_new. The caller ends *plan with rerun_plan_fini whatever this returns: false
 * when out of memory. */
bool rerun_plan_make(const struct cluster_settings *settings, const struct record *record,
	const struct record_backend *backend, struct rerun_plan *plan);

/* Takes a zeroed struct. */
void rerun_plan_fini(struct rerun_plan *plan);

#endif
