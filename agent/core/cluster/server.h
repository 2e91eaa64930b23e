/* SPDX-License-Identifier: MIT */
/* Servers: names in a HAProxy backend, and what HAProxy says of each. */
#ifndef WSB_SERVER_H
#define WSB_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/pod.h"
#include "core/cluster/selection.h"
#include "core/cluster/sessions.h"
#include "core/haproxy/hastate.h"
#include "core/plan/plan.h"

struct backend;

/* Why a server is or is not steered. */
enum server_state {
	SERVER_STEERED,
	SERVER_DOWN,        /* the health check says so */
	SERVER_MAINT,       /* maintenance by an operator, the configuration or DNS */
	SERVER_DRAIN,       /* drained in HAProxy: polled and shown, its weight left alone */
	SERVER_BACKUP,      /* used only when all others are down */
	SERVER_WEIGHT_ZERO, /* weight 0 in the configuration: meant to get nothing */
	SERVER_NO_ADDRESS,  /* nothing to poll */
	SERVER_NOT_STEERED, /* its backend is not */
};

/* Why a server has no pod though HAProxy may use it. */
enum server_unasked {
	SERVER_ASKED,
	SERVER_ON_A_SOCKET, /* a Unix socket */
	SERVER_ANYWHERE,  /* 0.0.0.0, * or ::, which is the address that the client has asked for */
	SERVER_PORTLESS,  /* no port, or one below the client's, and no metricPort */
	SERVER_OURSELVES, /* the agent's own address */
};

/* In words, and for machines; "" for SERVER_ASKED; static. */
const char *server_unasked_reason(enum server_unasked unasked);
const char *server_unasked_label(enum server_unasked unasked);

/* HAProxy's last line of a server. */
struct server_haproxy {
	char status[32];      /* as HAProxy writes it */
	unsigned admin_state; /* HASTATE_ADMIN_ bits */
	int uweight;          /* the weight in HAProxy now, 0..256 */
	int iweight;          /* the configured weight, 0..256 */
	uint16_t agent_port;  /* where HAProxy's agent-check asks; 0: it has none */
	uint32_t maxconn;     /* sessions beyond so many wait; 0: any number */
	bool slow;            /* slowstart keeps its weight down as yet */
	bool by_srv;          /* found by SRV records */
	bool port_is_sure;    /* see struct hastate_server; or metricPort is set */
};

/* The last plan's word on a server. */
struct server_plan {
	bool made;                /* input, result and weight hold a plan */
	int64_t basis_ms;         /* when result.basis became what it is */
	struct planner_pod input; /* what it was made of */
	struct planner_result result;
	bool held;  /* away: weight is to stand in HAProxy for when it comes back */
	int weight; /* the wanted weight: the plan's, in the steps that can be had */
};

/* What was sent to HAProxy. */
struct server_sent {
	int weight;           /* the weight last sent; -1: none */
	bool verified;        /* HAProxy has shown it as its own */
	unsigned overwritten; /* how often somebody else has set another */
	unsigned missed;      /* readings in a row that have shown another, though it was sent */
	bool touched;         /* a weight was ever sent to this name */
	bool agent_send_set;  /* the server was told to send its own name */
};

/* A server of a backend: what it is, and beside that what HAProxy, the readings of its sessions and
 * the last plan say of it. */
struct server {
	struct backend *backend;
	char *id;         /* "backend/server": unique in the cluster */
	const char *name; /* the part of id behind the slash */
	char *fqdn;       /* "" where there is none */
	struct pod *pod;  /* NULL where HAProxy has no address */
	enum server_state state;
	enum server_unasked unasked;
	int64_t state_ms;  /* when state became what it is */
	int64_t since_ms;  /* when this address was first seen on this server */
	int64_t joined_ms; /* when HAProxy began to use this address, or again after it was down or
			      in maintenance, while it had others; 0: it is not new */
	uint64_t seen;     /* number of the update that listed it last */

	struct server_haproxy haproxy;
	struct sessions sessions;
	double part; /* of its pod's correction: see sharing_update(); read while it is steered */
	double line; /* of what its backend gives its pod; the same */
	struct server_plan plan;
	struct server_sent sent;
};

/* What one answer of HAProxy's brings for all of its servers. */
struct server_update {
	struct pod_table *pods;
	int64_t now_ms;
	unsigned replicas;                 /* HAProxy instances that share the pods */
	uint64_t number;                   /* of this update */
	const struct pod_source *source;   /* how pods of the backend are asked */
	const struct selection *selection; /* where the agent itself is; NULL: nowhere */
	bool news;       /* set: a server has joined, moved or come up, or its process is another */
	bool stock;      /* the backend is steered by stock */
	bool has_others; /* the backend was steered before: a server that comes now is new */
	uint64_t worker; /* number of the process that answers: another's sessions begin at 0 */
	pod_gone gone;   /* see pod_release */
	void *arg;
	uint64_t new_addresses; /* counted up: servers whose address changed */
	uint64_t repairs;       /* counted up: sent weights that someone else had changed */
};

/* NULL when out of memory. */
struct server *server_new(
	struct backend *backend, const char *backend_name, const char *name, int64_t now_ms);
/* Its pod must have been released; takes NULL. */
void server_free(struct server *server);

/* Takes HAProxy's line of the server. steered: its backend is. False when out of memory: the
 * server is then as before. */
bool server_update(struct server *server, const struct hastate_server *row, bool steered,
	struct server_update *update);

/* Its pod is worth a poll: it may have connections, and HAProxy does not call it gone. */
bool server_is_polled(const struct server *server);

/* HAProxy cannot use a server in this state, and may be able to later. */
bool server_is_away(enum server_state state);

/* A slot of a backend that the agent fills, without a pod and without connections. */
bool server_is_free_slot(const struct server *server);

#endif
