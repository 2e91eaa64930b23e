/* SPDX-License-Identifier: MIT */
#include "core/plan/aging.h"

#include <stdlib.h>

#include "core/plan/workspace.h"

/* A loud voice is one of many: others count for so many times those of the middle pod at most. */
static const double LOUD = 4.0;

static bool has_others(const struct planner_pod *pod)
{
	return pod->heard && pod->has_others;
}

static bool is_any_worn(const struct planner_pod *pods, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (has_others(&pods[i]) && pods[i].worn > 0.0)
			return true;
	}
	return false;
}

/* What a pod has from elsewhere in the mean, for a unit of capacity. */
static double usual(const struct planner_pod *pods, size_t n, struct ranked *room)
{
	double others = 0.0;
	double capacities = 0.0;
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		if (has_others(&pods[i]))
			room[m++].rank = pods[i].others / pods[i].capacity;
	}
	if (m == 0)
		return 0.0;
	workspace_sort(room, m);

	double most = LOUD * fmax(0.0, room[m / 2].rank);

	for (size_t i = 0; i < n; i++) {
		if (has_others(&pods[i])) {
			others += fmin(pods[i].others, most * pods[i].capacity);
			capacities += pods[i].capacity;
		}
	}
	return others / capacities;
}

bool aging_settle(struct planner_pod *pods, size_t n)
{
	struct ranked *room;
	double mean;

	if (!is_any_worn(pods, n))
		return true;
	room = calloc(n + 1, sizeof(*room));
	if (!room)
		return false;
	mean = usual(pods, n, room);
	for (size_t i = 0; i < n; i++) {
		if (has_others(&pods[i]))
			pods[i].others += pods[i].worn * (mean * pods[i].capacity - pods[i].others);
	}
	free(room);
	return true;
}
