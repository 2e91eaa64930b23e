/* SPDX-License-Identifier: MIT */
#include "core/cluster/instances.h"

enum {
	OWN_MIN = 50,     /* sessions that must stand before anything is said */
	ROUNDS_MIN = 100, /* in a row */
};

/* By how many instances the two numbers may miss replicas. */
static const double SLACK = 0.5;

struct instances_seen instances_see(const struct cluster *cluster)
{
	struct instances_seen seen = {.own = 0};
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);

	for (size_t b = 0; b < n; b++) {
		for (size_t s = 0; s < backends[b]->n_servers; s++) {
			const struct server *server = backends[b]->servers[s];

			/* A pod of several servers would count once for each. */
			if (!server->pod || !server->pod->heard || server->pod->n_servers > 1 ||
				!server_is_polled(server))
				continue;
			seen.own += server->sessions.own;
			seen.all += server->pod->metric.count;
		}
	}
	return seen;
}

enum instances_fit instances_judge(const struct instances_seen *seen, unsigned replicas)
{
	double times = seen->own > 0 ? (double)seen->all / (double)seen->own : 0.0;

	if (seen->own < OWN_MIN)
		return INSTANCES_UNSURE;
	if (times < (double)replicas - SLACK)
		return INSTANCES_FEWER;
	return times > (double)replicas + SLACK ? INSTANCES_MORE : INSTANCES_FIT;
}

enum instances_fit instances_update(struct instances *instances, const struct instances_seen *seen,
	unsigned replicas, bool settled)
{
	enum instances_fit fit = instances_judge(seen, replicas);

	if (fit == INSTANCES_MORE && !settled)
		fit = INSTANCES_UNSURE;
	instances->n_last = fit == instances->last ? instances->n_last + 1 : 1;
	instances->last = fit;
	if (instances->said || instances->n_last < ROUNDS_MIN ||
		(fit != INSTANCES_FEWER && fit != INSTANCES_MORE))
		return INSTANCES_FIT;
	instances->said = true;
	return fit;
}
