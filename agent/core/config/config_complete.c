/* SPDX-License-Identifier: MIT */
#include "core/config/config_complete.h"

#include <string.h>

#include "core/config/config.h"

bool config_complete_root(void *out)
{
	struct config *config = out;

	config->has_socket = config->socket.path || config->socket.host;
	config->has_agent_check = config->agent_check.host;
	if (config->poll_timeout_ms == 0) {
		config->poll_timeout_ms = CONFIG_POLL_TIMEOUT_MS;
		if (config->poll_interval_ms > 0 &&
			config->poll_interval_ms < CONFIG_POLL_TIMEOUT_MS)
			config->poll_timeout_ms = config->poll_interval_ms;
	}
	return true;
}

bool config_complete_kubernetes(void *out)
{
	struct config_kubernetes *entry = out;

	if (!entry->backend)
		entry->backend = strdup(entry->service.name);
	return entry->backend;
}
