/* SPDX-License-Identifier: MIT */
#include "core/steer/watch.h"

#include <math.h>

#include "core/cluster/server.h"
#include "core/steer/percent.h"

/* A pod is favoured whose part of all weights is more than so many times its part of all
 * capacities. Where a third of all pods stand back, since another door fills them, no other is,
 * though the others need not be quite alike (half more would be the limit if they were): a burst of
 * new clients is to go past those. */
static const double FAVOURED = 1.6;

/* What old workers hold can come back at once: of all connections, the part that is worth a watch.
 */
static const double LEFT_PART = 0.1;

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
	double capacities = 0.0;
	double most = 0.0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];

		if (!takes_part(server) || server->haproxy.iweight <= 0)
			continue;
		if (server->plan.result.share_limit < 1.0)
			return false;
		weights += server->plan.weight;
		capacities += server->plan.input.capacity;
		most = fmax(most, server->plan.weight / server->plan.input.capacity);
	}
	return most * capacities > FAVOURED * weights;
}

/* Weights by capacity alone: the configured ones where no pod tells its capacity. */
static void make_even(struct backend *backend)
{
	double most = 0.0;
	bool told = false;

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];

		if (!takes_part(server))
			continue;
		most = fmax(most, server->plan.input.capacity);
		told = told || server->plan.input.told > 0.0;
	}
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];
		double weight = server->plan.input.capacity / most * PLANNER_WEIGHT_MAX;

		if (!takes_part(server))
			continue;
		server->plan.weight = server->haproxy.iweight;
		if (told)
			server->plan.weight = percent_reachable(
				server->haproxy.iweight, (int)fmax(1.0, weight + 0.5));
	}
}

/* Old workers of this HAProxy hold much of what it and they have. */
static bool is_threatened(const struct backend *backend)
{
	double own = 0.0;
	double left = 0.0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		own += backend->servers[i]->sessions.own;
		left += backend->servers[i]->sessions.left;
	}
	return left > LEFT_PART * (own + left);
}

void watch_begin(struct backend *backend)
{
	struct backend_watch *watch = &backend->watch;
	bool on = backend->planned && backend->mode == BACKEND_STOCK && is_threatened(backend) &&
		  favours(backend);

	/* It goes on from the last look. */
	watch->primed = watch->primed && watch->on && on;
	watch->on = on;
	watch->overtaken = false;
	watch->base = watch->sessions;
	watch->base_ms = watch->seen_ms;
}

/* Since the last look at which no more had come than was expected: what was quiet before does not
 * make up for it. */
static bool is_overtaken(struct backend *backend)
{
	struct backend_watch *watch = &backend->watch;
	double span_s = (double)(watch->seen_ms - watch->base_ms) / 1000.0;
	double expected = fmax(0.0, backend->growth.per_second) * span_s;
	double beyond = (double)watch->sessions - (double)watch->base - expected;

	if (beyond <= 0.0) {
		watch->base = watch->sessions;
		watch->base_ms = watch->seen_ms;
	}
	return beyond > CHANCE * sqrt(backend->arrivals.per_second * span_s) + CHANCE_MIN;
}

bool watch_see(struct backend *backend, uint64_t sessions, int64_t now_ms)
{
	struct backend_watch *watch = &backend->watch;

	if (!watch->on)
		return false;
	if (!watch->primed) {
		watch->base = sessions;
		watch->base_ms = now_ms;
	}
	watch->primed = true;
	watch->sessions = sessions;
	watch->seen_ms = now_ms;
	if (watch->overtaken || !is_overtaken(backend))
		return false;
	watch->overtaken = true;
	make_even(backend);
	return true;
}
