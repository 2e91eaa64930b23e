/* SPDX-License-Identifier: MIT */
/* One allocation a plan for each kind of array. */
#include "core/plan/workspace.h"

#include <stdlib.h>

bool workspace_init(struct workspace *workspace, size_t n)
{
	*workspace = (struct workspace){
		.values = calloc(n + 1, sizeof(*workspace->values)),
		.keys = calloc(n + 1, sizeof(*workspace->keys)),
		.extents = calloc(n + 1, sizeof(*workspace->extents)),
		.ranked = calloc(n + 1, sizeof(*workspace->ranked)),
	};
	if (workspace->values && workspace->keys && workspace->extents && workspace->ranked)
		return true;
	workspace_fini(workspace);
	return false;
}

void workspace_fini(struct workspace *workspace)
{
	free(workspace->values);
	free(workspace->keys);
	free(workspace->extents);
	free(workspace->ranked);
	*workspace = (struct workspace){.values = NULL};
}

static int compare_ranks(const void *a, const void *b)
{
	double x = ((const struct ranked *)a)->rank;
	double y = ((const struct ranked *)b)->rank;

	return (x > y) - (x < y);
}

void workspace_sort(struct ranked *ranked, size_t n)
{
	qsort(ranked, n, sizeof(*ranked), compare_ranks);
}
