/* SPDX-License-Identifier: MIT */
#include "core/record/record.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "core/steer/tempo.h"

static bool is_planned(const struct server *server)
{
	return server->plan.made && server->pod;
}

/* How many backends and servers there are at most. */
static size_t count_servers(const struct backend *const *backends, size_t n_backends)
{
	size_t n = 0;

	for (size_t i = 0; i < n_backends; i++)
		n += backends[i]->n_servers;
	return n;
}

static void add_backend(const struct backend *backend, struct record *record)
{
	struct record_backend *to = &record->backends[record->n_backends++];

	*to = (struct record_backend){
		.name = backend->name,
		.algo = backend->algo,
		.interval_ms = tempo_interval_ms(&record->settings, backend),
		.arrivals_per_s = backend->arrivals.per_second,
		.growth_per_s = backend->growth.per_second,
		.closing = lives_closing(&backend->lives),
		.level = backend->summary.level,
		.imbalance = backend->summary.imbalance,
		.fallback = backend->summary.fallback,
		.servers = &record->servers[record->n_servers],
	};
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];

		if (!is_planned(server))
			continue;
		to->servers[to->n_servers++] = (struct record_server){
			.name = server->name,
			.address = server->pod->key,
			.input = server->plan.input,
			.plan = server->plan.result,
			.weight = server->plan.weight,
			.haproxy_weight = server->haproxy.uweight,
		};
	}
	record->n_servers += to->n_servers;
}

bool record_from(const struct cluster *cluster, int64_t now_ms, int64_t wall_ms, struct record *out)
{
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(cluster, &n_backends);
	struct record record = {
		.wall_ms = wall_ms,
		.now_ms = now_ms,
		.settings = *cluster_settings(cluster),
		.backends = calloc(n_backends + 1, sizeof(*record.backends)),
		.servers = calloc(count_servers(backends, n_backends) + 1, sizeof(*record.servers)),
	};

	record.settings.selection = (struct selection){.backends = NULL};
	if (!record.backends || !record.servers) {
		record_fini(&record);
		return false;
	}
	for (size_t i = 0; i < n_backends; i++) {
		if (backends[i]->planned)
			add_backend(backends[i], &record);
	}
	*out = record;
	return true;
}

void record_fini(struct record *record)
{
	free(record->backends);
	free(record->servers);
	json_object_put(record->names);
	*record = (struct record){.n_backends = 0};
}
