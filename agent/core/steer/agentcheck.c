/* SPDX-License-Identifier: MIT */
/* Agent-check requests and answers. */
#include "core/steer/agentcheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/steer/percent.h"

/* Finds the server that text names, and whether other names begin with it. */
static struct server *find(struct cluster *cluster, const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t backend_len;

	if (!slash)
		return NULL;
	backend_len = (size_t)(slash - text);
	return cluster_find_server(cluster, text, backend_len, slash + 1, len - backend_len - 1);
}

static bool begins_another(const struct server *server)
{
	const struct backend *backend = server->backend;
	size_t len = strlen(server->name);

	for (size_t i = 0; i < backend->n_servers; i++) {
		if (backend->servers[i] != server &&
			strncmp(backend->servers[i]->name, server->name, len) == 0)
			return true;
	}
	return false;
}

enum agentcheck_request agentcheck_read(
	struct cluster *cluster, const char *bytes, size_t len, struct server **server)
{
	const char *end = memchr(bytes, '\n', len);

	if (end) {
		len = (size_t)(end - bytes);
		if (len > 0 && bytes[len - 1] == '\r')
			len--;
		*server = find(cluster, bytes, len);
		return AGENTCHECK_COMPLETE;
	}
	*server = find(cluster, bytes, len);
	if (!*server)
		return AGENTCHECK_PARTIAL;
	return begins_another(*server) ? AGENTCHECK_MAYBE : AGENTCHECK_COMPLETE;
}

size_t agentcheck_write(const struct server *server, char line[AGENTCHECK_SIZE])
{
	if (!server || (!server->plan.made && !server->plan.held) || server->haproxy.iweight < 1)
		return (size_t)snprintf(line, AGENTCHECK_SIZE, "\n");
	return (size_t)snprintf(line, AGENTCHECK_SIZE, "%d%%\n",
		percent_of(server->haproxy.iweight, server->plan.weight));
}
