/* SPDX-License-Identifier: MIT */
/* Plays what comes and what closes forward, to the moment at which all pods are near their level.
 */
#include "core/plan/outlook.h"

#include <math.h>
#include <stdbool.h>

/* Further off than a day nothing is foreseen. */
static const double HORIZON_S = 86400.0;

/* The moment is looked for from this on, each time so much later, and then halved so often. */
static const double FIRST_S = 0.25;
static const double LATER = 1.5;
enum { HALVINGS = 8, SURFACES = 60, MEDIANS = 20 };

/* Of what a pod may have over what this HAProxy holds. */
static const double TIMES_MAX = 1e6;

const char *outlook_verdict_label(enum outlook_verdict verdict)
{
	static const char *const names[] = {
		[OUTLOOK_BALANCED] = "balanced",
		[OUTLOOK_FILLING] = "levelling",
		[OUTLOOK_ONLY_CLOSING] = "cannot_level",
		[OUTLOOK_NOT_SENT] = "not_sent",
	};

	return names[verdict];
}

double outlook_tolerance(double level)
{
	return fmax(OUTLOOK_TOLERANCE * level, 1.0 + sqrt(fmax(level, 0.0)) / 3.0);
}

/* What stands, and what is foreseen. */
struct course {
	const struct outlook_params *params;
	const struct planner_pod *pods;
	const struct planner_result *results;
	size_t n;
	double arrivals_per_s; /* that go to known pods */
	double held_times;     /* the middle pod has so many times what this HAProxy holds on it */
	/* Of the known pods that take part: */
	size_t n_known;
	double counts;
	double capacities;
	double highest; /* count for each unit of capacity */
	double closing; /* of counts, what HAProxy's clients hold, and so closes */
};

static bool counts_in(const struct course *course, size_t i)
{
	return plan_participates(&course->results[i]) && plan_is_known(&course->results[i]);
}

static void sum_up(struct course *course)
{
	double all = 0.0;

	for (size_t i = 0; i < course->n; i++) {
		const struct planner_pod *pod = &course->pods[i];

		if (!plan_participates(&course->results[i]))
			continue;
		all += plan_extent(pod);
		if (!counts_in(course, i))
			continue;
		course->n_known++;
		course->counts += course->results[i].count * plan_part(pod);
		course->capacities += plan_extent(pod);
		course->highest = fmax(course->highest, course->results[i].count / pod->capacity);
	}
	if (all > 0.0)
		course->arrivals_per_s = course->params->arrivals_per_s * course->capacities / all;
}

/* Pods that have so many times what this HAProxy holds on them, or less. */
static size_t n_within(const struct course *course, double times)
{
	size_t n = 0;

	for (size_t i = 0; i < course->n; i++)
		n += counts_in(course, i) &&
		     course->results[i].count <= times * course->pods[i].held;
	return n;
}

/*
 * Other instances hold more of the pods or less than this one, and old workers that nobody saw do
 * too: how much the middle pod tells. What a pod has beyond that is of another door. By halving,
 * since there is no room to sort in.
 */
static void find_held_times(struct course *course)
{
	double least = 0.0;
	double most = 1.0;

	while (2 * n_within(course, most) < course->n_known && most < TIMES_MAX)
		most *= 2.0;
	for (int i = 0; i < MEDIANS; i++) {
		double middle = (least + most) / 2.0;

		if (2 * n_within(course, middle) < course->n_known)
			least = middle;
		else
			most = middle;
	}
	course->held_times = most;
}

/* What other doors have brought to pod i, which they make good. */
static double door_of(const struct course *course, size_t i)
{
	return fmax(0.0, course->results[i].count - course->held_times * course->pods[i].held);
}

static void sum_closing(struct course *course)
{
	for (size_t i = 0; i < course->n; i++) {
		if (counts_in(course, i))
			course->closing += plan_part(&course->pods[i]) *
					   (course->results[i].count - door_of(course, i));
	}
}

/* What is foreseen of one moment for all pods alike. */
struct foreseen {
	double left_part; /* of what stands now and closes */
	double come;      /* of what will have come, what will be left */
	double level;     /* of all pods, for each unit of capacity */
};

static struct foreseen moment_at(const struct course *course, double at_s)
{
	double closing = course->params->closing;
	double span_s = closing > 0.0 ? -expm1(-closing * at_s) / closing : at_s;
	struct foreseen moment = {
		.left_part = exp(-closing * at_s),
		.come = course->arrivals_per_s * span_s,
	};
	double closed = course->closing * (1.0 - moment.left_part);

	moment.level = (moment.come + course->counts - closed) / course->capacities;
	return moment;
}

/* Of what pod i has now, what it will have then. */
static double left_at(const struct course *course, size_t i, const struct foreseen *moment)
{
	double door = door_of(course, i);

	return door + (course->results[i].count - door) * moment->left_part;
}

