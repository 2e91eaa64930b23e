/* SPDX-License-Identifier: MIT */
#include "core/plan/capacity.h"

#include <math.h>
#include <stdlib.h>

static double told_or_given(const struct planner_pod *pod)
{
	return pod->told > 0.0 ? pod->told : pod->capacity;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* False when out of memory. */
static bool find_median(const struct planner_pod *pods, size_t n, double *median)
{
	double *capacities = calloc(n, sizeof(*capacities));

	if (!capacities)
		return false;
	for (size_t i = 0; i < n; i++)
		capacities[i] = told_or_given(&pods[i]);
	qsort(capacities, n, sizeof(*capacities), compare);
	*median = capacities[(n - 1) / 2];
	free(capacities);
	return true;
}

bool capacity_settle(struct planner_pod *pods, size_t n, unsigned medians, double *most)
{
	double median;
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any = any || pods[i].told > 0.0;
	if (any && medians > 0 && !find_median(pods, n, &median))
		return false;
	*most = any && medians > 0 ? medians * median : (double)INFINITY;
	for (size_t i = 0; i < n; i++) {
		if (pods[i].told > 0.0)
			pods[i].capacity = fmin(pods[i].told, *most);
	}
	return true;
}
