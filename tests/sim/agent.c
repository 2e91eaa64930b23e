/* SPDX-License-Identifier: MIT */
/* The agent as the simulator has it: the shipped cluster and planner, with polls and HAProxy
 * modelled. */
#include "agent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/steer/steer.h"
#include "core/steer/watch.h"
#include "world.h"

enum {
	CACHE_TTL_MS = 30000,
	EPOCH_MS = 1000000, /* the agent's clock at the start: it takes 0 for never */
};

static int64_t clock_ms(const struct world *world)
{
	return world->now_ms + EPOCH_MS;
}

/* Gives every slot a moment within spread_ms before the round, and sorts them by it. */
static bool choose_moments(struct agent *agent, size_t n, int spread_ms, struct rng *rng)
{
	uint32_t *moment = calloc(n + 1, sizeof(*moment));

	if (!moment)
		return false;
	for (size_t i = 0; i < n; i++) {
		moment[i] = rng_below(rng, (uint32_t)spread_ms);
		agent->until[moment[i] + 1]++;
	}
	for (int ms = 0; ms < spread_ms; ms++)
		agent->until[ms + 1] += agent->until[ms];
	for (size_t i = n; i-- > 0;)
		agent->asked[--agent->until[moment[i] + 1]] = (uint32_t)i;
	/* Each sum has been counted down to where its moment begins: shift them back. */
	for (int ms = 0; ms < spread_ms; ms++)
		agent->until[ms] = agent->until[ms + 1];
	agent->until[spread_ms] = (uint32_t)n;
	free(moment);
	return true;
}

/* The other policies look at nothing but the counts. */
static bool has_model(const struct policy *policy)
{
	return policy->choice == POLICY_INFORMED || policy->steering == POLICY_FLOW ||
	       policy->steering == POLICY_STOCK;
}

static struct cluster *new_cluster(const struct world *world)
{
	const struct scenario *scenario = world->scenario;
	struct cluster_settings params = {
		.replicas = world->n_instances,
		.poll_interval_ms = scenario->poll_ms,
		.cache_ttl_ms = CACHE_TTL_MS,
		.ramp_ms = (int64_t)scenario->what->ramp_s * 1000,
		.max_share = scenario->what->max_share,
	};

	return cluster_new(&params);
}

struct agent *agent_new(const struct world *world, struct rng *rng)
{
	const struct scenario *scenario = world->scenario;
	size_t n = world->n_slots;
	struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return NULL;
	*agent = (struct agent){
		.cluster = has_model(world->policy) ? new_cluster(world) : NULL,
		.servers = calloc(world->n_servers * world->n_backends, sizeof(struct server *)),
		.slots = calloc(n, sizeof(*agent->slots)),
		.asked = calloc(n, sizeof(*agent->asked)),
		.until = calloc((size_t)scenario->spread_ms + 2, sizeof(*agent->until)),
		.round_ms =
			scenario->poll_ms + (int64_t)rng_below(rng, (uint32_t)scenario->poll_ms),
		.lowest = -1,
	};
	if ((has_model(world->policy) && !agent->cluster) || !agent->servers || !agent->slots ||
		!agent->asked || !agent->until ||
		!choose_moments(agent, n, scenario->spread_ms, rng)) {
		agent_free(agent);
		return NULL;
	}
	return agent;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	cluster_free(agent->cluster);
	free(agent->servers);
	free(agent->slots);
	free(agent->asked);
	free(agent->until);
	free(agent);
}

/* Another pod is in the slot than the agent knew of: it has said nothing yet. */
static void know(const struct world *world, struct agent_slot *slot, size_t server)
{
	uint32_t pod = world->servers[server].pod;
	uint8_t generation = world->pods[pod].generation;

	if (!slot->known || slot->pod != pod || slot->generation != generation)
		slot->heard = false;
	slot->known = true;
	slot->pod = pod;
	slot->generation = generation;
}

