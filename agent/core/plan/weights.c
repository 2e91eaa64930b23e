/* SPDX-License-Identifier: MIT */
/* Targets into weights. */
#include "core/plan/weights.h"

#include <math.h>
#include <stdbool.h>

#include "core/plan/limits.h"

/*
 * A weight of w divides the pod's target in w steps, and leastconn's whole-numbered key divides it
 * in 256 * target / w steps: large weights make coarse keys. Both are of one size at about 16 times
 * the square root of the target.
 */
static const double STEPS = 16.0;

/* Below this mean target a connection more or less says nothing about a pod's place. */
static const double TARGET_MIN = 2.0;

/* A value that is whole but for the last bits of a sum is whole: in what order pods are summed must
 * not tell. */
static const double EXACT = 1e-9;

/* Over the pods that take part. */
struct sums {
	double targets;
	double capacities;
	double n;
};

/* Each server's part of its pod's capacity, the largest part taken for one: where all pods have as
 * many servers, their capacities. */
static void measure(const struct planner_pod *pods, size_t n, double *extents)
{
	double largest = 0.0;

	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, plan_part(&pods[i]));
	for (size_t i = 0; i < n; i++)
		extents[i] = plan_part(&pods[i]) / largest * pods[i].capacity;
}

static struct sums sum_up(const double *extents, size_t n, const struct planner_result *results)
{
	struct sums sums = {.n = 0.0};

	for (size_t i = 0; i < n; i++) {
		if (!plan_participates(&results[i]))
			continue;
		sums.targets += fmax(0.0, results[i].target);
		sums.capacities += extents[i];
		sums.n += 1.0;
	}
	return sums;
}

/* The greatest common divisor of all capacities; 0 where they are not all whole numbers of a size
 * that weights have. */
static double common_unit(const double *extents, size_t n, const struct planner_result *results)
{
	double unit = 0.0;

	for (size_t i = 0; i < n; i++) {
		double capacity = extents[i];

		if (!plan_participates(&results[i]))
			continue;
		if (capacity > 65536.0 || capacity != floor(capacity))
			return 0.0;
		while (capacity > 0.0) {
			double rest = fmod(unit, capacity);

			unit = capacity;
			capacity = rest;
		}
	}
	return unit;
}

/*
 * The weight for each unit of what the pods' wants are in, of which largest is the largest. At the
 * level wants are capacities: whole multiples of their common unit then give weights that are
 * exact, and that stay as they are while targets drift, for the steps of the scale are wide.
 */
static double scale(const struct sums *sums, double unit, double largest)
{
	double fits = PLANNER_WEIGHT_MAX / largest;
	double fine = STEPS * sqrt(sums->targets / sums->n) * sums->n / sums->capacities;
	double each = fmin(fine, fits) * unit;

	if (each < 1.0)
		return fmin(fine, fits);
	if (fine < fits)
		each = exp2(floor(2.0 * log2(each) + EXACT) / 2.0);
	return floor(each + EXACT) / unit;
}

/*
 * How much of a connection's step up others are not expected to repeat: a pod that gets one here is
 * reckoned to get one from each other instance too, which is far from true while hardly any come.
 */
static double alone_of(const struct planner_params *params, const struct sums *sums)
{
	double others = 1.0 - 1.0 / (double)params->replicas;

	return 0.5 * others / (1.0 + params->arrivals / sums->n);
}

/*
 * leastconn gives the next connection to the least (own + 1) / weight (HAProxy's lb_fwlc.c). The
 * pod whose connections would then stand furthest below its target, measured in a pod's usual share
 * of this HAProxy's connections, shall be that one; a pod that lacks several gets them before a pod
 * that lacks one.
 */
static double lead_of(const struct planner_pod *pod, double target, double share, double alone)
{
	double lacks = fmax(1.0, round(target - (double)pod->own));
	double then = (double)pod->own + lacks;

	return then / (share + then - alone - target);
}

