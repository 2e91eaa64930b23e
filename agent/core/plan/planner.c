/* SPDX-License-Identifier: MIT */
/* Levels and targets; counts.c finds the counts before, weights.c the weights after. */
#include "core/plan/planner.h"

#include "core/plan/counts.h"
#include "core/plan/limits.h"
#include "core/plan/weights.h"

#include <math.h>
#include <string.h>

/* The flow planner pours so many times what it expects, so that a deficit is made good over a few
 * plans, and never less than this part of a pod's mean count. */
static const double POUR_ARRIVALS = 2.0;
static const double POUR_PART = 0.1;

/* Without HAProxy's word the expected arrivals are a lower bound, near 0 where as many come as go,
 * and weights arrive late, each at its own agent-check: then it pours at least this part of all
 * that the pods have, or the lowest pod would get all that comes until the next plan. */
static const double POUR_PART_UNKNOWN = 0.05;

/* Closings that the flow planner reckons with, in intervals between plans: those since the count
 * was read and half of those to come. */
static const double LEAVING_INTERVALS = 1.5;

/* What this HAProxy remembers of connections that it has lost and not yet replaced. */
static const double MEMORY_MAX = 1.0;

static void summarise(
	struct planner_summary *summary, const struct planner_result *result, bool draining)
{
	summary->n_draining += draining;
	summary->n_known += plan_is_known(result);
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
		if (!plan_participates(&results[i]))
			continue;
		counts += results[i].count;
		capacities += pods[i].capacity;
		highest = fmax(highest, results[i].count / pods[i].capacity);
	}
	summary->level = capacities > 0.0 ? (counts + params->arrivals) / capacities : 0.0;
	/* Of a single pod it is 0 but for rounding. */
	summary->imbalance = counts > 0.0 ? fmax(0.0, highest / (counts / capacities) - 1.0) : 0.0;
	for (size_t i = 0; i < n; i++) {
		results[i].deficit = plan_participates(&results[i])
					     ? summary->level * pods[i].capacity - results[i].count
					     : 0.0;
	}
}

/*
 * What the last plan wanted this HAProxy to hold on the pod, over what it holds: a connection that
 * has closed since and has not been replaced. The deficit tells of it too, but divided among all
 * instances; without this memory a pod that others fill from outside, whose own connections close
 * less often than they are replaced, would stand a little high for ever. mean is that of all pods,
 * for each unit of capacity.
 */
static double remembered(
	const struct planner_params *params, const struct planner_pod *pod, double mean)
{
	double gap = pod->target_then - (double)pod->own - mean * pod->capacity;
	double others_part = 1.0 - 1.0 / (double)params->replicas;

	return pod->planned ? fmin(fmax(gap, -MEMORY_MAX), MEMORY_MAX) * others_part : 0.0;
}

static double mean_gap(
	const struct planner_pod *pods, size_t n, const struct planner_result *results)
{
	double gap = 0.0;
	double capacities = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (plan_participates(&results[i]) && pods[i].planned) {
			gap += pods[i].target_then - (double)pods[i].own;
			capacities += pods[i].capacity;
		}
	}
	return capacities > 0.0 ? gap / capacities : 0.0;
}

/* What this HAProxy should hold on each pod: what it holds, and its part of the deficit. */
static void target_stock(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results)
{
	double mean = mean_gap(pods, n, results);

	for (size_t i = 0; i < n; i++) {
		double part = results[i].deficit / (double)params->replicas;
		double memory = remembered(params, &pods[i], mean);

		/* Of the same sign they mean the same connections. */
		if (part * memory > 0.0)
			part = fabs(part) > fabs(memory) ? part : memory;
		else
			part += memory;
		results[i].target =
			plan_participates(&results[i]) ? (double)pods[i].own + part : 0.0;
	}
}

/* Counted is what the pod will hold when it gets its next connection: a small pod's height rises
 * more by one than a large pod's. */
