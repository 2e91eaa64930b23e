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

/* In every case no worse than HAProxy by itself. */
static void lower_to_leastconn(const struct goals_row *row, struct goals_verdict *verdict)
{
	lower(verdict, 1.05 * mean_of(row, SCENARIO_LEASTCONN) + 0.001, SCENARIO_LEASTCONN);
}

static bool works_with_polled_counts(size_t policy)
{
	return scenario_policies[policy].choice == POLICY_CACHED_MINIMUM ||
	       scenario_policies[policy].steering == POLICY_INVERSE || policy == SCENARIO_FLOW;
}

/*
 * How far above its goal the policy may be. With one second between polls, what several instances
 * know of a pod is half a second old, and by then others have moved: over many pods the highest of
 * them is what chance makes of that (agent/doc/DESIGN.md, "The planner", has figures).
 */
static double allowance(const struct goals_row *row, size_t policy)
{
	const struct scenario_size *size = row->scenario->size;
	const struct scenario_case *what = row->scenario->what;

	if (policy == SCENARIO_FLOW)
		return size->pods >= 100 ? 3.0 : 1.6;
	if (what->allowance > 0.0)
		return what->allowance;
	return size->pods >= 100 ? 2.0 : 1.25;
}

/* Connections break in it that all come back at once. */
static bool is_rush(const struct scenario_case *what)
{
	for (size_t i = 0; i < SCENARIO_INCIDENTS; i++) {
		enum incident_kind kind = what->incidents[i].kind;

		if (kind == INCIDENT_STORM || kind == INCIDENT_OLD_END ||
			kind == INCIDENT_DOOR_SHUT)
			return true;
	}
	return false;
}

/*
 * By flow where nothing can be known in time: hardly worse than roundrobin without weights. It
 * cannot answer within the second in which all come back at once, and they go to the pods that were
 * lowest before; and weights that an agent has left behind lead there for ever. So these rows have
 * a bound against what would be another fault, and no more.
 */
static double beside_roundrobin(const struct goals_row *row)
{
	double times = row->scenario->what->is_unsteered ? 20.0
		       : is_rush(row->scenario->what)    ? 10.0
							 : 1.25;

	return times * mean_of(row, SCENARIO_ROUNDROBIN) + 0.003;
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
	lower_to_leastconn(row, verdict);
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
		if (policy == SCENARIO_STOCK)
			lower_to_leastconn(row, &verdict);
		verdict.limit = policy == SCENARIO_STOCK ? 1.4 * mean_of(row, SCENARIO_LEASTCONN)
							 : beside_roundrobin(row);
		verdict.met = mean <= verdict.goal;
		verdict.passed = mean <= verdict.limit;
		return verdict;
	}
	set_goal(row, policy, &verdict);
	verdict.limit = verdict.goal * allowance(row, policy) + CHANCE;
	if (policy == SCENARIO_FLOW && (isinf(verdict.goal) || is_rush(what)))
		verdict.limit = beside_roundrobin(row);
	verdict.met = mean <= verdict.goal;
	verdict.passed = mean <= verdict.limit;
	return verdict;
}
