/* SPDX-License-Identifier: MIT */
/* What the planner is to reach, and how near it is. */
#ifndef SIM_GOALS_H
#define SIM_GOALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure.h"
#include "scenario.h"

/* One case at one size under every policy: means over the seeds, but for the worst excess. */
struct goals_row {
	const struct scenario *scenario;
	uint64_t seed; /* the first */
	unsigned n_seeds;
	struct measure_result results[SCENARIO_POLICIES_MAX];
};

/* A policy's mean imbalance beside what it is to be. */
struct goals_verdict {
	double goal;  /* INFINITY: none */
	double limit; /* what the tests demand: the goal, or more where it is known to be missed */
	bool met;     /* the goal is */
	bool passed;  /* the limit is */
	const char *against; /* what the goal comes from: a policy's name */
};

/*
 * The goals, of mean imbalance: by stock within 1.15 of the oracle plus 0.3 points, no more
 * than 1.05 of leastconn plus 0.1 points, and no more than any policy that works with polled
 * counts; by flow within 2.5 of the oracle plus 0.5 points. Where what happens cannot be known in
 * time, and where connections are short, by stock within 1.15 of the better of leastconn and
 * informed plus 0.3 points instead, and by flow nothing. Where agents end in a case, and where pods
 * have a few connections for each instance, only leastconn is the measure, and where pods have
 * limited shares their excess is.
 */
struct goals_verdict goals_judge(const struct goals_row *row, size_t policy);

#endif
