/* SPDX-License-Identifier: MIT */
/* One round as it is recorded: all that its plans were made of, and what they were. */
#ifndef WSB_RECORD_H
#define WSB_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/cluster.h"
#include "core/plan/plan.h"

/*
 * A record is enough to make the round's plans again, with the same settings or with others: see
 * rerun.h. As text it is one line of JSON: see record_write.h and record_parse.h.
 */

struct record_server {
	const char *name;
	const char *address;      /* of its pod, "host:port" */
	struct planner_pod input; /* what the plan was made of */
	struct planner_result plan;
	int weight;         /* the wanted weight: the plan's, in the steps that can be had */
	int haproxy_weight; /* the weight in HAProxy when it was planned */
};

struct record_backend {
	const char *name;
	const char *algo;      /* as in struct backend */
	int64_t interval_ms;   /* from this plan to the next */
	double arrivals_per_s; /* new connections through this HAProxy, smoothed, >= 0 */
	double growth_per_s;   /* of this HAProxy's own sessions */
	double closing;        /* see struct outlook_params */
	double level;          /* these three are as in struct planner_summary */
	double imbalance;
	bool fallback;
	struct record_server *servers; /* those that were planned, in HAProxy's order */
	size_t n_servers;
};

struct record {
	int64_t wall_ms;                  /* since the epoch */
	int64_t now_ms;                   /* on the monotonic clock of the host */
	struct cluster_settings settings; /* without names of backends */
	struct record_backend *backends;  /* those that were planned */
	size_t n_backends;
	struct record_server *servers; /* all of them: each backend's are a part of this array */
	size_t n_servers;
	void *names; /* what the names live in; NULL: in the cluster */
};

/*
 * Reads the plans out of the cluster; names are the cluster's own and go with it. Ended with
 * record_fini. False, with *out untouched, when out of memory.
 */
bool record_from(
	const struct cluster *cluster, int64_t now_ms, int64_t wall_ms, struct record *out);

/* Frees what *record owns; takes a zeroed struct. */
void record_fini(struct record *record);

#endif
