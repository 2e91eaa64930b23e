/* SPDX-License-Identifier: MIT */
#include "core/kube/slots_adopt.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/kube/slicestore.h"

static bool is_in_use(const struct hastate_server *server)
{
	return !server->backup && !server->fqdn[0] && server->address[0] && server->port > 0 &&
	       (server->admin_state & HASTATE_ADMIN_MAINT) == 0;
}

static struct endpoint pod_of(const struct hastate_server *server)
{
	struct endpoint pod = {
		.port = server->port,
		.state = (server->admin_state & HASTATE_ADMIN_DRAIN) ? ENDPOINT_UNREADY
								     : ENDPOINT_READY,
	};

	snprintf(pod.address, sizeof(pod.address), "%s", server->address);
	return pod;
}

bool slots_adopt(const struct hastate_backend *backend, struct endpoint **out, size_t *n)
{
	struct endpoint *pods;
	size_t used = 0;

	for (size_t i = 0; i < backend->n_servers; i++)
		used += is_in_use(&backend->servers[i]);
	if (used == 0) {
		*out = NULL;
		*n = 0;
		return true;
	}
	pods = calloc(used, sizeof(*pods));
	if (!pods)
		return false;
	used = 0;
	for (size_t i = 0; i < backend->n_servers; i++) {
		if (is_in_use(&backend->servers[i]))
			pods[used++] = pod_of(&backend->servers[i]);
	}
	*n = slicestore_unite(pods, used);
	*out = pods;
	return true;
}