/* The most that pod i may have got by then, by ramp and maxShare. */
static double allowed_at(const struct course *course, size_t i, double at_s)
{
	const struct outlook_params *params = course->params;
	double share = params->max_share > 0.0 && params->max_share < 1.0 ? params->max_share : 1.0;
	double ramp_s = (double)params->ramp_ms / 1000.0;
	double age_s = (double)course->pods[i].age_ms / 1000.0;
	double ramping_s = fmin(at_s, fmax(0.0, ramp_s - age_s));
	double whole_s = at_s - ramping_s;

	if (ramping_s <= 0.0 && share >= 1.0)
		return INFINITY;
	if (ramping_s > 0.0)
		whole_s += (age_s + ramping_s / 2.0) * ramping_s / ramp_s;
	return params->arrivals_per_s * share * whole_s;
}

/* The height to which what comes fills the lowest pods: from above, where all would be filled, each
 * step leaves out those that stand higher. */
static double surface_at(const struct course *course, const struct foreseen *moment)
{
	double surface = INFINITY;

	for (int step = 0; step < SURFACES; step++) {
		double wet = 0.0;
		double has = 0.0;

		for (size_t i = 0; i < course->n; i++) {
			double left = counts_in(course, i) ? left_at(course, i, moment)
							   : (double)INFINITY;

			if (left >= surface * course->pods[i].capacity)
				continue;
			wet += plan_extent(&course->pods[i]);
			has += left * plan_part(&course->pods[i]);
		}
		if (wet <= 0.0 || (moment->come + has) / wet >= surface)
			break;
		surface = (moment->come + has) / wet;
	}
	return surface;
}

/* A pod will still have too many by itself: then nobody needs to know how high the others come. */
static bool sticks_out_at(const struct course *course, const struct foreseen *moment)
{
	for (size_t i = 0; i < course->n; i++) {
		double own_level = moment->level * course->pods[i].capacity;

		if (counts_in(course, i) &&
			left_at(course, i, moment) - own_level > outlook_tolerance(own_level))
			return true;
	}
	return false;
}

static bool is_balanced_at(const struct course *course, double at_s)
{
	const struct foreseen moment = moment_at(course, at_s);
	double surface;

	if (sticks_out_at(course, &moment))
		return false;
	surface = surface_at(course, &moment);
	for (size_t i = 0; i < course->n; i++) {
		double capacity = course->pods[i].capacity;
		double level = moment.level * capacity;
		double has;

		if (!counts_in(course, i))
			continue;
		has = left_at(course, i, &moment);
		has += fmin(fmax(0.0, surface * capacity - has), allowed_at(course, i, at_s));
		if (fabs(has - level) > outlook_tolerance(level))
			return false;
	}
	return true;
}

static double find_moment(struct course *course)
{
	double before_s = 0.0;
	double at_s = FIRST_S;

	if (course->n_known == 0 || is_balanced_at(course, 0.0))
		return 0.0;
	find_held_times(course);
	sum_closing(course);
	while (!is_balanced_at(course, at_s)) {
		before_s = at_s;
		at_s *= LATER;
		if (at_s > HORIZON_S)
			return INFINITY;
	}
	for (int i = 0; i < HALVINGS; i++) {
		double middle = (before_s + at_s) / 2.0;

		if (is_balanced_at(course, middle))
			at_s = middle;
		else
			before_s = middle;
	}
	return at_s;
}

static enum outlook_verdict judge(const struct course *course, const struct outlook *outlook)
{
	double come_soon = OUTLOOK_SOON_S * course->params->arrivals_per_s;

	if (outlook->seconds <= 0.0)
		return OUTLOOK_BALANCED;
	if (isinf(outlook->seconds) || course->params->arrivals_per_s <= 0.0)
		return OUTLOOK_ONLY_CLOSING;
	return outlook->seconds > OUTLOOK_SOON_S &&
			       outlook->alone > fmax(OUTLOOK_PATIENCE * outlook->deficit, come_soon)
		       ? OUTLOOK_ONLY_CLOSING
		       : OUTLOOK_FILLING;
}

struct outlook outlook_of(const struct outlook_params *params, const struct planner_pod *pods,
	const struct planner_result *results, size_t n)
{
	struct course course = {.params = params, .pods = pods, .results = results, .n = n};
	struct outlook outlook = {.deficit = 0.0};
	double level;
	double enough;

	sum_up(&course);
	level = course.capacities > 0.0 ? course.counts / course.capacities : 0.0;
	/* The fewest connections, evenly given to all but the highest pod, that let it pass. */
	enough = course.highest * course.capacities / (1.0 + OUTLOOK_TOLERANCE);
	outlook.alone = fmax(0.0, enough - course.counts);
	for (size_t i = 0; i < n; i++) {
		if (counts_in(&course, i))
			outlook.deficit += plan_part(&pods[i]) *
					   fmax(0.0, level * pods[i].capacity - results[i].count);
	}
	outlook.seconds = find_moment(&course);
	outlook.verdict = judge(&course, &outlook);
	return outlook;
}
