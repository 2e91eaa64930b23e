/* SPDX-License-Identifier: MIT */
/* Limits on shares: what they are, what has been used of them, and weights that keep them. */
#include "core/plan/limits.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PASSES = 3 };

double limits_ramp(int64_t age_ms, int64_t ramp_ms)
{
	if (ramp_ms <= 0 || age_ms >= ramp_ms)
		return 1.0;
	return age_ms <= 0 ? 0.0 : (double)age_ms / (double)ramp_ms;
}

double limits_share(double max_share, double ramp)
{
	double most = max_share > 0.0 && max_share < 1.0 ? max_share : 1.0;

	return most * ramp;
}

double limits_credit(double credit, double limit, uint64_t arrived, uint64_t taken)
{
	if (limit >= 1.0)
		return 0.0;

	double earned = limit * (double)arrived;

	return fmin(1.0 + earned, credit + earned - (double)taken);
}

static bool is_limited(size_t n, const struct planner_result *results)
{
	for (size_t i = 0; i < n; i++) {
		if (results[i].basis != PLANNER_DRAINING && results[i].share_limit < 1.0)
			return true;
	}
	return false;
}

static double total_share(
	size_t n, const struct planner_result *results, const double *weights, double factor)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += fmin(results[i].share_limit, weights[i] * factor);
	return sum;
}

void limits_flow(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	double *weights)
{
	/* A pod that shall get nothing gets what the limits of the others leave. */
	static const double LAST = 1e-9;
	double largest = plan_largest_of(n, weights);
	double largest_capacity = 0.0;

	if (!is_limited(n, results))
		return;
	for (size_t i = 0; i < n; i++)
		largest_capacity = fmax(largest_capacity, pods[i].capacity);
	for (size_t i = 0; i < n; i++) {
		double last = pods[i].capacity / largest_capacity * LAST;

		weights[i] = results[i].basis == PLANNER_DRAINING ? 0.0
			     : largest > 0.0                      ? fmax(weights[i] / largest, last)
								  : last;
	}

	/* The factor at which capped shares add up to 1: found by halving, for the sum only grows.
	 */
	double low = 0.0;
	double high = 1.0 / (LAST * LAST);

	for (int step = 0; step < 200; step++) {
		double middle = low > 0.0 ? sqrt(low * high) : high * 1e-30;

		if (total_share(n, results, weights, middle) < 1.0)
			low = middle;
		else
			high = middle;
	}
	for (size_t i = 0; i < n; i++)
		weights[i] = fmin(results[i].share_limit, weights[i] * high);
}

/* All pods that take part, by the key at which leastconn gives each the next connection, with what
 * it and all before it then have; returns how many. */
static size_t line_up(const struct planner_pod *pods, size_t n,
	const struct planner_result *results, const double *weights, struct ranked *nexts)
{
	size_t m = 0;
	double sum = 0.0;

	for (size_t i = 0; i < n; i++) {
		double own = (double)pods[i].own + 1.0;

		if (results[i].basis != PLANNER_DRAINING)
			nexts[m++] = (struct ranked){.rank = own / weights[i], .amount = own};
	}
	workspace_sort(nexts, m);
	for (size_t i = 0; i < m; i++) {
		sum += nexts[i].amount;
		nexts[i].amount = sum;
	}
	return m;
}

/* What a limited pod may come to before its key: a half more, so that the last one of these comes
 * before the others take theirs, and the next one after. */
static double may_have(const struct planner_pod *pod)
{
	return (double)pod->own + floor(fmax(0.0, pod->credit)) + 0.5;
}

/*
 * The key from which a pod may take its share: pods whose keys are level take in proportion to what
 * they have, and enough of them must have come in that the pod's part is within its limit.
 */
static double key_of(
	const struct planner_pod *pod, double limit, const struct ranked *nexts, size_t m)
{
	/* A pod that may have next to nothing shall not wait for all others. */
	static const double LEAST = 0.001;
	double needed = may_have(pod) / fmax(limit, LEAST);
	size_t low = 0;
	size_t high = m - 1;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (nexts[middle].amount < needed)
			low = middle + 1;
		else
			high = middle;
	}
	return nexts[low].rank;
}

void limits_to_keys(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	const double *keys, double *weights)
{
	for (size_t i = 0; i < n; i++) {
		if (keys[i] > 0.0 && results[i].share_limit < 1.0)
			weights[i] = fmin(weights[i], may_have(&pods[i]) / keys[i]);
	}
}

void limits_stock(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	double *weights, double *keys, struct ranked *nexts)
{
	double largest = plan_largest_of(n, weights);
	double rest;
	size_t m;

	for (size_t i = 0; i < n; i++)
		keys[i] = 0.0;
	if (!is_limited(n, results))
		return;
	limits_flow(pods, n, results, weights);
	rest = plan_largest_of(n, weights);
	for (size_t i = 0; i < n; i++)
		weights[i] *= largest / rest;

	/* A pod that is held back does not take part at the key at which another counted on it. */
	for (int pass = 0; pass < PASSES; pass++) {
		m = line_up(pods, n, results, weights, nexts);
		for (size_t i = 0; i < n; i++) {
			if (results[i].basis != PLANNER_DRAINING)
				keys[i] = fmax(keys[i],
					key_of(&pods[i], results[i].share_limit, nexts, m));
		}
		limits_to_keys(pods, n, results, keys, weights);
	}
}