static int round_weight(double weight, double limit)
{
	/* A limited share must not be rounded up. */
	double whole = limit < 1.0 ? floor(weight) : round(weight);

	return (int)fmin(fmax(whole, 1.0), PLANNER_WEIGHT_MAX);
}

static void set_weights(size_t n, struct planner_result *results, const double *weights)
{
	for (size_t i = 0; i < n; i++) {
		results[i].weight = plan_participates(&results[i])
					    ? round_weight(weights[i], results[i].share_limit)
					    : 0;
	}
}

/* A pod that lacks fewer than so many, and whose weight would be more than so many times the middle
 * one for its capacity, gets the middle one. */
static const double LACKS_MIN = 2.0;
static const double STANDS_OUT = 3.0;

/* The upper median of weight for each unit of extent, over the pods that take part. */
static double middle_of(const double *extents, size_t n, const double *weights, struct ranked *room)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		if (weights[i] > 0.0)
			room[m++].rank = weights[i] / extents[i];
	}
	workspace_sort(room, m);
	return m > 0 ? room[m / 2].rank : 0.0;
}

/*
 * After a reload a pod that has just joined holds most of what this HAProxy has, and a weight that
 * keeps it so: should old workers end now, nearly all of their clients would come to it. While it
 * lacks next to nothing it can do without such a weight: it stands back, and HAProxy gives what
 * comes to the others, as it would by itself.
 */
static void stand_back(const struct planner_params *params, const struct planner_pod *pods,
	size_t n, const struct planner_result *results, const double *extents, double *weights,
	struct ranked *room)
{
	double middle = middle_of(extents, n, weights, room);

	for (size_t i = 0; i < n; i++) {
		double part = plan_part(&pods[i]) / (double)params->replicas;
		double lacks =
			fmax(results[i].deficit * part, results[i].target - (double)pods[i].own);

		if (lacks < LACKS_MIN && weights[i] > STANDS_OUT * middle * extents[i])
			weights[i] = middle * extents[i];
	}
}

void weights_stock(const struct planner_params *params, const struct planner_pod *pods, size_t n,
	struct planner_result *results, struct workspace *workspace)
{
	double *extents = workspace->extents;
	double *weights = workspace->values;
	struct sums sums;

	measure(pods, n, extents);
	sums = sum_up(extents, n, results);

	if (sums.n <= 0.0)
		return;
	sums.targets = fmax(sums.targets, TARGET_MIN * sums.n);

	double alone = alone_of(params, &sums);

	for (size_t i = 0; i < n; i++) {
		double share = sums.targets / sums.capacities * extents[i];

		weights[i] =
			plan_participates(&results[i])
				? extents[i] * lead_of(&pods[i], results[i].target, share, alone)
				: 0.0;
		results[i].target = fmax(0.0, results[i].target);
	}
	stand_back(params, pods, n, results, extents, weights, workspace->ranked);

	double *keys = workspace->keys;

	limits_stock(pods, n, results, weights, keys, workspace->ranked);

	double factor = scale(&sums, common_unit(extents, n, results), plan_largest_of(n, weights));

	/* HAProxy's keys are whole numbers in 256 * sessions / weight, and of pods with equal keys
	 * the limited one may come first: one step more. */
	for (size_t i = 0; i < n; i++) {
		weights[i] *= factor;
		if (keys[i] > 0.0)
			keys[i] = keys[i] / factor + 1.0 / PLANNER_WEIGHT_MAX;
	}
	limits_to_keys(pods, n, results, keys, weights);
	set_weights(n, results, weights);
}

void weights_flow(const struct planner_pod *pods, size_t n, struct planner_result *results,
	struct workspace *workspace)
{
	double *weights = workspace->values;
	double largest;

	for (size_t i = 0; i < n; i++)
		weights[i] = plan_participates(&results[i]) ? results[i].target : 0.0;
	limits_flow(pods, n, results, weights);
	largest = plan_largest_of(n, weights);
	for (size_t i = 0; i < n; i++)
		weights[i] = largest > 0.0 ? weights[i] / largest * PLANNER_WEIGHT_MAX : 1.0;
	set_weights(n, results, weights);
}
