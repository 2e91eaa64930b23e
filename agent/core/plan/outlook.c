/* SPDX-License-Identifier: MIT */
/* Deficit divided by arrivals, and when that says nothing. */
#include "core/plan/outlook.h"

#include <math.h>

const char *outlook_verdict_name(enum outlook_verdict verdict)
{
	static const char *const names[] = {
		[OUTLOOK_BALANCED] = "balanced",
		[OUTLOOK_FILLING] = "filling",
		[OUTLOOK_ONLY_CLOSING] = "only closing connections can help",
	};

	return names[verdict];
}

/* Over the pods that take part. */
struct sums {
	double counts;
	double capacities;
	double highest; /* count for each unit of capacity */
};

static struct sums sum_up(
	const struct planner_pod *pods, const struct planner_result *results, size_t n)
{
	struct sums sums = {.counts = 0.0};

	for (size_t i = 0; i < n; i++) {
		if (!plan_participates(&results[i]) || !plan_is_known(&results[i]))
			continue;
		sums.counts += results[i].count * plan_part(&pods[i]);
		sums.capacities += plan_extent(&pods[i]);
		sums.highest = fmax(sums.highest, results[i].count / pods[i].capacity);
	}
	return sums;
}

struct outlook outlook_of(const struct planner_pod *pods, const struct planner_result *results,
	size_t n, double arrivals_per_s)
{
	struct sums sums = sum_up(pods, results, n);
	double level = sums.capacities > 0.0 ? sums.counts / sums.capacities : 0.0;
	/* The fewest connections, evenly given to all but the highest pod, that let it pass. */
	double enough = sums.highest * sums.capacities / (1.0 + OUTLOOK_TOLERANCE);
	struct outlook outlook = {.alone = fmax(0.0, enough - sums.counts)};

	for (size_t i = 0; i < n; i++) {
		if (plan_participates(&results[i]) && plan_is_known(&results[i]))
			outlook.deficit += plan_part(&pods[i]) *
					   fmax(0.0, level * pods[i].capacity - results[i].count);
	}
	outlook.seconds = outlook.deficit <= 0.0 ? 0.0
			  : arrivals_per_s > 0.0 ? outlook.deficit / arrivals_per_s
						 : (double)INFINITY;
	outlook.verdict = outlook.alone <= 0.0 ? OUTLOOK_BALANCED
			  : outlook.alone > fmax(OUTLOOK_PATIENCE * outlook.deficit,
						    OUTLOOK_SOON_S * arrivals_per_s) ||
					  isinf(outlook.seconds)
				  ? OUTLOOK_ONLY_CLOSING
				  : OUTLOOK_FILLING;
	return outlook;
}
