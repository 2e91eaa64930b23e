/* SPDX-License-Identifier: MIT */
/* Memory that the steps of one plan work in. */
#ifndef WSB_WORKSPACE_H
#define WSB_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>

/* A pod in an order: what it is ranked by, and an amount that goes with it. */
struct ranked {
	double rank;
	double amount;
};

/* Arrays with room for every pod of the plan. No step expects anything in them, or finds there
 * what an earlier step has left. */
struct workspace {
	double *values;
	double *keys;
	double *extents;
	struct ranked *ranked;
};

/* For n pods. False when out of memory, with nothing to free. */
bool workspace_init(struct workspace *workspace, size_t n);
void workspace_fini(struct workspace *workspace);

/* Sorts by rank, least first. */
void workspace_sort(struct ranked *ranked, size_t n);

#endif
