/* SPDX-License-Identifier: MIT */
/* What HAProxy's answers change about a server. */
#include "core/cluster/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/backend.h"

void server_free(struct server *server)
{
	if (!server)
		return;
	free(server->id);
	free(server->fqdn);
	free(server);
}

struct server *server_new(
	struct backend *backend, const char *backend_name, const char *name, int64_t now_ms)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->fqdn = strdup("");
	if (!server->fqdn || asprintf(&server->id, "%s/%s", backend_name, name) < 0) {
		server->id = NULL; /* undefined after a failed asprintf */
		server_free(server);
		return NULL;
	}
	server->backend = backend;
	server->name = server->id + strlen(backend_name) + 1;
	server->state = SERVER_NO_ADDRESS;
	server->since_ms = now_ms;
	server->sent.weight = -1;
	sessions_init(&server->sessions);
	return server;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

const char *server_unasked_reason(enum server_unasked unasked)
{
	switch (unasked) {
	case SERVER_ASKED:
		return "";
	case SERVER_ON_A_SOCKET:
		return "it is on a Unix socket";
	case SERVER_ANYWHERE:
		return "its address is whatever the client has asked for";
	case SERVER_PORTLESS:
		return "its port is missing or relative to the client's: set metricPort for it";
	case SERVER_OURSELVES:
		return "its address is the agent's own";
	}
	return "?";
}

const char *server_unasked_label(enum server_unasked unasked)
{
	static const char *const labels[] = {
		[SERVER_ASKED] = "",
		[SERVER_ON_A_SOCKET] = "unix_socket",
		[SERVER_ANYWHERE] = "any_address",
		[SERVER_PORTLESS] = "no_port",
		[SERVER_OURSELVES] = "own_address",
	};

	return labels[unasked];
}

/* Placeholders in maintenance, as controllers have in free slots, lead nowhere as yet. */
static bool is_anywhere(const struct hastate_server *row)
{
	return strcmp(row->address, "0.0.0.0") == 0 || strcmp(row->address, "::") == 0;
}

/* Without address, name and need of DNS a server can only be on a Unix socket. */
static enum server_unasked unasked_of(
	const struct hastate_server *row, const struct server_update *update)
{
	bool by_dns = row->fqdn[0] != '\0' || (row->admin_state & HASTATE_ADMIN_RESOLVE_MAINT) != 0;

	if (row->address[0] == '\0')
		return by_dns ? SERVER_ASKED : SERVER_ON_A_SOCKET;
	if (is_anywhere(row) && (row->admin_state & HASTATE_ADMIN_MAINT) == 0)
		return SERVER_ANYWHERE;
	if (row->port == 0 && update->source->port == 0)
		return SERVER_PORTLESS;
	if (update->selection && selection_is_own(update->selection, row->address, row->port))
		return SERVER_OURSELVES;
	return SERVER_ASKED;
}

static enum server_state state_of(
	const struct server *server, const struct hastate_server *row, bool steered)
{
	if (!server->pod)
		return SERVER_NO_ADDRESS;
	if ((row->admin_state & HASTATE_ADMIN_MAINT) != 0 || has_prefix(row->status, "MAINT"))
		return SERVER_MAINT;
	if (row->op_state == 0 || has_prefix(row->status, "DOWN"))
		return SERVER_DOWN;
	if ((row->admin_state & HASTATE_ADMIN_DRAIN) != 0 || has_prefix(row->status, "DRAIN") ||
		has_prefix(row->status, "NOLB"))
		return SERVER_DRAIN;
	if (row->backup)
		return SERVER_BACKUP;
	if (row->iweight == 0)
		return SERVER_WEIGHT_ZERO;
	return steered ? SERVER_STEERED : SERVER_NOT_STEERED;
}

bool server_is_free_slot(const struct server *server)
{
	if (server->state != SERVER_MAINT || server->sessions.own > 0)
		return false;
	/* Other hands than ours fill slots too: ingress controllers do. */
	return server->backend->filled ||
	       (!server->pod->heard &&
		       ((server->haproxy.admin_state & HASTATE_ADMIN_CONFIG_MAINT) != 0 ||
			       server->pod->port == 1 ||
			       strcmp(server->pod->address, "0.0.0.0") == 0));
}

bool server_is_polled(const struct server *server)
{
	return server->pod && server->state != SERVER_MAINT && server->state != SERVER_DOWN;
}

