/* SPDX-License-Identifier: MIT */
/* Weights from counts. */
#include "core/planner.h"

#include "core/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * A pod is disbelieved when it reports fewer than this part of what this HAProxy alone holds on
 * it, less a few for connections that came or went between the two readings.
 */
static const double BELIEVED_PART = 0.8;
static const double BELIEVED_SLACK = 8.0;

/* The flow planner pours at least this part of a pod's mean count, so that a storm of
 * reconnections does not land on the one pod that happens to be lowest. */
static const double POUR_PART = 0.1;
static const double POUR_ARRIVALS = 1.5;

const char *planner_basis_name(enum planner_basis basis)
{
	static const char *const names[] = {
		[PLANNER_HEARD] = "heard",
		[PLANNER_STALE] = "stale",
		[PLANNER_NEVER_HEARD] = "never heard",
		[PLANNER_DISBELIEVED] = "disbelieved",
		[PLANNER_DRAINING] = "draining",
	};

	return names[basis];
}

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
 * so that of two pods the liar does not set the measure. scratch has room for n.
 */
static double honest_ratio(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, double *scratch)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		if (has_usable_count(params, &pods[i]) && pods[i].own_then > 0)
			scratch[m++] = (double)pods[i].count / (double)pods[i].own_then;
	}
	if (m == 0)
		return 1.0;
	qsort(scratch, m, sizeof(*scratch), compare_doubles);
	return fmin(1.0, scratch[m / 2]);
}

static bool is_believed(const struct planner_pod *pod, double ratio)
{
	double expected = (double)pod->own_then * ratio;

	return !pod->own_exact ||
		(double)pod->count >= BELIEVED_PART * expected - BELIEVED_SLACK;
}

/* The count to plan with, and where it is from. */
static void judge(const struct planner_params *params, const struct planner_pod *pod, double ratio,
	struct planner_result *result)
{
	bool usable = has_usable_count(params, pod);
	bool believed = usable && is_believed(pod, ratio);

	if (believed) {
		double moved = (double)pod->own - (double)pod->own_then;

		result->count = fmax(0.0, (double)pod->count + moved);
		result->basis = pod->count_age_ms <= params->fresh_ms ? PLANNER_HEARD
								      : PLANNER_STALE;
	} else {
		/* What leastconn by itself assumes of the pod; a new pod that never answers must
		 * still be filled. */
		result->count = (double)pod->own * (double)params->replicas;
		result->basis = usable ? PLANNER_DISBELIEVED : PLANNER_NEVER_HEARD;
	}
}

/* Without HAProxy's own counts a pod that is not heard is taken to stand at the level of the
 * others: neither drawn to nor shunned. */
static void assume_level(const struct planner_pod *pods, size_t n, struct planner_result *results)
{
	double counts = 0.0;
	double capacities = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (results[i].basis == PLANNER_HEARD || results[i].basis == PLANNER_STALE) {
			counts += results[i].count;
			capacities += pods[i].capacity;
		}
	}
	for (size_t i = 0; i < n && capacities > 0.0; i++) {
		if (results[i].basis != PLANNER_HEARD && results[i].basis != PLANNER_STALE)
			results[i].count = counts / capacities * pods[i].capacity;
	}
}

static void summarise(struct planner_summary *summary, const struct planner_result *result,
	bool draining)
{
	summary->n_draining += draining;
	summary->n_known += result->basis == PLANNER_HEARD || result->basis == PLANNER_STALE;
	summary->n_stale += result->basis == PLANNER_STALE;
	summary->n_never_heard += result->basis == PLANNER_NEVER_HEARD;
	summary->n_disbelieved += result->basis == PLANNER_DISBELIEVED;
}

/* The level, the deficits and the imbalance, over the pods that take part. */
static void find_level(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results, struct planner_summary *summary)
{
	double counts = 0.0;
	double capacities = 0.0;
	double highest = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (results[i].basis == PLANNER_DRAINING)
			continue;
		counts += results[i].count;
		capacities += pods[i].capacity;
		highest = fmax(highest, results[i].count / pods[i].capacity);
	}
	summary->level = capacities > 0.0 ? (counts + params->arrivals) / capacities : 0.0;
	summary->imbalance = counts > 0.0 ? highest / (counts / capacities) - 1.0 : 0.0;
	for (size_t i = 0; i < n; i++)
		results[i].deficit = results[i].basis == PLANNER_DRAINING
			? 0.0
			: summary->level * pods[i].capacity - results[i].count;
}

