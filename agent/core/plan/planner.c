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

/* So many times the middle pod's count is the most that the mean is taken for. */
static const double LOUD = 4.0;

/* Without HAProxy's word the expected arrivals are a lower bound, near 0 where as many come as go,
 * and weights arrive late, each at its own agent-check: then it pours at least this part of all
 * that the pods have, were they like the middle one, or the lowest pod would get all that comes
 * until the next plan. */
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

/* A count that takes part in the plan. */
static bool counts_in(const struct planner_result *result)
{
	return plan_participates(result) && plan_is_known(result);
}

/* The level, and what each pod lacks to it. */
static void find_level(const struct planner_pod *pods, size_t n, struct planner_result *results,
	struct planner_summary *summary)
{
	double counts = 0.0;
	double capacities = 0.0;
	double highest = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (!counts_in(&results[i]))
			continue;
		counts += results[i].count * plan_part(&pods[i]);
		capacities += plan_extent(&pods[i]);
		highest = fmax(highest, results[i].count / pods[i].capacity);
	}
	summary->level = capacities > 0.0 ? counts / capacities : 0.0;
	/* Of a single pod it is 0 but for rounding. */
	summary->imbalance = counts > 0.0 ? fmax(0.0, highest / summary->level - 1.0) : 0.0;
	for (size_t i = 0; i < n; i++) {
		results[i].deficit = plan_participates(&results[i])
					     ? summary->level * pods[i].capacity - results[i].count
					     : 0.0;
	}
}

/* What is poured over pods as beds: the rank of each is its height for a unit of capacity, the
 * amount its capacity. */
struct beds {
	struct ranked *beds;
	size_t n;
	double capacity; /* of all */
	double count;    /* connections of all the pods */
	double own;      /* sessions of this HAProxy on all */
};

/* The beds of the known pods, lowest first; height is of one pod. */
static struct beds lay_beds(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, const struct planner_result *results, struct ranked *room,
	double (*height)(
		const struct planner_params *params, const struct planner_pod *pod, double count))
{
	struct beds beds = {.beds = room};

	for (size_t i = 0; i < n; i++) {
		if (!counts_in(&results[i]))
			continue;
		room[beds.n++] = (struct ranked){
			.rank = height(params, &pods[i], results[i].count),
			.amount = plan_extent(&pods[i]),
		};
		beds.capacity += plan_extent(&pods[i]);
		beds.own += (double)pods[i].own;
		beds.count += results[i].count * plan_part(&pods[i]);
	}
	workspace_sort(room, beds.n);
	return beds;
}

/* The height that the surface comes to when so much is poured, lowest first. */
static double pour(const struct beds *beds, double amount)
{
	double capacity = 0.0;
	double held = 0.0; /* what the beds under water hold already */
	double height = 0.0;

	for (size_t i = 0; i < beds->n; i++) {
		capacity += beds->beds[i].amount;
		held += beds->beds[i].rank * beds->beds[i].amount;
		height = (amount + held) / capacity;
		if (i + 1 == beds->n || height <= beds->beds[i + 1].rank)
			break;
	}
	return height;
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
	double gap = pod->target_then - (double)pod->own - mean * plan_extent(pod);
	double others_part = 1.0 - 1.0 / (double)params->replicas;

	return pod->planned ? fmin(fmax(gap, -MEMORY_MAX), MEMORY_MAX) * others_part : 0.0;
}

static double mean_gap(
	const struct planner_pod *pods, size_t n, const struct planner_result *results)
{
	double gap = 0.0;
	double capacities = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (counts_in(&results[i]) && pods[i].planned) {
			gap += pods[i].target_then - (double)pods[i].own;
			capacities += plan_extent(&pods[i]);
		}
	}
	return capacities > 0.0 ? gap / capacities : 0.0;
}

/* Without what this HAProxy holds, and each other instance as much. */
static double height_stock(
	const struct planner_params *params, const struct planner_pod *pod, double count)
{
	return (count - (double)params->replicas * (double)pod->own / plan_part(pod)) /
	       pod->capacity;
}

/*
 * What this HAProxy should hold on each pod. Its connections are poured over what the pods have
 * from elsewhere, and every instance is taken to pour as much: a pod that stands above the surface
 * by what others have sent it gets nothing, and takes nobody else's. What leastconn would do by
 * itself is compare own with own: so a pod of which nothing is known gets what is usual.
 */
