/* SPDX-License-Identifier: MIT */
#include "core/plan/aging.h"

void aging_settle(struct planner_pod *pods, size_t n)
{
	double others = 0.0;
	double capacities = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (pods[i].heard && pods[i].has_others) {
			others += pods[i].others;
			capacities += pods[i].capacity;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (pods[i].heard && pods[i].has_others)
			pods[i].others += pods[i].worn *
					  (others / capacities * pods[i].capacity - pods[i].others);
	}
}
