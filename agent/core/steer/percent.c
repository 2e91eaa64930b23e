/* SPDX-License-Identifier: MIT */
/* HAProxy truncates. */
#include "core/steer/percent.h"

#include "core/plan/plan.h"

/* The percentage whose weight is the first at or above the wanted one. */
static int percent_at_least(int iweight, int weight)
{
	return (100 * weight + iweight - 1) / iweight;
}

static int weight_at(int iweight, int percent)
{
	int weight = iweight * percent / 100;

	return weight > PLANNER_WEIGHT_MAX ? PLANNER_WEIGHT_MAX : weight;
}

int percent_of(int iweight, int weight)
{
	return percent_at_least(iweight, weight);
}

int percent_reachable(int iweight, int weight)
{
	int percent = percent_at_least(iweight, weight);
	int above = weight_at(iweight, percent);
	int below = percent > 0 ? weight_at(iweight, percent - 1) : 0;

	if (weight <= 0)
		return 0;
	return below > 0 && weight - below < above - weight ? below : above;
}