static void target_stock(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results, struct ranked *room)
{
	struct beds beds = lay_beds(params, pods, n, results, room, height_stock);
	double replicas = (double)params->replicas;
	double amount = beds.own + params->growth;
	double surface = fmax(0.0, pour(&beds, replicas * amount));
	double usual = beds.n > 0 ? fmax(0.0, amount) / beds.capacity : 0.0;
	double mean = mean_gap(pods, n, results);

	for (size_t i = 0; i < n; i++) {
		double part = plan_part(&pods[i]) *
			      (surface * pods[i].capacity - results[i].count) / replicas;
		double memory = remembered(params, &pods[i], mean);

		/* Of the same sign they mean the same connections. */
		if (part * memory > 0.0)
			part = fabs(part) > fabs(memory) ? part : memory;
		else
			part += memory;
		results[i].target = !plan_participates(&results[i]) ? 0.0
				    : plan_is_known(&results[i])    ? (double)pods[i].own + part
								    : usual * plan_extent(&pods[i]);
	}
}

/* Counted is what the pod will hold when it gets its next connection: a small pod's height rises
 * more by one than a large pod's. */
static double height_flow(
	const struct planner_params *params, const struct planner_pod *pod, double count)
{
	(void)params;
	return (count + 1.0 - LEAVING_INTERVALS * pod->leaving) / pod->capacity;
}

/* Of a pod of which nothing is known: it has of others' connections what is usual. */
static double height_unknown(const struct planner_params *params, const struct planner_pod *pod,
	const struct beds *beds, double usual)
{
	double more = (double)pod->own / plan_extent(pod) - beds->own / beds->capacity;

	return usual + (double)params->replicas * more;
}

/* Pours the expected arrivals over the pods like water. */
static void target_flow(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results, struct ranked *room)
{
	struct beds beds = lay_beds(params, pods, n, results, room, height_flow);

	if (beds.n == 0)
		return;

	double usual = room[beds.n / 2].rank;
	/* A loud voice is one of many: no more than the middle one would have it. */
	double count = fmin(
		beds.count / (double)beds.n, LOUD * fmax(0.0, usual) * room[beds.n / 2].amount);
	double least = params->own_unknown ? POUR_PART_UNKNOWN * count * (double)beds.n
					   : POUR_PART * count;
	double amount = fmax(1.0, fmax(POUR_ARRIVALS * params->arrivals, least));
	double surface = pour(&beds, amount);

	for (size_t i = 0; i < n; i++) {
		double height = plan_is_known(&results[i])
					? height_flow(params, &pods[i], results[i].count)
					: height_unknown(params, &pods[i], &beds, usual);
		double depth = surface - height;

		results[i].target = plan_participates(&results[i])
					    ? fmax(0.0, depth * plan_extent(&pods[i]))
					    : 0.0;
	}
}

/* With agent-check alone nothing shows whether a pod's word is true: whatever it says, it gets no
 * more than so many times its share of new connections. */
static const double SHARES_UNKNOWN = 3.0;

static double share_bound(const struct planner_params *params, double capacity, double capacities)
{
	double bound = SHARES_UNKNOWN * capacity / capacities;

	return params->own_unknown ? fmin(1.0, bound) : 1.0;
}

/* The lines of a pod in a backend divide its limit; a pod that may take all has none to divide. */
static double limit_of(
	const struct planner_params *params, const struct planner_pod *pod, double ramp)
{
	double limit = limits_share(params->max_share, ramp);

	return limit < 1.0 ? limit * plan_line(pod) : limit;
}

/* How much of the new connections each pod may take. Limits that together leave some connections
 * without a pod (every pod is new; maxShare of 0.2 and three pods) are raised in proportion. */
static void limit_shares(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, struct planner_result *results)
{
	double capacities = 0.0;
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		capacities += plan_participates(&results[i]) ? plan_extent(&pods[i]) : 0.0;
	for (size_t i = 0; i < n; i++) {
		double bound = share_bound(params, plan_extent(&pods[i]), capacities);

		results[i].ramp = limits_ramp(pods[i].age_ms, params->ramp_ms);
		results[i].share_limit =
			plan_participates(&results[i])
				? fmin(bound, limit_of(params, &pods[i], results[i].ramp))
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

	find_level(pods, n, results, summary);
	limit_shares(params, pods, n, results);
	if (params->mode == PLANNER_STOCK) {
		target_stock(params, pods, n, results, workspace.ranked);
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
