/* SPDX-License-Identifier: MIT */
/* Writes the question of a round. */
#include "core/haproxy/haquery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/commands.h"

/* 6 is backends and servers; frontends and listeners are not asked for (management.txt, "show
 * stat"). */
static const char HAQUERY_ALL[] = "show stat -1 6 -1;show servers state;show info\n";

char *haquery_write(char *const *backends, size_t n_backends)
{
	char *line = NULL;
	size_t len = 0;
	FILE *out;
	bool broken;

	if (n_backends == 0)
		return strdup(HAQUERY_ALL);
	out = open_memstream(&line, &len);
	if (!out)
		return NULL;
	for (size_t i = 0; i < n_backends; i++)
		fprintf(out, "show stat %s 6 -1;show servers state %s;", backends[i], backends[i]);
	fputs("show info\n", out);
	broken = ferror(out) != 0;
	/* Out of memory, it may close well and leave nothing. */
	if (fclose(out) != 0 || broken || !line) {
		free(line);
		return NULL;
	}
	if (len <= COMMANDS_LINE_MAX)
		return line;
	free(line);
	return strdup(HAQUERY_ALL);
}

bool ask_configured(const struct config *config, struct hastate_snapshot *out)
{
	struct hastate_snapshot snapshot = {.n_backends = config->n_services};
	size_t n = 0;

	for (size_t i = 0; i < config->n_services; i++)
		n += config->services[i].n_servers;
	snapshot.backends = calloc(config->n_services + 1, sizeof(*snapshot.backends));
	snapshot.servers = calloc(n + 1, sizeof(*snapshot.servers));
	if (!snapshot.backends || !snapshot.servers) {
		hastate_fini(&snapshot);
		return false;
	}
	n = 0;
	for (size_t i = 0; i < config->n_services; i++) {
		const struct config_service *service = &config->services[i];

		snapshot.backends[i] = (struct hastate_backend){
			.name = service->name,
			.algo = "",
			.servers = &snapshot.servers[n],
			.n_servers = service->n_servers,
		};
		for (size_t s = 0; s < service->n_servers; s++) {
			const struct config_server *server = &service->servers[s];

			snapshot.servers[n++] = (struct hastate_server){
				.name = server->name,
				.address = server->address.host,
				.port = server->address.port,
				.fqdn = "",
				.status = "no check",
				.op_state = 2, /* running */
				.uweight = server->weight,
				.iweight = server->weight,
			};
		}
	}
	*out = snapshot;
	return true;
}
