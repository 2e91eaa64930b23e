/* SPDX-License-Identifier: MIT */
/* From the configuration's keys to the planner's settings. */
#include "core/settings.h"

struct cluster_params settings_of(const struct config *config, unsigned counted)
{
	return (struct cluster_params){
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
