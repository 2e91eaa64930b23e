/* SPDX-License-Identifier: MIT */
#include "core/settings.h"

#include <stdlib.h>

#include "core/steer/tempo.h"

_Static_assert((int)CONFIG_AUTO_MS == (int)TEMPO_CALM_MS, "what auto means is known to both");

struct cluster_settings settings_for_cluster(const struct config *config, unsigned counted)
{
	return (struct cluster_settings){
		.replicas = counted > 0 ? counted : config->replicas,
		.poll_interval_ms = config->poll_interval_ms,
		.cache_ttl_ms = config->cache_ttl_ms,
		.ramp_ms = config->ramp_ms,
		.max_share = config->max_share,
		.percent_steps = config->has_agent_check,
		.agent_check_only = !config->has_socket,
		.backends = config->backends,
		.n_backends = config->n_backends,
	};
}

static struct hastate_server server_of(const struct config_server *server)
{
	return (struct hastate_server){
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

static size_t count_servers(const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_services; i++)
		n += config->services[i].n_servers;
	return n;
}

bool settings_snapshot(const struct config *config, struct hastate_snapshot *out)
{
	struct hastate_snapshot snapshot = {.n_backends = config->n_services};
	size_t n = 0;

	snapshot.backends = calloc(config->n_services + 1, sizeof(*snapshot.backends));
	snapshot.servers = calloc(count_servers(config) + 1, sizeof(*snapshot.servers));
	if (!snapshot.backends || !snapshot.servers) {
		hastate_fini(&snapshot);
		return false;
	}
	for (size_t i = 0; i < config->n_services; i++) {
		const struct config_service *service = &config->services[i];

		snapshot.backends[i] = (struct hastate_backend){
			.name = service->name,
			.algo = "",
			.servers = &snapshot.servers[n],
			.n_servers = service->n_servers,
		};
		for (size_t s = 0; s < service->n_servers; s++)
			snapshot.servers[n++] = server_of(&service->servers[s]);
	}
	*out = snapshot;
	return true;
}
