/* SPDX-License-Identifier: MIT */
#include "core/steer/tempo.h"

#include <math.h>
#include <stddef.h>

/* A pod that lacks this part of what it should have, and more than chance makes, so many times the
 * square root, is a sign of a rush. */
static const double RUSH_PART = 0.1;
static const double RUSH_CHANCE = 2.0;

int64_t tempo_interval_ms(const struct cluster_settings *settings, const struct backend *backend)
{
	if (settings->poll_interval_ms > 0)
		return settings->poll_interval_ms;
	return backend->every_ms > 0 ? backend->every_ms : TEMPO_CALM_MS;
}

int64_t tempo_round_ms(const struct cluster *cluster)
{
	const struct cluster_settings *settings = cluster_settings(cluster);
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(cluster, &n_backends);
	int64_t least_ms =
		settings->poll_interval_ms > 0 ? settings->poll_interval_ms : TEMPO_CALM_MS;

	for (size_t i = 0; i < n_backends; i++) {
		int64_t every_ms = tempo_interval_ms(settings, backends[i]);

		least_ms = every_ms < least_ms ? every_ms : least_ms;
	}
	return least_ms;
}

bool tempo_is_due(const struct cluster *cluster, const struct backend *backend, int64_t now_ms)
{
	/* The round that is nearest to the moment. */
	return now_ms >= backend->due_ms - tempo_round_ms(cluster) / 2;
}

static bool lacks_much(const struct server *server)
{
	const struct planner_result *result = &server->plan.result;
	double should = result->count + result->deficit;

	return server->plan.made && plan_is_known(result) && result->deficit > RUSH_PART * should &&
	       result->deficit > RUSH_CHANCE * sqrt(fmax(0.0, should));
}

static bool is_rush(struct backend *backend, int64_t now_ms)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		if (lacks_much(backend->servers[i]))
			backend->rush_ms = now_ms;
	}
	return backend->rush_ms > 0 && now_ms - backend->rush_ms <= TEMPO_RUSH_MS;
}

/* What the choice depends on, over all backends. */
struct load {
	double asked;     /* questions a second, were all pods asked fast */
	size_t n_servers; /* that HAProxy tells of */
};

static struct load load_of(const struct cluster *cluster)
{
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(cluster, &n_backends);
	struct load load = {.n_servers = 0};
	double n_pods = 0.0;

	for (size_t b = 0; b < n_backends; b++) {
		load.n_servers += backends[b]->n_servers;
		for (size_t i = 0; i < backends[b]->n_servers; i++) {
			const struct pod *pod = backends[b]->servers[i]->pod;

			/* A pod of several servers is asked once. */
			if (pod && pod->wanted)
				n_pods += 1.0 / (double)pod->n_servers;
		}
	}
	load.asked = n_pods * (double)cluster_settings(cluster)->replicas * 1000.0 / TEMPO_FAST_MS;
	return load;
}

static int64_t choose(struct backend *backend, const struct load *load, int64_t now_ms)
{
	bool rush = is_rush(backend, now_ms);

	if (load->n_servers > TEMPO_SERVERS_MAX)
		return TEMPO_CALM_MS;
	return load->asked <= TEMPO_ASKED_MAX || rush ? TEMPO_FAST_MS : TEMPO_CALM_MS;
}

/* A pod that several backends share is asked as often as the one that wants it most. */
static void set_pods(const struct backend *backend, int64_t every_ms)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct pod *pod = backend->servers[i]->pod;

		if (!pod || (pod->every_ms > 0 && pod->every_ms <= every_ms))
			continue;
		pod->every_ms = every_ms;
		pod->due_ms = backend->due_ms;
	}
}

void tempo_update(struct cluster *cluster, int64_t now_ms)
{
	const struct cluster_settings *settings = cluster_settings(cluster);
	size_t n_backends;
	struct backend *const *backends = cluster_edit_backends(cluster, &n_backends);
	size_t n_pods;
	struct pod *const *pods = cluster_edit_pods(cluster, &n_pods);
	struct load load = load_of(cluster);
	bool planned;

	for (size_t i = 0; i < n_pods; i++)
		pods[i]->every_ms = 0;
	for (size_t i = 0; i < n_backends; i++) {
		struct backend *backend = backends[i];
		int64_t every_ms = settings->poll_interval_ms > 0 ? settings->poll_interval_ms
								  : choose(backend, &load, now_ms);

		/* Its turn was now, or what was chosen before is too long by what is known now. */
		planned = backend->planned_ms == now_ms || tempo_is_due(cluster, backend, now_ms);
		if (planned || backend->due_ms > now_ms + every_ms)
			backend->due_ms = now_ms + every_ms;
		backend->every_ms = every_ms;
		set_pods(backend, every_ms);
	}
}