/* The pod that the agent knows the slot to have is still the one that is there. */
static bool is_current(const struct world *world, const struct agent_slot *slot, size_t server)
{
	uint32_t pod = world->servers[server].pod;

	return slot->known && slot->pod == pod && slot->generation == world->pods[pod].generation;
}

static void find_servers(const struct world *world, struct agent *agent)
{
	const struct answer *answer = &world->answer;

	for (size_t b = 0; b < world->n_backends; b++) {
		for (size_t i = 0; i < world->n_servers; i++) {
			const char *backend = answer->backends[b].name;
			const char *name = answer->lines[i].name;

			agent->servers[b * world->n_servers + i] = cluster_find_server(
				agent->cluster, backend, strlen(backend), name, strlen(name));
		}
	}
}

/* Asks HAProxy. False when out of memory. */
static bool read_state(struct world *world, const struct instance *instance)
{
	struct agent *agent = instance->agent;
	struct hastate_snapshot snapshot;

	for (size_t i = 0; i < world->n_slots; i++)
		know(world, &agent->slots[i], i);
	if (!agent->cluster)
		return true;
	snapshot = answer_write(&world->answer, world, instance);
	if (!cluster_update(agent->cluster, &snapshot, clock_ms(world), NULL, NULL))
		return false;
	/* A server keeps its name for as long as it lasts. */
	if (!agent->servers[0])
		find_servers(world, agent);
	return true;
}

/* What an honest pod says. */
static uint32_t counted(const struct world *world, struct sim_pod *pod)
{
	int64_t now_ms = clock_ms(world);

	if (pod->kept_ms == 0 || now_ms - pod->kept_ms >= world->scenario->what->counts_ms) {
		pod->kept = pod->count > pod->shaking ? pod->count - pod->shaking : 0;
		pod->kept_ms = now_ms;
	}
	return pod->kept;
}

static void hear(struct world *world, const struct instance *instance, size_t server)
{
	struct agent *agent = instance->agent;
	struct agent_slot *slot = &agent->slots[server];
	struct sim_pod *pod = &world->pods[world->servers[server].pod];
	double lost = world->scenario->what->lost;

	/* The pod of a server that changed hands is asked once HAProxy has told of it. */
	if (!instance->lb[0]->up[server] || pod->mute || !is_current(world, slot, server))
		return;
	if (lost > 0.0 && rng_uniform(&world->polls) < lost)
		return;
	slot->heard = true;
	slot->count = pod->lies ? pod->says : counted(world, pod);
	if (!agent->cluster)
		return;
	agent->answer.count = slot->count;
	pod_observe(agent->servers[server]->pod, METRIC_OK, &agent->answer, NULL, clock_ms(world));
}

/* Asks the pods whose moment it is. */
static void ask(struct world *world, const struct instance *instance, int64_t moment)
{
	const struct agent *agent = instance->agent;

	for (uint32_t i = agent->until[moment]; i < agent->until[moment + 1]; i++)
		hear(world, instance, agent->asked[i]);
}

static void set_weight(struct world *world, struct lb *lb, size_t server, int weight)
{
	world->measure.writes += lb->weight[server] != weight;
	lb_set_weight(lb, server, weight);
}

static void plan(struct world *world, struct instance *instance)
{
	const struct agent *agent = instance->agent;

	if (!steer_plan(agent->cluster, clock_ms(world)))
		return;
	for (size_t i = 0; i < world->n_servers * world->n_backends; i++) {
		const struct server_plan *planned = &agent->servers[i]->plan;

		if (planned->made || planned->held)
			set_weight(world, instance->lb[i / world->n_servers], i % world->n_servers,
				planned->weight);
	}
}

static double load_of(const struct world *world, const struct agent *agent, size_t server)
{
	const struct sim_pod *pod = &world->pods[world->servers[server].pod];
	const struct agent_slot *slot = &agent->slots[server % world->n_slots];

	return slot->heard ? slot->count / (pod->capacity * 100.0) : 0.0;
}

