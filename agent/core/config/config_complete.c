/* SPDX-License-Identifier: MIT */
#include "core/config/config_complete.h"

#include <string.h>

#include "core/config/config.h"

bool config_complete_root(void *out)
{
	struct config *config = out;

	config->has_socket = config->socket.path || config->socket.host;
	config->has_agent_check = config->agent_check.host;
	return true;
}

bool config_complete_kubernetes(void *out)
{
	struct config_kubernetes *entry = out;

	if (!entry->backend)
		entry->backend = strdup(entry->service.name);
	return entry->backend;
}
