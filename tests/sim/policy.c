/* SPDX-License-Identifier: MIT */
/* How connections find their pod. */
#include <math.h>

#include "world.h"

/*
 * What could be done with polled counts if weights were no matter: every connection to the pod that
 * has fewest as far as the instance knows, with its own connections counted at once, and each as
 * one from every other instance too.
 */
static int choose_informed(const struct world *world, const struct instance *instance)
{
	double least = (double)INFINITY;
	int server = LB_NONE;

	for (size_t i = 0; i < world->n_servers; i++) {
		const struct server *known = instance->agent->servers[i];
		double own = instance->lb[0]->served[i];
		double count = own * world->n_instances;
		double since =
			known ? instance->lb[0]->taken[i] - (double)known->sessions.total : 0.0;

		if (known && known->sessions.others.known)
			count = known->sessions.others.count + own;

		double height = (count + since * (world->n_instances - 1.0)) /
				world->pods[world->servers[i].pod].capacity;

		if (instance->lb[0]->up[i] && height < least) {
			least = height;
			server = (int)i;
		}
	}
	return server;
}

static int choose_from_outside(const struct world *world, const struct instance *instance)
{
	int lowest = instance->agent->lowest;

	switch (world->policy->choice) {
	case POLICY_HAPROXY:
		break;
	case POLICY_ORACLE:
		if (world->lowest.n > 0)
			return (int)world->pods[pqueue_first(&world->lowest)].server;
		break;
	case POLICY_CACHED_MINIMUM:
		if (lowest >= 0 && instance->lb[0]->up[lowest])
			return lowest;
		break;
	case POLICY_INFORMED:
		return choose_informed(world, instance);
	}
	/* Before anything is known, the first that can be used. */
	for (size_t i = 0; i < world->n_servers; i++) {
		if (instance->lb[0]->up[i])
			return (int)i;
	}
	return LB_NONE;
}

int policy_choose(struct world *world, struct instance *instance, size_t backend)
{
	int server;

	if (world->policy->choice == POLICY_HAPROXY)
		return lb_take(instance->lb[backend], &world->draws);
	server = choose_from_outside(world, instance);
	if (server != LB_NONE)
		lb_put(instance->lb[backend], (size_t)server, 1);
	return server;
}

bool policy_has_agents(const struct policy *policy)
{
	return policy->steering != POLICY_AS_CONFIGURED ||
	       policy->choice == POLICY_CACHED_MINIMUM || policy->choice == POLICY_INFORMED;
}
