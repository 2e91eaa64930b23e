/* SPDX-License-Identifier: MIT */
/* What is known: backends, their servers, and the pods behind the servers' addresses. */
#ifndef WSB_CLUSTER_H
#define WSB_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arrivals.h"
#include "core/hareply.h"
#include "core/metric.h"
#include "core/planner.h"

/*
 * The model between the two kinds of bytes that come in, HAProxy's answers and the pods' answers,
 * and all that goes out: weights, agent-check answers, the report. It never waits and knows no
 * clock: times are monotonic milliseconds that the caller passes.
 *
 * A server is a name in a backend of HAProxy's; a pod is what answers at an address. A server whose
 * address changes has another pod from then on, and nothing of the old one is kept. Two servers
 * with one address (in two backends, say) share a pod, which is polled once.
 */

struct cluster;

/* What answers at an address. Lives as long as a server points to it. */
struct pod {
	char *address;           /* without brackets */
	uint16_t port;
	char *key;               /* "address:port", IPv6 in brackets: unique in the cluster */
	unsigned n_servers;      /* servers that point here */
	bool wanted;             /* to be polled: some server of it may be used */
	void *poll;              /* the poller's own handle, NULL when not polled */

	bool heard;              /* metric and heard_ms hold an answer */
	struct metric metric;    /* the last good answer */
	int64_t heard_ms;        /* when it came */
	enum metric_outcome outcome; /* of the last poll; METRIC_OK before the first */
	int64_t polled_ms;       /* when the last poll ended; 0: none yet */
	char error[160];         /* the last failure in words, "" after a success */
	int64_t since_ms;        /* when this pod came into the cluster */
};

/* Why a server is or is not steered. */
enum server_state {
	SERVER_STEERED,
	SERVER_DOWN,         /* the health check says so */
	SERVER_MAINT,        /* maintenance by an operator, the configuration or DNS */
	SERVER_DRAIN,        /* drained in HAProxy: polled and shown, its weight left alone */
	SERVER_BACKUP,       /* used only when all others are down */
	SERVER_WEIGHT_ZERO,  /* weight 0 in the configuration: meant to get nothing */
	SERVER_NO_ADDRESS,   /* nothing to poll */
	SERVER_NOT_STEERED,  /* its backend is not */
};

/* A server of a backend. */
struct server {
	struct backend *backend;
	char *name;
	char *fqdn;              /* "" where there is none */
	struct pod *pod;         /* NULL where HAProxy has no address */
	enum server_state state;
	char status[32];         /* as HAProxy writes it */
	unsigned admin_state;    /* HAREPLY_ADMIN_ bits */
	int uweight;             /* the weight in HAProxy now, 0..256 */
	int iweight;             /* the configured weight, 0..256 */
	uint32_t own;            /* sessions of this HAProxy on the server now (scur) */
	bool own_exact;          /* see struct planner_pod */
	bool agent_check;        /* HAProxy has an agent-check on it */
	bool agent_send_set;     /* it was told to send its own name */
	int64_t since_ms;        /* when this address was first seen on this server */

	uint32_t own_before;     /* own at the snapshot before */
	uint32_t own_then;       /* own when its pod's count was heard */
	int64_t own_then_ms;     /* the heard_ms that own_then belongs to; 0: none */

	bool planned;            /* plan and weight hold a plan */
	struct planner_result plan;
	int weight;              /* the wanted weight: the plan's, in the steps that can be had */
	int sent;                /* the weight last sent to HAProxy; -1: none */
};

enum backend_mode {
	BACKEND_STOCK,       /* leastconn, random */
	BACKEND_FLOW,        /* roundrobin, or agent-check alone */
	BACKEND_NOT_STEERED, /* an algorithm whose weights are fixed or without meaning */
};

struct backend {
	char *name;
	char algo[32];           /* as HAProxy writes it, "" where unknown */
	enum backend_mode mode;
	struct server **servers; /* in HAProxy's order */
	size_t n_servers;
	struct arrivals arrivals;
	bool planned;            /* summary holds a plan */
	struct planner_summary summary;
	int64_t planned_ms;
};

/* How often things happened since the agent started. */
struct cluster_counters {
	uint64_t reloads;        /* HAProxy's pid changed */
	uint64_t new_addresses;  /* a server's address changed */
	uint64_t repairs;        /* a weight that someone else had changed was set again */
	uint64_t polls[METRIC_N_OUTCOMES];
};

struct cluster_params {
	unsigned replicas;
	int64_t poll_interval_ms;
	int64_t cache_ttl_ms;
	bool percent_steps;      /* weights must be reachable by agent-check's N% too */
	const char *const *backends; /* names; the caller's, copied */
	size_t n_backends;       /* 0: every backend whose algorithm can be steered */
};

/* Returns NULL when out of memory. */
struct cluster *cluster_new(const struct cluster_params *params);
void cluster_free(struct cluster *cluster);

/* Takes changed settings; what is known of servers and pods stays. False when out of memory, with
 * nothing changed. */
bool cluster_configure(struct cluster *cluster, const struct cluster_params *params);

/*
 * Takes HAProxy's answer of now_ms. Servers that it no longer lists go, and pods with them: their
 * pod->poll must be NULL or be dropped by on_pod_gone, which is called before each pod is freed.
 * Returns false when out of memory: the cluster is then as before.
 */
typedef void (*cluster_pod_gone)(struct pod *pod, void *arg);
bool cluster_update(struct cluster *cluster, const struct hareply_snapshot *snapshot,
	int64_t now_ms, cluster_pod_gone on_pod_gone, void *arg);

/* A poll of the pod ended at now_ms. metric is read with METRIC_OK only; detail, the failure in
 * words, with all others. */
void cluster_observe(struct cluster *cluster, struct pod *pod, enum metric_outcome outcome,
	const struct metric *metric, const char *detail, int64_t now_ms);

/* Plans every backend that is steered. False when out of memory: what was planned stays. */
bool cluster_plan(struct cluster *cluster, int64_t now_ms);

/* The HAProxy that answered last; all zero before the first answer. */
const struct hareply_info *cluster_info(const struct cluster *cluster);
/* When it answered; 0: never. */
int64_t cluster_updated_ms(const struct cluster *cluster);
const struct cluster_params *cluster_settings(const struct cluster *cluster);
const struct cluster_counters *cluster_counters(const struct cluster *cluster);
/* Every poll that is due has been answered once, well or badly. */
bool cluster_is_first_round_done(const struct cluster *cluster);

/* Backends in HAProxy's order; *n is set. The array is the cluster's, valid until the next call
 * that changes it. */
struct backend *const *cluster_backends(const struct cluster *cluster, size_t *n);
/* NULL where there is none. */
struct server *cluster_find_server(const struct cluster *cluster, const char *backend,
	size_t backend_len, const char *server, size_t server_len);
/* All pods, in no certain order; calls visit for each. */
void cluster_each_pod(const struct cluster *cluster, void (*visit)(struct pod *pod, void *arg),
	void *arg);

/* "steered", "down", ... and for a backend "stock", "flow", "not steered". Static. */
const char *server_state_name(enum server_state state);
const char *backend_mode_name(enum backend_mode mode);

#endif
