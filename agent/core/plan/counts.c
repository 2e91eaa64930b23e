/* SPDX-License-Identifier: MIT */
/* Which count each pod is taken to have. */
#include "core/plan/counts.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * A pod is disbelieved when it reports fewer than this part of what this HAProxy alone holds on
 * it, less a few for connections that came or went between the two readings.
 */
static const double BELIEVED_PART = 0.8;
static const double BELIEVED_SLACK = 3.0;
static const double DOUBTED_SLACK = 2.0 * 3.0;

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool has_usable_count(const struct planner_params *params, const struct planner_pod *pod)
{
	return pod->heard && pod->count_age_ms <= params->cache_ttl_ms;
}

/*
 * How many connections an honest pod reports for each session that this HAProxy holds on it, at
 * most 1: the backend may also carry plain requests, which the pods do not count. The upper median,
 * so that of two pods the liar does not set the measure.
 */
static double honest_ratio(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, double *ratios)
{
	size_t m = 0;
	size_t n_fewer = 0;

	for (size_t i = 0; i < n; i++) {
		if (!has_usable_count(params, &pods[i]) || pods[i].several || pods[i].own_then == 0)
			continue;
		ratios[m] = (double)pods[i].count / (double)pods[i].own_then;
		n_fewer += ratios[m++] < 1.0;
	}
	if (n_fewer <= m / 2)
		return 1.0;
	qsort(ratios, m, sizeof(*ratios), compare_doubles);
	return ratios[m / 2];
}

static bool is_believed(const struct planner_pod *pod, double ratio)
{
	double then = (double)pod->own_then;
	double expected = (fmin(then, (double)pod->own) + (double)pod->own_beside) * ratio;
	/* When own is changing fast, nobody knows what it was when the pod was heard. */
	double slack = BELIEVED_SLACK + fabs((double)pod->own - then);

	if (!pod->own_exact)
		return true;
	/* Who was caught has to prove its word, by more than a new worker's first few: slack is for
	 * the honest, and in a rush there is enough of it for any lie. */
	if (pod->doubted)
		return BELIEVED_PART * expected > DOUBTED_SLACK &&
		       (double)pod->count >= BELIEVED_PART * expected;
	return (double)pod->count >= BELIEVED_PART * expected - slack;
}

double counts_moved_alike(double moved)
{
	double chance = (sqrt(fabs(moved)) + 1.0) / 2.0;

	return fabs(moved) > chance ? moved * (1.0 - chance * chance / (moved * moved)) : 0.0;
}

/*
 * What other instances have done since the count was read. While an empty pod fills, each instance
 * would otherwise count on its deficit alone, and together they would overshoot.
 */
static double moved_by_others(const struct planner_params *params, double moved)
{
	return ((double)params->replicas - 1.0) * counts_moved_alike(moved);
}

/* Of a pod whose word is none: what it said last, moved by this HAProxy's own connections; no fewer
 * than these, where they are all its own. Nothing is planned with it. */
static double reckon(const struct planner_pod *pod, double others, double moved)
{
	double own = (double)pod->own;
	double least = pod->own_exact ? own : 0.0;

	if (!pod->heard || pod->several)
		return own;
	return fmax(least, pod->has_others ? others + own : (double)pod->count + moved);
}

/* The count to plan with, and where it is from. */
static void judge(const struct planner_params *params, const struct planner_pod *pod, double ratio,
	struct planner_result *result)
{
	bool usable = has_usable_count(params, pod);
	double moved = (double)pod->own - (double)pod->own_then;
	double others = pod->has_others ? pod->others : (double)pod->count - (double)pod->own_then;

	if (usable && !pod->several && is_believed(pod, ratio)) {
		result->count =
			fmax(0.0, others + (double)pod->own + moved_by_others(params, moved));
		result->basis =
			pod->count_age_ms <= params->fresh_ms ? PLANNER_HEARD : PLANNER_STALE;
	} else {
		result->count = reckon(pod, others, moved);
		result->reckoned = true;
		result->basis = usable ? PLANNER_DISBELIEVED : PLANNER_NEVER_HEARD;
	}
}

/* Without HAProxy's own counts a pod that was never heard is shown at the level of the others. */
static void assume_level(const struct planner_pod *pods, size_t n, struct planner_result *results)
{
	double counts = 0.0;
	double capacities = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (plan_is_known(&results[i])) {
			counts += results[i].count;
			capacities += pods[i].capacity;
		}
	}
	for (size_t i = 0; i < n && capacities > 0.0; i++) {
		if (!plan_is_known(&results[i]) && !pods[i].heard)
			results[i].count = counts / capacities * pods[i].capacity;
	}
}

void counts_reckon(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, struct workspace *workspace)
{
	double ratio = honest_ratio(params, pods, n, workspace->values);

	for (size_t i = 0; i < n; i++)
		judge(params, &pods[i], ratio, &results[i]);
	if (params->own_unknown)
		assume_level(pods, n, results);
}