static void weigh_inversely(struct world *world, struct instance *instance)
{
	const struct agent *agent = instance->agent;
	double least = (double)INFINITY;
	double largest = 0.0;

	for (size_t i = 0; i < world->n_servers; i++) {
		if (!world->up[i])
			continue;
		least = fmin(least, load_of(world, agent, i) + 1.0);
		largest = fmax(largest, world->pods[world->servers[i].pod].capacity);
	}
	for (size_t i = 0; i < world->n_servers; i++) {
		double load = load_of(world, agent, i) + 1.0;
		double capacity = world->pods[world->servers[i].pod].capacity;
		long weight = lround(LB_WEIGHT_MAX * least / load * capacity / largest);

		if (world->up[i])
			set_weight(world, instance->lb[0], i, weight < 1 ? 1 : (int)weight);
	}
}

static void find_lowest(const struct world *world, struct agent *agent)
{
	double least = (double)INFINITY;

	agent->lowest = -1;
	for (size_t i = 0; i < world->n_servers; i++) {
		if (!world->up[i])
			continue;

		double load = load_of(world, agent, i);

		if (load < least)
			agent->lowest = (int)i;
		least = fmin(least, load);
	}
}

/* One round: HAProxy's state, then weights. */
static void act(struct world *world, struct instance *instance)
{
	struct agent *agent = instance->agent;

	if (!read_state(world, instance)) {
		world->failed = true;
		return;
	}
	agent->put_off = world->policy->steering == POLICY_STOCK && !agent->put_off &&
			 steer_is_torn(agent->cluster);
	if (agent->put_off)
		return;
	if (world->policy->choice == POLICY_CACHED_MINIMUM)
		find_lowest(world, agent);
	else if (world->policy->steering == POLICY_INVERSE)
		weigh_inversely(world, instance);
	else if (world->policy->steering != POLICY_AS_CONFIGURED)
		plan(world, instance);
	agent->watch_ms = world->now_ms + WATCH_MS;
	/* A pod that is new is asked at once. */
	for (size_t i = 0; i < world->n_slots; i++) {
		if (!agent->slots[i].heard)
			hear(world, instance, i);
	}
}

static uint64_t sessions_of(const struct lb *lb)
{
	uint64_t sessions = 0;

	for (size_t i = 0; i < lb->n; i++)
		sessions += lb->served[i];
	return sessions;
}

/* A look between two rounds. */
static void look(struct world *world, struct instance *instance)
{
	struct agent *agent = instance->agent;
	size_t n;
	struct backend *const *backends = cluster_edit_backends(agent->cluster, &n);

	agent->watch_ms += WATCH_MS;
	for (size_t b = 0; b < n; b++) {
		if (!backends[b]->watch.on ||
			!watch_see(backends[b], sessions_of(instance->lb[b]), clock_ms(world)))
			continue;
		for (size_t i = 0; i < world->n_servers; i++)
			set_weight(world, instance->lb[b], i,
				agent->servers[b * world->n_servers + i]->plan.weight);
	}
}

void agent_tick(struct world *world, struct instance *instance)
{
	struct agent *agent = instance->agent;
	const struct scenario *scenario = world->scenario;
	int64_t moment = world->now_ms - (agent->round_ms - scenario->spread_ms);

	if (agent->stopped)
		return;
	if (agent->cluster && world->now_ms == agent->watch_ms)
		look(world, instance);
	if (moment < 0)
		return;
	if (moment < scenario->spread_ms) {
		ask(world, instance, moment);
		return;
	}
	act(world, instance);
	agent->round_ms += agent->put_off ? scenario->spread_ms : scenario->poll_ms;
	/* Asking may begin at once. */
	if (agent->round_ms == world->now_ms + scenario->spread_ms)
		ask(world, instance, 0);
}

void agent_stop(struct world *world, struct instance *instance, bool reset)
{
	instance->agent->stopped = true;
	for (size_t b = 0; reset && b < world->n_backends; b++) {
		for (size_t i = 0; i < world->n_servers; i++)
			set_weight(world, instance->lb[b], i, world->weights[i]);
	}
}
