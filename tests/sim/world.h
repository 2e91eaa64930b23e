/* SPDX-License-Identifier: MIT */
/* One run: pods, HAProxy instances with agents, and every connection. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent.h"
#include "answer.h"
#include "conns.h"
#include "lb.h"
#include "measure.h"
#include "pqueue.h"
#include "rng.h"
#include "scenario.h"

/* A pod. The pods that servers have at the start come first, then those that take their place. */
struct sim_pod {
	uint32_t count;     /* connections it holds */
	uint32_t shaking;   /* of these, those that it does not know of yet */
	double capacity;    /* configured weight / 100 */
	double life;        /* its connections live this part of the others' */
	uint32_t server;    /* the server it has, or had last */
	uint8_t generation; /* counts its deaths */
	bool in_service;    /* it takes new connections, and balance is measured over it */
	bool lies;          /* says something else, */
	uint32_t says;      /* this */
	bool mute;          /* says nothing */
	uint32_t kept;      /* what it counted last, where it counts now and then, */
	int64_t kept_ms;    /* and when; 0: never */
	int64_t since_ms;   /* new to HAProxy then */
};

/* A server slot, the same in all instances. */
struct sim_server {
	uint32_t pod;
	uint8_t generation; /* counts the pods it had */
};

struct instance {
	struct lb *lb[SCENARIO_BACKENDS];
	uint8_t generation; /* counts its reloads */
	/* By server: sessions of this worker with the server's pod of now. */
	uint32_t *current[SCENARIO_BACKENDS];
	int64_t *seen_ms; /* by server: when it sees that the pod is up; 0: it has */
	struct agent *agent;
};

/* A connection whose handshake goes on. */
struct shake {
	int64_t end_ms;
	uint32_t pod;
	uint8_t generation;
};

/* First in, first out. */
struct shakes {
	struct shake *all;
	size_t first, n, room;
};

struct world {
	const struct scenario *scenario;
	const struct policy *policy;
	int64_t now_ms;
	int64_t end_ms;
	size_t n_slots;   /* places for pods, those not yet used among them */
	size_t n_servers; /* of a backend: server l * n_slots + s is line l of slot s */
	size_t n_backends;
	struct sim_server *servers;
	int *weights; /* configured, by server */
	bool *up;     /* by server */
	size_t n_pods;
	struct sim_pod *pods;
	unsigned n_instances;
	struct instance *instances;
	struct answer answer; /* to whoever asks */
	struct lb_ring *ring;
	struct pqueue lowest; /* the oracle's */
	struct conns conns;
	struct shakes shakes;
	struct measure measure;
	uint32_t n_direct; /* pods that get direct connections */
	double per_ms;     /* arrivals through HAProxy */
	double plain_per_ms;
	double direct_per_ms;
	double next_ms; /* the next arrival of each kind */
	double next_direct_ms;
	double next_plain_ms;
	struct rng arrivals, lives, directs, returns, draws, polls, plains, checks;
	bool failed; /* out of memory */
};

/* Runs a scenario under a policy. False when out of memory. */
bool world_run(const struct scenario *scenario, const struct policy *policy, uint64_t seed,
	struct measure_result *result);

/* For the parts of a world. */

/* The server of a new connection through an instance, which begins on it: LB_NONE when none can be
 * used. */
int policy_choose(struct world *world, struct instance *instance, size_t backend);
bool policy_has_agents(const struct policy *policy);

/* A new connection through an instance, to where the policy says. */
void world_arrive(struct world *world, unsigned instance);
/* A connection of a pod, through a server of an instance (or directly: instance < 0), ends. */
void world_depart(struct world *world, const struct conn *conn);
/* A pod's count, capacity or service changed. */
void world_pod_changed(struct world *world, uint32_t pod);

/* How many slots and pods a scenario needs in all. */
void incidents_reserve(const struct scenario *scenario, size_t *n_slots, size_t *n_pods);
/* Does what is due at now_ms, a whole second. */
void incidents_run(struct world *world);

#endif
