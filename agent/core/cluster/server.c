/* SPDX-License-Identifier: MIT */
/* What HAProxy's answers change about a server. */
#include "core/cluster/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/cluster.h"

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
	server->sent = -1;
	/*
	 * Whether what it holds is all of this address nobody knows at first sight. Taking it to be
	 * so errs on the mild side: an honest pod in a slot that still counts another's sessions is
	 * planned as leastconn would by itself, while a believed liar would draw everything.
	 */
	server->own_exact = true;
	return server;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_address(const struct hastate_server *row)
{
	return row->address[0] != '\0' && row->port != 0;
}

static enum server_state judge(const struct hastate_server *row, bool steered)
{
	if (!has_address(row))
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
	return server->backend->filled && server->state == SERVER_MAINT && server->own == 0;
}

bool server_is_polled(const struct server *server)
{
	return server->pod && server->state != SERVER_MAINT && server->state != SERVER_DOWN;
}

/* Another address is another pod: nothing of the old one is kept. False when out of memory. */
static bool take_address(
	struct server *server, const struct hastate_server *row, struct server_update *update)
{
	struct pod *old = server->pod;
	struct pod *pod = NULL;

	if (!old && !has_address(row))
		return true;
	if (old && old->port == row->port && strcmp(old->address, row->address) == 0)
		return true;
	if (has_address(row)) {
		pod = pod_hold(update->pods, row->address, row->port, update->now_ms);
		if (!pod)
			return false;
	}
	if (server->known) {
		update->new_addresses++;
		server->own_exact = row->scur == 0;
		others_new_pod(&server->others, row->scur);
	}
	server->pod = pod;
	server->state = SERVER_NO_ADDRESS;
	server->since_ms = update->now_ms;
	server->own = row->scur;
	server->own_then_ms = 0;
	server->credit = 0.0;
	server->planned = false;
	server->target_stands = false;
	server->sent = -1;
	server->verified = false;
	pod_release(update->pods, old, update->gone, update->arg);
	return true;
}

/* What HAProxy calls the server and where it is: both or neither. False when out of memory. */
static bool take_place(
	struct server *server, const struct hastate_server *row, struct server_update *update)
{
	bool renamed = strcmp(server->fqdn, row->fqdn) != 0;
	char *fqdn = renamed ? strdup(row->fqdn) : NULL;

	if ((renamed && !fqdn) || !take_address(server, row, update)) {
		free(fqdn);
		return false;
	}
	if (renamed) {
		free(server->fqdn);
		server->fqdn = fqdn;
	}
	return true;
}

static void take_sessions(
	struct server *server, const struct hastate_server *row, const struct server_update *update)
{
	bool reloaded = server->known && server->worker != update->worker;

	if (reloaded) {
		/* The new worker does not count the old one's sessions, though the pods have them:
		 * the difference is no move. */
		others_reload(&server->others, server->own);
		server->target_stands = false;
		server->own = row->scur;
		server->own_then = row->scur;
		server->sent = -1;
		server->verified = false;
		server->agent_send_set = false;
	}
	if (!server->known || reloaded || row->stot < server->total)
		server->started = 0;
	else
		server->started += row->stot - server->total;
	server->total = row->stot;
	server->own_before = server->known ? server->own : row->scur;
	server->own = row->scur;
	if (row->scur == 0)
		server->own_exact = true;
	server->closings.tau_s = RATE_TAU_SERVER_S;
	if (row->stot >= row->scur)
		rate_update(&server->closings, row->stot - row->scur, update->now_ms);
}

bool server_is_away(enum server_state state)
{
	return state == SERVER_DOWN || state == SERVER_MAINT || state == SERVER_NO_ADDRESS;
}

static void take_state(
	struct server *server, enum server_state state, const struct server_update *update)
{
	if (server_is_away(server->state) && !server_is_away(state))
		server->joined_ms = update->has_others ? update->now_ms : 0;
	server->state = state;
}

/* What this HAProxy had on the server when the pod was heard, between the two answers. */
static void reckon_own_then(struct server *server, const struct server_update *update)
{
	const struct pod *pod = server->pod;
	double moved = (double)server->own - (double)server->own_before;
	double span = (double)(update->now_ms - server->taken_ms);
	double part = 1.0;

	if (!pod || !pod->heard || server->own_then_ms == pod->heard_ms)
		return;
	if (span > 0.0) {
		part = (double)(pod->heard_ms - server->taken_ms) / span;
		part = part < 0.0 ? 0.0 : part > 1.0 ? 1.0 : part;
	}
	server->own_then = (uint32_t)((double)server->own_before + part * moved + 0.5);
	server->own_then_ms = pod->heard_ms;
	others_update(&server->others, update->replicas, pod->metric.count, server->own_before,
		server->own, server->own_then);
}

static void take_weight(struct server *server, int uweight, struct server_update *update)
{
	if (server->sent >= 0 && uweight == server->sent) {
		server->verified = true;
	} else if (server->verified) {
		/* It was as sent, and is not any more: someone else has set it. */
		update->repairs++;
		server->verified = false;
	}
	server->uweight = uweight;
}

bool server_update(struct server *server, const struct hastate_server *row, bool steered,
	struct server_update *update)
{
	if (!take_place(server, row, update))
		return false;
	take_sessions(server, row, update);
	reckon_own_then(server, update);
	server->known = true;
	server->taken_ms = update->now_ms;
	server->seen = update->number;
	server->worker = update->worker;
	snprintf(server->status, sizeof(server->status), "%s", row->status);
	server->admin_state = row->admin_state;
	server->iweight = row->iweight;
	server->agent_port = row->agent_port;
	take_state(server, judge(row, steered), update);
	take_weight(server, row->uweight, update);
	return true;
}
