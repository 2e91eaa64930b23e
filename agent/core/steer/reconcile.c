/* SPDX-License-Identifier: MIT */
/* Commands for the difference between wanted and actual. */
#include "core/steer/reconcile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool append_line(struct reconcile *out)
{
	char **grown = reallocarray(out->lines, out->n_lines + 1, sizeof(*grown));

	if (!grown)
		return false;
	out->lines = grown;
	out->lines[out->n_lines] = calloc(1, RECONCILE_LINE_MAX + 1);
	if (!out->lines[out->n_lines])
		return false;
	out->n_lines++;
	return true;
}

bool reconcile_append(struct reconcile *out, const char *command)
{
	size_t len = strlen(command);
	size_t used = out->n_lines > 0 ? strlen(out->lines[out->n_lines - 1]) : 0;
	char *line;

	if (len + 1 > RECONCILE_LINE_MAX)
		return false;
	if ((used == 0 || used + 1 + len > RECONCILE_LINE_MAX)) {
		if (!append_line(out))
			return false;
		used = 0;
	}
	line = out->lines[out->n_lines - 1];
	/* The newline that ended the line so far becomes the joint. */
	if (used > 0)
		line[used - 1] = ';';
	memcpy(line + used, command, len);
	line[used + len] = '\n';
	line[used + len + 1] = '\0';
	return true;
}

static bool append_weight(struct server *server, int weight, struct reconcile *out)
{
	char command[RECONCILE_LINE_MAX];
	int len = snprintf(command, sizeof(command), "set server %s weight %d", server->id, weight);

	if (len < 0 || (size_t)len >= sizeof(command) || !reconcile_append(out, command))
		return false;
	server->sent = weight;
	server->verified = false;
	server->touched = true;
	out->n_weights++;
	return true;
}

/* The command line knows no escape for a newline, so the name goes without one. */
static bool append_agent_send(struct server *server, struct reconcile *out)
{
	char command[RECONCILE_LINE_MAX];
	int len = snprintf(
		command, sizeof(command), "set server %s agent-send %s", server->id, server->id);

	if (len < 0 || (size_t)len >= sizeof(command) || !reconcile_append(out, command))
		return false;
	server->agent_send_set = true;
	return true;
}

static bool plan_server(struct server *server, uint16_t agent_check_port, struct reconcile *out)
{
	bool well = true;

	if (agent_check_port != 0 && server->agent_port == agent_check_port &&
		!server->agent_send_set)
		well = append_agent_send(server, out);
	if ((server->planned || server->held) && server->weight != server->uweight)
		well = append_weight(server, server->weight, out) && well;
	return well;
}

static bool restore_server(struct server *server, struct reconcile *out)
{
	/* A planned server's weight may also be what an agent before this one has left. */
	bool ours = server->planned || server->held || server->touched;
	/* What was sent last may be on its way still, or may never have come. */
	bool restored = server->uweight == server->iweight &&
			(server->sent < 0 || server->sent == server->iweight);

	if (!ours || restored)
		return true;
	return append_weight(server, server->iweight, out);
}

bool reconcile_plan(struct cluster *cluster, uint16_t agent_check_port, struct reconcile *out)
{
	size_t n;
	struct backend *const *backends = cluster_backends(cluster, &n);
	bool well = true;

	for (size_t b = 0; b < n; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			well = plan_server(backends[b]->servers[i], agent_check_port, out) && well;
	}
	return well;
}

bool reconcile_restore(struct cluster *cluster, struct reconcile *out)
{
	size_t n;
	struct backend *const *backends = cluster_backends(cluster, &n);
	bool well = true;

	for (size_t b = 0; b < n; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			well = restore_server(backends[b]->servers[i], out) && well;
	}
	return well;
}

void reconcile_lost(struct cluster *cluster)
{
	size_t n;
	struct backend *const *backends = cluster_backends(cluster, &n);

	for (size_t b = 0; b < n; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			backends[b]->servers[i]->agent_send_set = false;
	}
}

void reconcile_fini(struct reconcile *out)
{
	for (size_t i = 0; i < out->n_lines; i++)
		free(out->lines[i]);
	free(out->lines);
	*out = (struct reconcile){.n_lines = 0};
}
