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

static bool make_runtime(const struct components *old, struct components *made)
{
	const struct config *config = made->config;

	if (!config->has_socket)
		return true;
	made->runtime = old->runtime && is_same_endpoint(&config->socket, &old->config->socket)
				? old->runtime
				: runtime_new(made->loop, &config->socket);
	if (!made->runtime)
		log_error("out of memory", LOG_NONE);
	return made->runtime != NULL;
}

static bool make_poller(const struct components_callbacks *callbacks, struct components *made)
{
	made->poller = poller_new(made->loop, made->config, callbacks->answer, callbacks->arg);
	if (!made->poller)
		log_error("out of memory", LOG_NONE);
	return made->poller != NULL;
}

static bool make_discovery(const struct components *old,
	const struct components_callbacks *callbacks, struct components *made)
{
	const struct config *config = made->config;

	if (!discovery_is_wanted(config))
		return true;
	made->discovery =
		old->discovery && discovery_is_same(config, old->config)
			? old->discovery
			: discovery_new(made->loop, config, callbacks->discovered, callbacks->arg);
	return made->discovery != NULL;
}

static bool make_recorder(const struct components *old, struct components *made)
{
	const struct config *config = made->config;

	if (!config->record)
		return true;
	if (old->recorder && text_is_same(config->record, old->config->record) &&
		config->record_max_bytes == old->config->record_max_bytes)
		made->recorder = old->recorder;
	else
		made->recorder = recorder_new(
			made->loop, config->record, config->record_max_bytes, made->stats);
	return made->recorder != NULL;
}

static bool make_agentcheckd(const struct components *old, struct components *made)
{
	const struct config *config = made->config;

	if (!config->has_agent_check)
		return true;
	if (made->dry_run) {
		log_info("a dry run answers no agent-checks", LOG_NONE);
		return true;
	}
	made->agentcheckd = old->agentcheckd && is_same_endpoint(&config->agent_check,
							&old->config->agent_check)
				    ? old->agentcheckd
				    : agentcheckd_new(made->loop, &config->agent_check,
					      made->cluster, made->stats);
	return made->agentcheckd != NULL;
}

bool components_make(const struct components *old, struct config *config,
	const struct components_callbacks *callbacks, struct components *made)
{
	*made = (struct components){
		.loop = old->loop,
		.cluster = old->cluster,
		.stats = old->stats,
		.readiness = old->readiness,
		.dry_run = old->dry_run,
		.config = config,
	};
	return make_poller(callbacks, made) && make_runtime(old, made) &&
	       make_discovery(old, callbacks, made) && make_recorder(old, made) &&
	       make_agentcheckd(old, made);
}

void components_free(struct components *components, const struct components *kept)
{
	poller_free(components->poller);
	if (components->runtime != kept->runtime)
		runtime_free(components->runtime);
	if (components->agentcheckd != kept->agentcheckd)
		agentcheckd_free(components->agentcheckd);
	if (components->discovery != kept->discovery)
		discovery_free(components->discovery);
	if (components->recorder != kept->recorder)
		recorder_free(components->recorder);
	config_fini(components->config);
	free(components->config);
	components->config = NULL;
	components->runtime = NULL;
	components->poller = NULL;
	components->agentcheckd = NULL;
	components->discovery = NULL;
	components->recorder = NULL;
}
