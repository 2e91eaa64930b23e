/* SPDX-License-Identifier: MIT */
#include "core/cluster/asking.h"

#include "core/cluster/backend.h"
#include "core/cluster/pod.h"
#include "core/cluster/server.h"

/* NULL: it is not asked. */
static struct pod *polled_pod(const struct server *server)
{
	return server_is_polled(server) ? server->pod : NULL;
}

bool asking_is_doubtful(const struct server *server)
{
	const struct pod *pod = polled_pod(server);

	return pod && !server->haproxy.port_is_sure && !pod->heard &&
	       pod->n_strange >= ASKING_UNSURE_MAX;
}

static bool is_stranger(const struct backend *backend)
{
	unsigned n_polled = 0;
	unsigned n_strange = 0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct pod *pod = polled_pod(backend->servers[i]);

		if (!pod)
			continue;
		if (pod->heard)
			return false;
		n_polled++;
		n_strange += pod->n_strange >= ASKING_STRANGE_MAX ||
			     asking_is_doubtful(backend->servers[i]);
	}
	return n_polled > 0 && (n_strange == n_polled || n_strange >= ASKING_PODS_MAX);
}

/* The pod whose turn it is, of n. */
static void want_one(struct backend *backend, unsigned n, int64_t now_ms)
{
	struct backend_asking *asking = &backend->asking;
	unsigned place = 0;

	if (now_ms - asking->turn_ms >= ASKING_QUIET_MS) {
		asking->turn_ms = now_ms;
		asking->turn++;
	}
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];

		if (server_is_polled(server) && place++ == asking->turn % n &&
			server->pod->polled_ms < asking->turn_ms)
			server->pod->wanted = true;
	}
}

void asking_update(struct backend *backend, bool named, bool news, int64_t now_ms)
{
	struct backend_asking *asking = &backend->asking;
	unsigned n = 0;
	bool was_quiet = asking->quiet;

	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];

		n += server_is_polled(server);
		if (news && server->pod)
			server->pod->n_strange = 0;
	}
	asking->quiet = !named && is_stranger(backend);
	if (asking->quiet && !was_quiet)
		asking->turn_ms = now_ms;
	if (asking->quiet) {
		want_one(backend, n, now_ms);
		return;
	}
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct pod *pod = polled_pod(backend->servers[i]);

		if (pod && (named || !asking_is_doubtful(backend->servers[i]) ||
				   now_ms - pod->polled_ms >= ASKING_QUIET_MS))
			pod->wanted = true;
	}
}