static double bed_height(const struct planner_pod *pod, const struct planner_result *result)
{
	return (result->count + 1.0 - LEAVING_INTERVALS * pod->leaving) / pod->capacity;
}

/* Pods are beds that water fills: the rank of each is its height, count / capacity, and the amount
 * its capacity. The height that the surface comes to when so much is poured over m beds, lowest
 * first. */
static double pour(const struct ranked *beds, size_t m, double amount)
{
	double capacity = 0.0;
	double held = 0.0; /* what the beds under water hold already */
	double height = 0.0;

	for (size_t i = 0; i < m; i++) {
		capacity += beds[i].amount;
		held += beds[i].rank * beds[i].amount;
		height = (amount + held) / capacity;
		if (i + 1 == m || height <= beds[i + 1].rank)
			break;
	}
	return height;
}

/* Pours the expected arrivals over the pods like water. */
static void target_flow(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results, struct ranked *beds)
{
	size_t m = 0;
	double counts = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (!plan_participates(&results[i]))
			continue;
		beds[m++] = (struct ranked){
			.rank = bed_height(&pods[i], &results[i]),
			.amount = pods[i].capacity,
		};
		counts += results[i].count;
	}
	if (m == 0)
		return;
	workspace_sort(beds, m);

	double least =
		params->own_unknown ? POUR_PART_UNKNOWN * counts : POUR_PART * counts / (double)m;
	double amount = fmax(1.0, fmax(POUR_ARRIVALS * params->arrivals, least));
	double height = pour(beds, m, amount);

	for (size_t i = 0; i < n; i++) {
		double depth = height - bed_height(&pods[i], &results[i]);

		results[i].target =
			plan_participates(&results[i]) ? fmax(0.0, depth * pods[i].capacity) : 0.0;
	}
}

/* How much of the new connections each pod may take. Limits that together leave some connections
 * without a pod (every pod is new; maxShare of 0.2 and three pods) are raised in proportion. */
static void limit_shares(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++) {
		results[i].ramp = limits_ramp(pods[i].age_ms, params->ramp_ms);
		results[i].share_limit = plan_participates(&results[i])
						 ? limits_share(params->max_share, results[i].ramp)
						 : 0.0;
		sum += results[i].share_limit;
	}
	if (sum >= 1.0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (plan_participates(&results[i]))
			results[i].share_limit = sum > 0.0 ? results[i].share_limit / sum : 1.0;
	}
}

/* Every active server at weight 0 would answer 503: when all pods drain, none does. */
static void mark_draining(const struct planner_pod *pods, size_t n, struct planner_result *results,
	const struct planner_summary *summary)
{
	for (size_t i = 0; i < n && summary->n_draining < n; i++) {
		if (pods[i].draining)
			results[i].basis = PLANNER_DRAINING;
	}
}

bool planner_plan(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, struct planner_summary *summary)
{
	struct workspace workspace;

	if (!workspace_init(&workspace, n))
		return false;
	memset(summary, 0, sizeof(*summary));
	memset(results, 0, n * sizeof(*results));

	counts_reckon(params, pods, n, results, &workspace);
	for (size_t i = 0; i < n; i++)
		summarise(summary, &results[i], pods[i].draining);
	mark_draining(pods, n, results, summary);

	find_level(params, pods, n, results, summary);
	limit_shares(params, pods, n, results);
	if (params->mode == PLANNER_STOCK) {
		target_stock(params, pods, n, results);
		weights_stock(params, pods, n, results, &workspace);
	} else {
		target_flow(params, pods, n, results, workspace.ranked);
		weights_flow(pods, n, results, &workspace);
	}

	summary->fallback = 2 * summary->n_known < n;
	for (size_t i = 0; summary->fallback && i < n; i++) {
		if (plan_participates(&results[i]))
			results[i].weight = pods[i].configured;
	}
	workspace_fini(&workspace);
	return true;
}
