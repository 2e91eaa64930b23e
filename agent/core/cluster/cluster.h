/* SPDX-License-Identifier: MIT */
/* What is known: backends, their servers, and the pods behind the servers' addresses. */
#ifndef WSB_CLUSTER_H
#define WSB_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/backend.h"
#include "core/cluster/pod.h"
#include "core/cluster/selection.h"
#include "core/cluster/server.h"
#include "core/haproxy/hastate.h"

/*
 * The model between the two kinds of bytes that come in, HAProxy's answers and the pods' answers,
 * and all that goes out: weights, agent-check answers, the report. It never waits and knows no
 * clock: times are monotonic milliseconds that the caller passes.
 *
 * A server is a name in a backend of HAProxy's; a pod is what answers at an address. A server whose
 * address changes has another pod from then on, and nothing of the old one is kept. Two servers
 * with one address (in two backends, say) share a pod, which is polled once, unless their backends'
 * pods are asked in different ways (struct pod_source).
 */

struct cluster;

/* How often things happened since the agent started. */
struct cluster_counters {
	uint64_t reloads;       /* another HAProxy process answered: pid or start time changed */
	uint64_t new_addresses; /* a server's address changed */
	uint64_t repairs;       /* a weight that was sent had been changed by someone else */
};

struct cluster_settings {
	unsigned replicas;
	bool replicas_counted;    /* by Kubernetes */
	int64_t poll_interval_ms; /* 0: auto, see steer/tempo.h */
	int64_t cache_ttl_ms;
	int64_t ramp_ms;       /* see struct planner_params */
	double max_share;      /* see struct planner_params */
	unsigned capacity_max; /* see capacity_settle() */
	bool percent_steps;    /* weights must be reachable by agent-check's N% too */
	bool agent_check_only; /* nothing but agent-check answers: every backend by flow */
	char **peers;          /* the other instances' pages, for reports; copied too */
	size_t n_peers;
	struct selection selection; /* copied where a cluster takes it */
};

/* *to is its own and goes to cluster_settings_fini(). False when out of memory: nothing is set. */
bool cluster_settings_copy(const struct cluster_settings *from, struct cluster_settings *to);

/* Frees what *settings owns: of settings that a cluster has copied the copy is its own. */
void cluster_settings_fini(struct cluster_settings *settings);

/* Returns NULL when out of memory. */
struct cluster *cluster_new(const struct cluster_settings *settings);
void cluster_free(struct cluster *cluster);

/* Takes changed settings; what is known of servers and pods stays. False when out of memory, with
 * nothing changed. */
bool cluster_configure(struct cluster *cluster, const struct cluster_settings *settings);

/*
 * Takes HAProxy's answer of now_ms. Servers that it no longer lists go, and pods with them: gone is
 * called before each pod is freed. Returns false when out of memory: some servers are then as
 * before, and the next answer mends it.
 */
bool cluster_update(struct cluster *cluster, const struct hastate_snapshot *snapshot,
	int64_t now_ms, pod_gone gone, void *arg);

/* The HAProxy that answered last; all zero before the first answer. */
const struct hastate_info *cluster_info(const struct cluster *cluster);
/* When it answered; 0: never. */
int64_t cluster_updated_ms(const struct cluster *cluster);
/* Another number after each change of what servers, pods and settings there are: whoever points to
 * any looks at it. */
uint64_t cluster_edition(const struct cluster *cluster);
const struct cluster_settings *cluster_settings(const struct cluster *cluster);
const struct cluster_counters *cluster_counters(const struct cluster *cluster);
/* HAProxy has answered, and since then each pod that is polled was heard or failed once. */
bool cluster_is_first_round_done(struct cluster *cluster);

/* Backends in HAProxy's order, to read or to change; *n is set. The array is the cluster's, valid
 * until the next call that changes it. */
const struct backend *const *cluster_backends(const struct cluster *cluster, size_t *n);
struct backend *const *cluster_edit_backends(struct cluster *cluster, size_t *n);
/* All pods in no certain order, likewise. */
struct pod *const *cluster_edit_pods(struct cluster *cluster, size_t *n);
/* Names of mode tcp backends that would be steered if somebody named them, "a, b"; "" when there
 * are none. Valid until the next update. */
const char *cluster_left_out(const struct cluster *cluster);
/* HAProxy has every backend that the settings name, and one at least for each pattern. */
bool cluster_has_selected(const struct cluster *cluster);
/* NULL where there is none. */
struct server *cluster_find_server(struct cluster *cluster, const char *backend, size_t backend_len,
	const char *server, size_t server_len);

#endif
