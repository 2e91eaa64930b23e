/* SPDX-License-Identifier: MIT */
/* Sums over the servers of a pod, and parts. */
#include "core/cluster/sharing.h"

#include <math.h>
#include <stdbool.h>

#include "core/cluster/backend.h"
#include "core/cluster/pod.h"
#include "core/cluster/server.h"

/* A connection that is gone after so long was none that a pod's count could be corrected with. */
static const double STAYS_S = 1.0;

/* The least part of an equal one. */
static const double PART_MIN = 0.1;

static void clear(const struct backend *backend)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct pod *pod = backend->servers[i]->pod;

		if (!pod)
			continue;
		pod->sharing.n_servers = 0;
		pod->sharing.own = 0;
		pod->sharing.own_before = 0;
		pod->sharing.own_then = 0.0;
		pod->sharing.left = 0.0;
		pod->sharing.turnover = 0.0;
		pod->sharing.weights = 0.0;
		pod->sharing.backend = NULL;
	}
}

/* Connections that come to the backend and stay, a second. */
static double staying(const struct backend *backend)
{
	double rate = backend->arrivals.per_second;
	double own = 0.0;

	for (size_t i = 0; i < backend->n_servers; i++)
		own += (double)backend->servers[i]->sessions.own;
	/* own / rate is how long they live. */
	return own > 0.0 ? rate * exp(-rate * STAYS_S / own) : 0.0;
}

static bool counts(const struct server *server)
{
	return server->pod && server->state == SERVER_STEERED;
}

static void add_up(const struct backend *backend)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];
		const struct sessions *sessions = &server->sessions;
		struct pod_sharing *sharing;

		if (!counts(server))
			continue;
		sharing = &server->pod->sharing;
		sharing->n_servers++;
		sharing->own += sessions->own;
		sharing->own_before += sessions->own_before;
		sharing->own_then += sessions->own_then;
		sharing->left += sessions->left;
		sharing->turnover += sessions->turnover;
		sharing->part = sessions->part_then;
	}
}

/* Each server's part of its backend's, for now; each pod's sum of backends' weights. */
static void divide_lines(const struct backend *backend, double weight)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];
		struct pod_sharing *sharing;

		if (!counts(server))
			continue;
		sharing = &server->pod->sharing;
		if (sharing->backend != backend) {
			sharing->backend = backend;
			sharing->lines = 0.0;
			sharing->weights += weight;
		}
		sharing->lines += (double)server->haproxy.iweight;
	}
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];

		if (!counts(server))
			continue;
		server->line = (double)server->haproxy.iweight / server->pod->sharing.lines;
		server->part = weight * server->line;
	}
}

static void update_others(const struct server *server, unsigned replicas)
{
	struct pod *pod = server->pod;
	const struct sessions *sessions = &server->sessions;
	struct pod_sharing *sharing = &pod->sharing;
	struct others_reading reading = {
		.replicas = replicas,
		.stock = server->backend->mode == BACKEND_STOCK,
		.count = pod->metric.count,
		.own_before = (uint32_t)sharing->own_before,
		.own = (uint32_t)sharing->own,
		.own_then = sharing->own_then,
		.part = sharing->part,
		.turnover = sharing->turnover,
	};

	if (sharing->worker != sessions->worker || sharing->n_then != sharing->n_servers)
		sharing->others = (struct others){.known = false};
	sharing->worker = sessions->worker;
	sharing->n_then = sharing->n_servers;
	if (!pod->heard || sessions->own_then_ms != pod->counted.ms ||
		sharing->counted_ms == pod->counted.ms)
		return;
	sharing->counted_ms = pod->counted.ms;
	others_update(&sharing->others, &reading);
}

static void finish(const struct backend *backend, unsigned replicas)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];

		if (!counts(server))
			continue;
		if (server->pod->sharing.n_servers == 1) {
			server->part = 1.0;
			continue;
		}
		server->part = fmin(1.0, server->part / server->pod->sharing.weights);
		update_others(server, replicas);
	}
}

void sharing_update(struct backend *const *backends, size_t n_backends, unsigned replicas)
{
	double mean = 0.0;

	for (size_t i = 0; i < n_backends; i++) {
		clear(backends[i]);
		mean += staying(backends[i]) / (double)n_backends;
	}
	for (size_t i = 0; i < n_backends; i++) {
		double weight = fmax(staying(backends[i]), PART_MIN * mean);

		add_up(backends[i]);
		divide_lines(backends[i], weight > 0.0 ? weight : 1.0);
	}
	for (size_t i = 0; i < n_backends; i++)
		finish(backends[i], replicas);
}
