/* SPDX-License-Identifier: MIT */
/* Goals, and the limits that hold where a goal is known to be out of reach. */
#include "goals.h"

#include <math.h>
#include <string.h>

/* The work of chance that a row of one seed may show: its goal is another when the dice fall
 * otherwise. Points of imbalance, as a fraction. */
static const double CHANCE = 0.0003;

/* Connections that live no longer than this move too fast for polls to follow. */
static const double SHORT_LIFE_S = 60.0;

static double mean_of(const struct goals_row *row, size_t policy)
{
	return row->results[policy].mean_imbalance;
}

static void lower(struct goals_verdict *verdict, double goal, size_t policy)
{
	if (goal >= verdict->goal)
		return;
	verdict->goal = goal;
	verdict->against = scenario_policies[policy].name;
}

static bool works_with_polled_counts(size_t policy)
{
	return scenario_policies[policy].choice == POLICY_CACHED_MINIMUM ||
	       scenario_policies[policy].steering == POLICY_INVERSE || policy == SCENARIO_FLOW;
}

/*
 * How far above its goal the policy may be. With one second between polls, what several instances
 * know of a pod is half a second old, and by then others have moved: over many pods the highest of
 * them is what chance makes of that (agent/doc/DESIGN.md, "The planner", has figures). roundrobin
 * cannot answer within the second in which a storm comes.
 */
static double allowance(const struct goals_row *row, size_t policy)
{
	const struct scenario_size *size = row->scenario->size;
	const struct scenario_case *what = row->scenario->what;

	if (policy == SCENARIO_FLOW) {
		if (strcmp(what->name, "storm") == 0)
			return (double)INFINITY;
		return size->pods >= 100 ? 3.0 : 1.6;
	}
	if (what->allowance > 0.0)
		return what->allowance;
	return size->pods >= 100 ? 2.0 : 1.25;
}

static void set_goal(const struct goals_row *row, size_t policy, struct goals_verdict *verdict)
{
	double oracle = mean_of(row, SCENARIO_ORACLE);
	double leastconn = mean_of(row, SCENARIO_LEASTCONN);
	double informed = mean_of(row, SCENARIO_INFORMED);
	bool is_unsteered = row->scenario->what->is_unsteered;
	bool is_blind = row->scenario->what->is_blind || row->scenario->size->life_s < SHORT_LIFE_S;

	if (policy == SCENARIO_FLOW && !is_unsteered && !is_blind)
		lower(verdict, 2.5 * oracle + 0.005, SCENARIO_ORACLE);
	if (policy != SCENARIO_STOCK)
		return;
	lower(verdict, 1.05 * leastconn + 0.001, SCENARIO_LEASTCONN);
	if (is_unsteered)
		return;
	if (is_blind) {
		lower(verdict, 1.15 * fmin(leastconn, informed) + 0.003,
			leastconn < informed ? SCENARIO_LEASTCONN : SCENARIO_INFORMED);
		return;
	}
	lower(verdict, 1.15 * oracle + 0.003, SCENARIO_ORACLE);
	for (size_t i = 0; i < scenario_n_policies; i++) {
		if (works_with_polled_counts(i))
			lower(verdict, mean_of(row, i), i);
	}
}

/* A limited pod may have, over its limit, what the connections of one interval allow it, and for
 * each line one that it saved, and three that the whole numbers of HAProxy's keys cost. */
static bool keeps_limits(const struct goals_row *row, size_t policy)
{
	const struct scenario_case *what = row->scenario->what;
	const struct measure_result *result = &row->results[policy];
	double share = what->max_share > 0.0 ? what->max_share : 1.0;

	double lines = what->lines > 0 ? what->lines : 1.0;

	return result->excess <= share * result->peak_arrivals + 4.0 * lines;
}

struct goals_verdict goals_judge(const struct goals_row *row, size_t policy)
{
	const struct scenario_case *what = row->scenario->what;
	struct goals_verdict verdict = {
		.goal = (double)INFINITY,
		.limit = (double)INFINITY,
		.met = true,
		.passed = true,
	};
	double mean = mean_of(row, policy);

	if (policy != SCENARIO_STOCK && policy != SCENARIO_FLOW)
		return verdict;
	if (what->ramp_s > 0 || what->max_share > 0.0) {
		verdict.passed = verdict.met = keeps_limits(row, policy);
		verdict.against = "its limits";
		return verdict;
	}
	if (row->scenario->size->is_sparse) {
		/* No goal, but never far behind what HAProxy does by itself. */
		if (policy == SCENARIO_STOCK)
			verdict.limit = 1.4 * mean_of(row, SCENARIO_LEASTCONN);
		verdict.passed = mean <= verdict.limit;
		return verdict;
	}
	set_goal(row, policy, &verdict);
	verdict.limit = verdict.goal * allowance(row, policy) + CHANCE;
	verdict.met = mean <= verdict.goal;
	verdict.passed = mean <= verdict.limit;
	return verdict;
}