/* leastconn equals (own + 1) / weight over all servers: at the target every key is the same, so
 * target + 1 is the weight (HAProxy's lb_fwlc.c). */
static void target_stock(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results)
{
	for (size_t i = 0; i < n; i++)
		results[i].target = fmax(0.0,
			(double)pods[i].own + results[i].deficit / (double)params->replicas);
}

/*
 * Pours the expected arrivals over the pods like water, lowest first: finds the height L such that
 * the sum of max(0, L * capacity - count) is what is poured. scratch has room for 2 * n.
 */
static void target_flow(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results, double *scratch)
{
	struct bed {
		double height; /* count / capacity: where this pod begins to fill */
		double capacity;
	} *beds = (void *)scratch;
	size_t m = 0;
	double counts = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (results[i].basis == PLANNER_DRAINING)
			continue;
		beds[m].height = results[i].count / pods[i].capacity;
		beds[m++].capacity = pods[i].capacity;
		counts += results[i].count;
	}
	if (m == 0)
		return;
	qsort(beds, m, sizeof(*beds), compare_doubles);

	double pour = fmax(1.0,
		fmax(POUR_ARRIVALS * params->arrivals, POUR_PART * counts / (double)m));
	double capacity = 0.0;
	double held = 0.0; /* what the beds under water hold already */
	double height = 0.0;

	for (size_t i = 0; i < m; i++) {
		capacity += beds[i].capacity;
		held += beds[i].height * beds[i].capacity;
		height = (pour + held) / capacity;
		if (i + 1 == m || height <= beds[i + 1].height)
			break;
	}
	for (size_t i = 0; i < n; i++)
		results[i].target = results[i].basis == PLANNER_DRAINING
			? 0.0
			: fmax(0.0, height * pods[i].capacity - results[i].count);
}

/* How much of the new connections each pod may take. Limits that together leave some connections
 * without a pod (every pod is new; maxShare of 0.2 and three pods) are raised in proportion. */
static void limit_shares(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++) {
		results[i].ramp = share_ramp(pods[i].age_ms, params->ramp_ms);
		results[i].share_limit = results[i].basis == PLANNER_DRAINING
			? 0.0
			: share_limit(params->max_share, results[i].ramp);
		sum += results[i].share_limit;
	}
	if (sum >= 1.0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (results[i].basis != PLANNER_DRAINING)
			results[i].share_limit = sum > 0.0 ? results[i].share_limit / sum : 1.0;
	}
}

/* Scales targets to weights so that the largest is 256; none but a draining pod's is 0. */
static void weigh(const struct planner_params *params, size_t n, struct planner_result *results)
{
	double extra = params->mode == PLANNER_STOCK ? 1.0 : 0.0;
	double largest = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (results[i].basis != PLANNER_DRAINING)
			largest = fmax(largest, results[i].target + extra);
	}
	for (size_t i = 0; i < n; i++) {
		double part = largest > 0.0 ? (results[i].target + extra) / largest : 1.0;
		long weight = lround(part * PLANNER_WEIGHT_MAX);

		if (results[i].basis == PLANNER_DRAINING)
			results[i].weight = 0;
		else
			results[i].weight = weight < 1 ? 1 : (int)weight;
	}
}

bool planner_plan(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, struct planner_summary *summary)
{
	double *scratch = calloc(2 * n + 1, sizeof(*scratch));
	double ratio;
	bool all_drain;

	if (!scratch)
		return false;
	memset(summary, 0, sizeof(*summary));
	memset(results, 0, n * sizeof(*results));

	ratio = honest_ratio(params, pods, n, scratch);
	for (size_t i = 0; i < n; i++) {
		judge(params, &pods[i], ratio, &results[i]);
		summarise(summary, &results[i], pods[i].draining);
	}
	if (params->own_unknown)
		assume_level(pods, n, results);
	/* Every active server at weight 0 would answer 503: when all pods drain, none does. */
	all_drain = summary->n_draining == n;
	for (size_t i = 0; i < n; i++) {
		if (pods[i].draining && !all_drain)
			results[i].basis = PLANNER_DRAINING;
	}

	find_level(params, pods, n, results, summary);
	limit_shares(params, pods, n, results);
	if (params->mode == PLANNER_STOCK)
		target_stock(params, pods, n, results);
	else
		target_flow(params, pods, n, results, scratch);
	weigh(params, n, results);

	summary->fallback = 2 * summary->n_known < n;
	for (size_t i = 0; summary->fallback && i < n; i++) {
		if (results[i].basis != PLANNER_DRAINING)
			results[i].weight = pods[i].configured;
	}
	free(scratch);
	return true;
}
