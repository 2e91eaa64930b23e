/* SPDX-License-Identifier: MIT */
#include "core/steer/reconcile.h"

#include <stdio.h>

static bool append_weight(struct server *server, int weight, struct commands *out)
{
	char command[COMMANDS_LINE_MAX];
	int len = snprintf(command, sizeof(command), "set server %s weight %d", server->id, weight);

	if (len < 0 || (size_t)len >= sizeof(command) || !commands_append(out, command))
		return false;
	server->sent.weight = weight;
	server->sent.verified = false;
	server->sent.touched = true;
	out->n_weights++;
	return true;
}

/* The command line knows no escape for a newline, so the name goes without one. */
static bool append_agent_send(struct server *server, struct commands *out)
{
	char command[COMMANDS_LINE_MAX];
	int len = snprintf(
		command, sizeof(command), "set server %s agent-send %s", server->id, server->id);

	if (len < 0 || (size_t)len >= sizeof(command) || !commands_append(out, command))
		return false;
	server->sent.agent_send_set = true;
	return true;
}

static bool plan_server(struct server *server, uint16_t agent_check_port, struct commands *out)
{
	bool ok = true;

	if (agent_check_port != 0 && server->haproxy.agent_port == agent_check_port &&
		!server->sent.agent_send_set)
		ok = append_agent_send(server, out);
	if ((server->plan.made || server->plan.held) &&
		server->plan.weight != server->haproxy.uweight)
		ok = append_weight(server, server->plan.weight, out) && ok;
	return ok;
}

/* A planned server's weight may also be what an agent before this one has left. */
static bool is_ours(const struct server *server)
{
	return server->plan.made || server->plan.held || server->sent.touched;
}

/* What was sent last may be on its way still, or may never have come. */
static bool append_unless_there(struct server *server, int weight, struct commands *out)
{
	if (server->haproxy.uweight == weight &&
		(server->sent.weight < 0 || server->sent.weight == weight))
		return true;
	return append_weight(server, weight, out);
}

static bool restore_server(struct server *server, struct commands *out)
{
	return !is_ours(server) || append_unless_there(server, server->haproxy.iweight, out);
}

bool reconcile_plan(struct cluster *cluster, uint16_t agent_check_port, struct commands *out)
{
	size_t n;
	struct backend *const *backends = cluster_edit_backends(cluster, &n);
	bool ok = true;

	for (size_t b = 0; b < n; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			ok = plan_server(backends[b]->servers[i], agent_check_port, out) && ok;
	}
	return ok;
}

bool reconcile_restore(struct cluster *cluster, struct commands *out)
{
	size_t n;
	struct backend *const *backends = cluster_edit_backends(cluster, &n);
	bool ok = true;

	for (size_t b = 0; b < n; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			ok = restore_server(backends[b]->servers[i], out) && ok;
	}
	return ok;
}

bool reconcile_overtaken(struct backend *backend, struct commands *out)
{
	bool ok = true;

	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];

		if (server->plan.made && server->plan.weight > 0)
			ok = append_unless_there(server, server->plan.weight, out) && ok;
	}
	return ok;
}

size_t reconcile_count_changed(const struct cluster *cluster)
{
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);
	size_t n_changed = 0;

	for (size_t b = 0; b < n; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++) {
			const struct server *server = backends[b]->servers[i];

			n_changed += is_ours(server) &&
				     server->haproxy.uweight != server->haproxy.iweight;
		}
	}
	return n_changed;
}

void reconcile_lost(struct cluster *cluster)
{
	size_t n;
	struct backend *const *backends = cluster_edit_backends(cluster, &n);

	for (size_t b = 0; b < n; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			backends[b]->servers[i]->sent.agent_send_set = false;
	}
}