/* Another address is another pod: nothing of the old one is kept. False when out of memory. */
static bool update_address(struct server *server, const struct hastate_server *row,
	enum server_unasked unasked, struct server_update *update)
{
	struct pod *old = server->pod;
	struct pod *pod = NULL;
	bool has_address = row->address[0] != '\0' && unasked == SERVER_ASKED;

	if (!old && !has_address)
		return true;
	if (has_address) {
		if (old && pod_is_at(old, row->address, row->port, update->source))
			return true;
		pod = pod_hold(
			update->pods, row->address, row->port, update->source, update->now_ms);
		if (!pod)
			return false;
	}
	if (pod == old) {
		pod_release(update->pods, pod, update->gone, update->arg);
		return true;
	}
	update->news = true;
	update->new_addresses += server->sessions.known;
	sessions_new_pod(&server->sessions, row->scur);
	server->pod = pod;
	server->state = SERVER_NO_ADDRESS;
	server->since_ms = update->now_ms;
	server->plan.made = false;
	server->sent.weight = -1;
	server->sent.verified = false;
	pod_release(update->pods, old, update->gone, update->arg);
	return true;
}

/* What HAProxy calls the server and where it is: both or neither. False when out of memory. */
static bool update_place(struct server *server, const struct hastate_server *row,
	enum server_unasked unasked, struct server_update *update)
{
	bool renamed = strcmp(server->fqdn, row->fqdn) != 0;
	char *fqdn = renamed ? strdup(row->fqdn) : NULL;

	if ((renamed && !fqdn) || !update_address(server, row, unasked, update)) {
		free(fqdn);
		return false;
	}
	if (renamed) {
		free(server->fqdn);
		server->fqdn = fqdn;
	}
	return true;
}

static void update_sessions(
	struct server *server, const struct hastate_server *row, struct server_update *update)
{
	const struct pod *pod = server->pod;
	struct sessions_reading reading = {
		.now_ms = update->now_ms,
		.worker = update->worker,
		.replicas = update->replicas,
		.stock = update->stock,
		.own = row->scur,
		.total = row->stot,
		.heard = pod && pod->heard,
		.count = pod ? pod->metric.count : 0,
		.counted_ms = pod ? pod->counted.ms : 0,
	};

	if (server->sessions.known && server->sessions.worker != update->worker) {
		update->news = true;
		/* A new worker knows nothing of what was sent to the old one. */
		server->sent.weight = -1;
		server->sent.verified = false;
		server->sent.agent_send_set = false;
	}
	sessions_update(&server->sessions, &reading);
}

bool server_is_away(enum server_state state)
{
	return state == SERVER_DOWN || state == SERVER_MAINT || state == SERVER_NO_ADDRESS;
}

static void update_state(
	struct server *server, enum server_state state, struct server_update *update)
{
	if (server_is_away(server->state) && !server_is_away(state)) {
		update->news = true;
		server->joined_ms = update->has_others ? update->now_ms : 0;
		if (server->pod && update->has_others)
			moment_join(&server->pod->counted);
	}
	if (state != server->state || server->state_ms == 0)
		server->state_ms = update->now_ms;
	if (server_is_away(state))
		sessions_away(&server->sessions, update->replicas, update->now_ms);
	server->state = state;
}

static void update_weight(struct server *server, int uweight, struct server_update *update)
{
	bool shown = server->sent.weight >= 0 && uweight == server->sent.weight;

	server->sent.missed = server->sent.weight < 0 || shown ? 0 : server->sent.missed + 1;
	if (shown) {
		server->sent.verified = true;
	} else if (server->sent.verified) {
		/* It was as sent, and is not any more: someone else has set it. */
		update->repairs++;
		server->sent.overwritten++;
		server->sent.verified = false;
	}
	server->haproxy.uweight = uweight;
}

bool server_update(struct server *server, const struct hastate_server *row, bool steered,
	struct server_update *update)
{
	enum server_unasked unasked = unasked_of(row, update);

	if (!update_place(server, row, unasked, update))
		return false;
	server->unasked = unasked;
	update_sessions(server, row, update);
	server->seen = update->number;
	snprintf(server->haproxy.status, sizeof(server->haproxy.status), "%s", row->status);
	server->haproxy.admin_state = row->admin_state;
	server->haproxy.iweight = row->iweight;
	server->haproxy.agent_port = row->agent_port;
	server->haproxy.maxconn = row->maxconn;
	server->haproxy.slow = row->slow;
	server->haproxy.by_srv = row->by_srv;
	server->haproxy.port_is_sure = row->port_is_sure || update->source->port != 0;
	update_state(server, state_of(server, row, steered), update);
	update_weight(server, row->uweight, update);
	return true;
}
