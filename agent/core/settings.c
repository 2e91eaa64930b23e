/* SPDX-License-Identifier: MIT */
#include "core/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/steer/tempo.h"

_Static_assert((int)CONFIG_AUTO_MS == (int)TEMPO_CALM_MS, "what auto means is known to both");

/* The entry that all backends fit, or NULL. */
static const struct config_backend *find_any(const struct config *config)
{
	for (size_t i = 0; i < config->n_backends; i++) {
		if (strcmp(config->backends[i].name, "*") == 0)
			return &config->backends[i];
	}
	return NULL;
}

/* Sources are the top level's, then those of backends, services and Services in Kubernetes. */
const struct config_metric *settings_metric(const struct config *config, unsigned index)
{
	const struct config_backend *any = find_any(config);

	if (index >= 1 && index <= config->n_backends)
		return &config->backends[index - 1].metric;
	if (index > config->n_backends && index - config->n_backends <= config->n_services)
		return &config->services[index - config->n_backends - 1].metric;
	return index > 0 && any ? &any->metric : &config->metric;
}

unsigned settings_n_sources(const struct config *config)
{
	return (unsigned)(1 + config->n_backends + config->n_services + config->n_kubernetes);
}

bool settings_sends_headers(const struct config *config, unsigned index)
{
	if (index >= 1 && index <= config->n_backends)
		return strcmp(config->backends[index - 1].name, "*") != 0;
	return index > 0;
}

/* The backend is in haproxy.backends, by its name or a pattern of some. */
static bool is_named(const struct config *config, const char *backend)
{
	for (size_t i = 0; i < config->n_backends; i++) {
		const char *name = config->backends[i].name;

		if (strcmp(name, "*") != 0 && text_matches(name, backend))
			return true;
	}
	return false;
}

/* Whatever makes two counts of one address different counts. */
static bool source_of(const struct config *config, unsigned index, struct pod_source *out)
{
	const struct config_metric *metric = settings_metric(config, index);
	char *identity = NULL;

	bool bare = metric->n_headers > 0 && !settings_sends_headers(config, index);

	if (asprintf(&identity, "%s %s %s %s%s", metric->scheme == CONFIG_HTTPS ? "https" : "http",
		    metric->path, metric_format_name(metric->query.format), metric->key,
		    bare ? " without headers" : "") < 0)
		return false;
	*out = (struct pod_source){
		.identity = identity,
		.port = metric->port == CONFIG_OWN_PORT ? 0 : (uint16_t)metric->port,
		.index = index,
	};
	return true;
}

static bool add_source(
	const struct config *config, unsigned index, const char *name, struct selection *selection)
{
	struct selection_source source = {.pattern = strdup(name)};

	if (!source.pattern || !source_of(config, index, &source.source)) {
		free(source.pattern);
		return false;
	}
	selection->sources[selection->n_sources++] = source;
	return true;
}

static bool fill_selection(const struct config *config, struct selection *selection)
{
	unsigned index = 0;

	selection->backends = calloc(config->n_backends + 1, sizeof(*selection->backends));
	selection->sources = calloc(settings_n_sources(config), sizeof(*selection->sources));
	if (!selection->backends || !selection->sources ||
		!source_of(config, index++, &selection->source))
		return false;
	for (size_t i = 0; i < config->n_backends; i++) {
		char *name = strdup(config->backends[i].name);

		if (!name)
			return false;
		selection->backends[selection->n_backends++] = name;
		if (!add_source(config, index++, name, selection))
			return false;
	}
	for (size_t i = 0; i < config->n_services; i++) {
		if (!add_source(config, index++, config->services[i].name, selection))
			return false;
	}
	for (size_t i = 0; i < config->n_kubernetes; i++, index++) {
		const char *backend = config->kubernetes[i].backend;

		if (!is_named(config, backend) && !add_source(config, index, backend, selection))
			return false;
	}
	return true;
}

/* A backend that is named somewhere is asked whatever it speaks. */
static bool fill_named(const struct config *config, struct selection *selection)
{
	selection->named =
		calloc(config->n_kubernetes + config->n_services + 1, sizeof(*selection->named));
	if (!selection->named)
		return false;
	for (size_t i = 0; i < config->n_kubernetes + config->n_services; i++) {
		const char *name = i < config->n_kubernetes
					   ? config->kubernetes[i].backend
					   : config->services[i - config->n_kubernetes].name;

		selection->named[i] = strdup(name);
		if (!selection->named[i])
			return false;
		selection->n_named++;
	}
	return true;
}

static bool add_own(const struct config_endpoint *endpoint, struct selection *selection)
{
	const char *host = endpoint->host;
	struct selection_own *own = &selection->own[selection->n_own];

	if (!host)
		return true;
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
		host = "*";
	own->address = strdup(host);
	own->port = endpoint->port;
	selection->n_own += own->address != NULL;
	return own->address;
}

static bool fill_own(const struct config *config, struct selection *selection)
{
	selection->own = calloc(2, sizeof(*selection->own));
	return selection->own && add_own(&config->listen, selection) &&
	       add_own(&config->agent_check, selection);
}

bool settings_for_cluster(
	const struct config *config, unsigned counted, struct cluster_settings *out)
{
	struct cluster_settings settings = {
		.replicas = counted > 0 ? counted : config->replicas,
		.replicas_counted = counted > 0,
		.poll_interval_ms = config->poll_interval_ms,
		.cache_ttl_ms = config->cache_ttl_ms,
		.ramp_ms = config->ramp_ms,
		.max_share = config->max_share,
		.capacity_max = config->capacity_max,
		.percent_steps = config->has_agent_check,
		.agent_check_only = !config->has_socket,
	};

	if (!text_copy_list(config->peers, config->n_peers, &settings.peers, &settings.n_peers) ||
		!fill_selection(config, &settings.selection) ||
		!fill_named(config, &settings.selection) ||
		!fill_own(config, &settings.selection)) {
		cluster_settings_fini(&settings);
		return false;
	}
	*out = settings;
	return true;
}

static struct hastate_server server_of(const struct config_server *server)
{
	return (struct hastate_server){
		.name = server->name,
		.address = server->address.host,
		.port = server->address.port,
		.port_is_sure = true,
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
