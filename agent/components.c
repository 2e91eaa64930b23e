/* SPDX-License-Identifier: MIT */
/* Making and keeping what a configuration needs. */
#include "components.h"

#include <stdlib.h>

#include "core/base/text.h"
#include "io/log.h"

static bool is_same_endpoint(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return text_is_same(a->path, b->path) && text_is_same(a->host, b->host) &&
	       a->port == b->port;
}

static bool make_runtime(const struct components_needs *needs, const struct components *old,
	struct components *parts)
{
	const struct config *config = parts->config;

	if (!config->has_socket)
		return true;
	parts->runtime = old->runtime && is_same_endpoint(&config->socket, &old->config->socket)
				 ? old->runtime
				 : runtime_new(needs->loop, &config->socket);
	if (!parts->runtime)
		log_error("out of memory", LOG_NONE);
	return parts->runtime != NULL;
}

static bool make_poller(const struct components_needs *needs, struct components *parts)
{
	parts->poller = poller_new(needs->loop, parts->config, needs->answer, needs->arg);
	if (!parts->poller)
		log_error("out of memory", LOG_NONE);
	return parts->poller != NULL;
}

static bool make_discovery(const struct components_needs *needs, const struct components *old,
	struct components *parts)
{
	const struct config *config = parts->config;

	if (!discovery_is_wanted(config))
		return true;
	parts->discovery =
		old->discovery && discovery_is_same(config, old->config)
			? old->discovery
			: discovery_new(needs->loop, config, needs->discovered, needs->arg);
	return parts->discovery != NULL;
}

static bool make_recorder(const struct components_needs *needs, const struct components *old,
	struct components *parts)
{
	const struct config *config = parts->config;

	if (!config->record)
		return true;
	if (old->recorder && text_is_same(config->record, old->config->record) &&
		config->record_max_bytes == old->config->record_max_bytes)
		parts->recorder = old->recorder;
	else
		parts->recorder = recorder_new(
			needs->loop, config->record, config->record_max_bytes, needs->stats);
	return parts->recorder != NULL;
}

static bool make_agentcheckd(const struct components_needs *needs, const struct components *old,
	struct components *parts)
{
	const struct config *config = parts->config;

	if (!config->has_agent_check)
		return true;
	if (needs->dry_run) {
		log_info("a dry run answers no agent-checks", LOG_NONE);
		return true;
	}
	parts->agentcheckd = old->agentcheckd && is_same_endpoint(&config->agent_check,
							 &old->config->agent_check)
				     ? old->agentcheckd
				     : agentcheckd_new(needs->loop, &config->agent_check,
					       needs->cluster, needs->stats);
	return parts->agentcheckd != NULL;
}

bool components_make(const struct components_needs *needs, const struct components *old,
	struct components *parts)
{
	return make_poller(needs, parts) && make_runtime(needs, old, parts) &&
	       make_discovery(needs, old, parts) && make_recorder(needs, old, parts) &&
	       make_agentcheckd(needs, old, parts);
}

void components_free(
	struct components *parts, const struct components *kept, struct cluster *cluster)
{
	if (parts->poller)
		poller_drop_all(parts->poller, cluster);
	poller_free(parts->poller);
	if (parts->runtime != kept->runtime)
		runtime_free(parts->runtime);
	if (parts->agentcheckd != kept->agentcheckd)
		agentcheckd_free(parts->agentcheckd);
	if (parts->discovery != kept->discovery)
		discovery_free(parts->discovery);
	if (parts->recorder != kept->recorder)
		recorder_free(parts->recorder);
	config_fini(parts->config);
	free(parts->config);
	*parts = (struct components){.config = NULL};
}
