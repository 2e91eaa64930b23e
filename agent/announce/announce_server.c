/* SPDX-License-Identifier: MIT */
/* Logs what has changed in a server, and notes who joined and left. */
#include "announce/announce_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/asking.h"
#include "core/cluster/backend.h"
#include "core/cluster/pod.h"
#include "core/terms.h"
#include "io/clock.h"
#include "io/log.h"

enum {
	OVERWRITTEN_OFTEN = 3, /* an operator does it once, another controller again and again */
	MISSED_OFTEN = 10,     /* readings in a row */
};

/* Which servers nobody can ask stays as it is until somebody writes another configuration. */
static void announce_unasked(struct said_server *said, const struct server *server)
{
	if (server->unasked != SERVER_ASKED && !said->unasked)
		log_warn("server " TERM_UNASKABLE ", and is " TERM_LEFT_ALONE,
			log_str("server", server->id),
			log_str("reason", server_unasked_reason(server->unasked)));
	said->unasked = server->unasked != SERVER_ASKED;
}

/* "+1000" looks like port 1000. */
static void announce_doubtful(struct said_server *said, const struct server *server)
{
	bool doubtful = asking_is_doubtful(server) && !server->backend->asking.quiet;

	if (doubtful && !said->doubtful)
		log_warn(
			"pod does not answer at the port that HAProxy tells, which may be relative "
			"to the client's: set metricPort for it, or give the server a check",
			log_str("server", server->id), log_str("pod", server->pod->key));
	said->doubtful = doubtful;
}

/* Two who set the same weights never come to rest: that is for people to settle. */
static void announce_overwritten(struct said_server *said, const struct server *server)
{
	bool often = server->sent.overwritten >= OVERWRITTEN_OFTEN;
	/* DNS may overwrite a weight before it was ever read back. */
	bool by_dns = server->haproxy.by_srv && (often || server->sent.missed >= MISSED_OFTEN);

	if (said->overwritten || (!often && !by_dns))
		return;
	said->overwritten = true;
	if (by_dns) {
		log_warn("weights do not stay on a server found by SRV records, whose weights "
			 "HAProxy takes: in haproxy.cfg, write resolve-opts ignore-weight behind "
			 "resolvers",
			log_str("server", server->id));
		return;
	}
	log_warn(
		"somebody else sets this server's weight again and again: let one of the two do it",
		log_str("server", server->id), log_int("times", server->sent.overwritten));
}

/* Once for each pod that comes to tell too much: bounds move with the other pods. */
static void announce_capacity(struct said_server *said, const struct server *server)
{
	double most = server->backend->capacity_most;
	double told = server->plan.made ? server->plan.input.told : 0.0;
	char tells[32];
	char counts[32];

	if (said->capped || told <= most)
		return;
	said->capped = true;
	snprintf(tells, sizeof(tells), "%g", told);
	snprintf(counts, sizeof(counts), "%g", most);
	log_warn("pod tells more capacity than capacityMax allows, and counts as less",
		log_str("server", server->id), log_str("pod", server->pod->key),
		log_str("tells", tells), log_str("counts_as", counts));
}

static void announce_belief(struct said_server *said, const struct server *server)
{
	bool disbelieved = server->plan.made && server->plan.result.basis == PLANNER_DISBELIEVED;
	bool several = disbelieved && server->pod->workers.several;
	bool draining = server->plan.made && server->plan.result.basis == PLANNER_DRAINING;

	if (several && !said->several) {
		log_warn("pod is " TERM_DISBELIEVED ": " TERM_SEVERAL,
			log_str("server", server->id), log_str("pod", server->pod->key),
			log_int("says", server->pod->metric.count),
			log_int("holds", server->sessions.own));
	} else if (disbelieved && !said->disbelieved) {
		log_warn("pod is " TERM_DISBELIEVED
			 ": it says fewer connections than HAProxy holds on it",
			log_str("server", server->id), log_str("pod", server->pod->key),
			log_int("says", server->pod->metric.count),
			log_int("holds", server->sessions.own));
	}
	if (!disbelieved && said->disbelieved && server->plan.made)
		log_info("pod is believed again", log_str("server", server->id),
			log_str("pod", server->pod->key));
	if (draining && !said->draining)
		log_info("pod is " TERM_DRAINING, log_str("server", server->id),
			log_str("pod", server->pod->key));
	said->disbelieved = disbelieved;
	said->several = several;
	said->draining = draining;
}

/* Where the pod's name is kept, since it is needed when the pod has gone. */
static void remember_pod(struct said_server *said, const struct server *server)
{
	const char *name = pod_name(server->pod)[0] ? pod_name(server->pod) : server->name;

	if (said->pod && strcmp(said->pod, name) == 0)
		return;
	free(said->pod);
	said->pod = strdup(name);
}

/* A pod that HAProxy begins to use, or uses no more. */
static void announce_membership(
	struct said_server *said, const struct server *server, struct events *events)
{
	bool used = server->pod && !server_is_away(server->state);
	bool another = used && said->used && server->joined_ms != said->joined_ms;

	if (said->used && (!used || another))
		events_add(events, clock_wall_ms(), EVENT_LEFT, said->pod ? said->pod : "");
	said->used = said->used && used && !another;
	/* Its name is its own word, so it is waited for. */
	if (!used || server->pod->polled_ms == 0)
		return;
	remember_pod(said, server);
	if (!said->used && server->joined_ms != 0 && server->joined_ms != said->joined_ms)
		events_add(events, clock_wall_ms(), EVENT_JOINED, said->pod ? said->pod : "");
	said->used = true;
	said->joined_ms = server->joined_ms;
}

void announce_server(struct said_server *said, const struct server *server, struct events *events)
{
	announce_unasked(said, server);
	announce_overwritten(said, server);
	announce_doubtful(said, server);
	announce_belief(said, server);
	announce_capacity(said, server);
	announce_membership(said, server, events);
}

void announce_server_left(const struct said_server *said, struct events *events)
{
	if (said->used)
		events_add(events, clock_wall_ms(), EVENT_LEFT, said->pod ? said->pod : "");
}
