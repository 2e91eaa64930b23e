/* SPDX-License-Identifier: MIT */
/* An agent beside an instance: asks the pods, plans, sets weights. */
#ifndef SIM_AGENT_H
#define SIM_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/cluster.h"
#include "rng.h"
#include "scenario.h"

struct world;
struct instance;

/* What it knows of a slot: the pod that HAProxy told of, and that pod's last answer. */
struct agent_slot {
	bool known; /* HAProxy has told of it */
	bool heard; /* count holds an answer */
	uint8_t generation;
	uint32_t pod;
	uint32_t count;
};

/* It plans with the shipped model and planner; what only looks at counts has no need of them. */
struct agent {
	struct cluster *cluster; /* NULL: it does without */
	struct server **servers; /* the cluster's, of all backends; NULL before the first round */
	struct agent_slot *slots;
	uint32_t *asked;  /* all slots, in the order in which they are asked */
	uint32_t *until;  /* by ms before the round: how many are asked until then */
	int64_t round_ms; /* when the next round is */
	int64_t watch_ms; /* when HAProxy is looked at before that */
	bool put_off;     /* the last round asked the pods again and planned nothing */
	bool stopped;
	struct metric answer; /* a pod's; but for the count always the same */
	int lowest;           /* the server with the smallest known count; -1: none */
};

/* With its own moments of asking. NULL when out of memory. */
struct agent *agent_new(const struct world *world, struct rng *rng);
void agent_free(struct agent *agent);

/* Called once a millisecond: does what is due. */
void agent_tick(struct world *world, struct instance *instance);
/* Ends it; the weights go back to the configured ones, or stay. */
void agent_stop(struct world *world, struct instance *instance, bool reset);

#endif
