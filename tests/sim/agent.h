/* SPDX-License-Identifier: MIT */
/* An agent beside an instance: asks the pods, plans, sets weights. */
#ifndef SIM_AGENT_H
#define SIM_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/others.h"
#include "core/cluster/rate.h"
#include "core/plan/plan.h"
#include "rng.h"
#include "scenario.h"

struct world;
struct instance;

/* What the agent knows of a server. */
struct agent_server {
	bool heard;
	bool is_new; /* heard since the last round */
	bool own_exact;
	bool planned;       /* target and limit are the last plan's */
	uint8_t generation; /* of the pod that this is known of */
	bool has_before;    /* count_before holds one */
	uint32_t count_before;
	uint32_t count;
	int64_t heard_ms;
	uint32_t own_read;   /* sessions of this HAProxy at the last round */
	uint32_t own_then;   /* when count was heard, as far as it is known */
	uint32_t taken_read; /* HAProxy's count of sessions since start, at the last round */
	struct others others;
	struct rate closings;
	double target;
	double credit; /* see limits.h */
	double limit;
};

struct agent {
	struct agent_server *servers;
	struct planner_pod *pods; /* room for all servers */
	struct planner_result *results;
	uint32_t *used; /* the server that pods[i] is of */
	struct rate arrivals;
	uint32_t *asked;     /* all servers, in the order in which they are asked */
	uint32_t *until;     /* by ms before the round: how many are asked until then */
	uint64_t total_read; /* HAProxy's sum of sessions since start, at the last round */
	uint8_t worker_generation;
	int64_t round_ms; /* when the next round is */
	bool put_off;     /* the last round asked the pods again and planned nothing */
	bool stopped;
	int lowest; /* the server with the smallest known count; -1: none */
};

/* With its own moments of asking. NULL when out of memory. */
struct agent *agent_new(size_t n_servers, const struct scenario *scenario, struct rng *rng);
void agent_free(struct agent *agent);

/* Called once a millisecond: does what is due. */
void agent_tick(struct world *world, struct instance *instance);
/* Ends it; the weights go back to the configured ones, or stay. */
void agent_stop(struct world *world, struct instance *instance, bool reset);

#endif
