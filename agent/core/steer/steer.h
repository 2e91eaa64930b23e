/* SPDX-License-Identifier: MIT */
/* From the cluster to the planner and back: every server's wanted weight. */
#ifndef WSB_STEER_H
#define WSB_STEER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/cluster.h"

/*
 * The counts of some backend are torn (storm.h): it had a plan, and while its pods were asked since
 * then, many of their connections closed. It is better to ask once more than to plan. Not so for a
 * backend steered by flow, whose weights of before the storm are the worse the longer they stand,
 * nor for a single instance.
 */
bool steer_is_torn(const struct cluster *cluster);

/* Plans every backend that is steered. False when out of memory: what was planned before stays
 * for the backends that could not be. */
bool steer_plan(struct cluster *cluster, int64_t now_ms);
/* The same for those whose plan is due (tempo.h). */
bool steer_plan_due(struct cluster *cluster, int64_t now_ms);

/* The rate of new connections over all instances, from a backend's own (struct rate). */
double steer_arrivals(const struct cluster_settings *settings, double arrivals_per_s);

/* How fast a backend's connections change. */
struct steer_rates {
	double arrivals_per_s; /* new ones, over all instances */
	double growth_per_s;   /* this HAProxy's own: what comes, less what goes */
};

/* What the planner is told of a backend that is planned each interval_ms. */
struct planner_params steer_params(const struct cluster_settings *settings, enum backend_mode mode,
	int64_t interval_ms, const struct steer_rates *rates);

/* What is foreseen of a backend, whose own connections close at this rate (lives.h). */
struct outlook_params steer_outlook_params(
	const struct cluster_settings *settings, double arrivals_per_s, double closing);

/* The plan's weight, in the steps that can be had. */
int steer_weight(const struct cluster_settings *settings, const struct planner_pod *pod,
	const struct planner_result *result);

/* Makes the configured weight the wanted one of every planned server: for the end. */
void steer_release(struct cluster *cluster);

/* The largest imbalance (max/mean - 1) of the planned backends; 0 for none. */
double steer_imbalance(const struct cluster *cluster);

#endif
