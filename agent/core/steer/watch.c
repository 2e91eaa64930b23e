/* SPDX-License-Identifier: MIT */
#include "core/steer/watch.h"

#include <math.h>

#include "core/cluster/server.h"

/* A pod is favoured whose part of all weights is more than so many times that of the configured
 * ones. Where a third of all pods stand back, since another door fills them, no other is, though
 * the others need not be quite alike (half more would be the limit if they were): a burst of new
 * clients is to go past those. */
static const double FAVOURED = 1.6;

/* What comes beyond the expected by chance: so many connections, and so many times the square
 * root. */
static const double CHANCE_MIN = 3.0;
static const double CHANCE = 4.0;

static bool takes_part(const struct server *server)
{
	return server->plan.made && server->plan.weight > 0;
}

static bool favours(const struct backend *backend)
{
	double weights = 0.0;
	double configured = 0.0;
	double most = 0.0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];

		if (!takes_part(server) || server->haproxy.iweight <= 0)
			continue;
		if (server->plan.result.share_limit < 1.0)
			return false;
		weights += server->plan.weight;
		configured += server->haproxy.iweight;
		most = fmax(most, (double)server->plan.weight / server->haproxy.iweight);
	}
	return most * configured > FAVOURED * weights;
}

void watch_begin(struct backend *backend)
{
	struct backend_watch *watch = &backend->watch;
	bool on = backend->planned && backend->mode == BACKEND_STOCK && favours(backend);

	/* It goes on from the last look. */
	watch->primed = watch->primed && watch->on && on;
	watch->on = on;
	watch->overtaken = false;
	watch->base = watch->total;
	watch->base_ms = watch->seen_ms;
}

/* Since the last look at which no more had come than was expected: what was quiet before does not
 * make up for it. */
static bool is_overtaken(struct backend *backend)
{
	struct backend_watch *watch = &backend->watch;
	double expected =
		backend->arrivals.per_second * (double)(watch->seen_ms - watch->base_ms) / 1000.0;
	double beyond = (double)(watch->total - watch->base) - expected;

	if (beyond <= 0.0) {
		watch->base = watch->total;
		watch->base_ms = watch->seen_ms;
	}
	return beyond > CHANCE * sqrt(expected) + CHANCE_MIN;
}

bool watch_see(struct backend *backend, uint64_t total, int64_t now_ms)
{
	struct backend_watch *watch = &backend->watch;

	if (!watch->on)
		return false;
	/* Another process begins at 0, with the configured weights. */
	if (!watch->primed || total < watch->total) {
		watch->base = total;
		watch->base_ms = now_ms;
	}
	watch->primed = true;
	watch->total = total;
	watch->seen_ms = now_ms;
	if (watch->overtaken || !is_overtaken(backend))
		return false;
	watch->overtaken = true;
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];

		if (takes_part(server))
			server->plan.weight = server->haproxy.iweight;
	}
	return true;
}
