/* SPDX-License-Identifier: MIT */
/* The agent as the simulator has it: the shipped planner, with what surrounds it modelled. */
#include "agent.h"

#include <math.h>
#include <stdlib.h>

#include "core/plan/limits.h"
#include "core/plan/planner.h"
#include "core/plan/storm.h"
#include "world.h"

enum { CACHE_TTL_MS = 30000 };

/* Gives every server a moment within spread_ms before the round, and sorts them by it. */
static void choose_moments(struct agent *agent, size_t n, int spread_ms, struct rng *rng)
{
	uint32_t *moment = agent->used; /* not needed yet */

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
}

struct agent *agent_new(size_t n_servers, const struct scenario *scenario, struct rng *rng)
{
	struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent)
		return NULL;
	*agent = (struct agent){
		.servers = calloc(n_servers, sizeof(*agent->servers)),
		.pods = calloc(n_servers, sizeof(*agent->pods)),
		.results = calloc(n_servers, sizeof(*agent->results)),
		.used = calloc(n_servers, sizeof(*agent->used)),
		.asked = calloc(n_servers, sizeof(*agent->asked)),
		.until = calloc((size_t)scenario->spread_ms + 2, sizeof(*agent->until)),
		.round_ms =
			scenario->poll_ms + (int64_t)rng_below(rng, (uint32_t)scenario->poll_ms),
		.lowest = -1,
	};
	if (!agent->servers || !agent->pods || !agent->results || !agent->used || !agent->asked ||
		!agent->until) {
		agent_free(agent);
		return NULL;
	}
	for (size_t i = 0; i < n_servers; i++)
		agent->servers[i].own_exact = true;
	choose_moments(agent, n_servers, scenario->spread_ms, rng);
	return agent;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	free(agent->servers);
	free(agent->pods);
	free(agent->results);
	free(agent->used);
	free(agent->asked);
	free(agent->until);
	free(agent);
}

/* What agent/core/server.c does with one server of HAProxy's answer. */
static void read_server(
	const struct world *world, const struct instance *instance, bool reloaded, size_t i)
{
	struct agent_server *known = &instance->agent->servers[i];
	uint32_t own = instance->lb->served[i];
	uint32_t taken = instance->lb->taken[i];

	if (reloaded) {
		/* The new worker begins with none. */
		others_reload(&known->others, known->own_read);
		known->own_read = known->own_then = 0;
		known->own_exact = true;
		known->planned = false;
		known->taken_read = 0;
	}
	if (known->generation != world->servers[i].generation) {
		*known = (struct agent_server){
			.generation = world->servers[i].generation,
			.own_exact = own == 0,
			.own_read = own,
			.taken_read = known->taken_read,
		};
		others_new_pod(&known->others, own);
	}
	known->closings.tau_s = RATE_TAU_SERVER_S;
	rate_update(&known->closings, taken - own, world->now_ms);
	if (known->is_new) {
		double passed =
			(double)(world->now_ms - known->heard_ms) / world->scenario->poll_ms;

		/* On a straight line between this answer of HAProxy's and the one before. */
		known->own_then =
			(uint32_t)lround(own + fmin(passed, 1.0) * ((double)known->own_read - own));
		others_update(&known->others, world->n_instances, known->count, known->own_read,
			own, known->own_then);
		known->is_new = false;
	}
	known->own_exact = known->own_exact || own == 0;
	known->own_read = own;
}

static void read_state(const struct world *world, struct instance *instance)
{
	struct agent *agent = instance->agent;
	bool reloaded = agent->worker_generation != instance->generation;

	agent->worker_generation = instance->generation;
	for (size_t i = 0; i < world->n_servers; i++)
		read_server(world, instance, reloaded, i);
	if (reloaded)
		agent->total_read = 0;
}

static void hear(struct world *world, struct agent_server *known, size_t server)
{
	const struct pod *pod = &world->pods[world->servers[server].pod];
	double lost = world->scenario->what->lost;

	/* The pod of a server that changed hands is asked once HAProxy has told of it. */
	if (!world->up[server] || known->generation != world->servers[server].generation)
		return;
	if (lost > 0.0 && rng_uniform(&world->polls) < lost)
		return;
	known->has_before = known->heard;
	known->count_before = known->count;
	known->heard = known->is_new = true;
	known->count = pod->lies ? 0 : pod->count;
	known->heard_ms = world->now_ms;
}

/* Asks the pods whose moment it is. */
static void ask(struct world *world, struct agent *agent, int64_t moment)
{
	for (uint32_t i = agent->until[moment]; i < agent->until[moment + 1]; i++)
		hear(world, &agent->servers[agent->asked[i]], agent->asked[i]);
}

static void set_weight(struct world *world, struct instance *instance, size_t server, int weight)
{
	world->measure.writes += instance->lb->weight[server] != weight;
	lb_set_weight(instance->lb, server, weight);
}

/* Fills agent->pods with the servers that may be used; returns how many. */
static size_t gather(const struct world *world, const struct instance *instance)
{
	struct agent *agent = instance->agent;
	uint64_t arrived = instance->lb->total - agent->total_read;
	size_t n = 0;

	for (size_t i = 0; i < world->n_servers; i++) {
		struct agent_server *known = &agent->servers[i];
		const struct pod *pod = &world->pods[world->servers[i].pod];

		if (!world->up[i])
			continue;
		known->credit = limits_credit(known->credit, known->planned ? known->limit : 1.0,
			arrived, instance->lb->taken[i] - known->taken_read);
		known->taken_read = instance->lb->taken[i];
		agent->used[n] = (uint32_t)i;
		agent->pods[n++] = (struct planner_pod){
			.heard = known->heard,
			.own_exact = known->own_exact,
			.count = known->count,
			.count_age_ms = known->heard ? world->now_ms - known->heard_ms : 0,
			.own = instance->lb->served[i],
			.own_then = known->own_then,
			.age_ms = world->now_ms - pod->since_ms,
			.has_others = known->others.known,
			.others = known->others.count,
			.planned = known->planned,
			.target_then = known->target,
			.leaving = known->closings.per_second * world->scenario->poll_ms / 1000.0 *
				   world->n_instances,
			.credit = known->credit,
			.configured = world->weights[i],
			.capacity = pod->capacity * 100.0,
		};
	}
	agent->total_read = instance->lb->total;
	return n;
}

static void plan(struct world *world, struct instance *instance, size_t n)
{
	struct agent *agent = instance->agent;
	const struct scenario *scenario = world->scenario;
	struct planner_params params = {
		.mode = world->policy->steering == POLICY_FLOW ? PLANNER_FLOW : PLANNER_STOCK,
		.replicas = world->n_instances,
		.fresh_ms = scenario->poll_ms * 5 / 2,
		.cache_ttl_ms = CACHE_TTL_MS,
		.arrivals = agent->arrivals.per_second * scenario->poll_ms / 1000.0 *
			    world->n_instances,
		.ramp_ms = (int64_t)scenario->what->ramp_s * 1000,
		.max_share = scenario->what->max_share,
	};
	struct planner_summary summary;

	if (!planner_plan(&params, agent->pods, n, agent->results, &summary))
		return;
	for (size_t i = 0; i < n; i++) {
		struct agent_server *known = &agent->servers[agent->used[i]];

		known->planned = true;
		known->target = agent->results[i].target;
		known->limit = agent->results[i].share_limit;
		set_weight(world, instance, agent->used[i], agent->results[i].weight);
	}
}

static void weigh_inversely(struct world *world, struct instance *instance, size_t n)
{
	const struct agent *agent = instance->agent;
	double least = (double)INFINITY;
	double largest = 0.0;

	for (size_t i = 0; i < n; i++) {
		least = fmin(least, agent->pods[i].count / agent->pods[i].capacity + 1.0);
		largest = fmax(largest, agent->pods[i].capacity);
	}
	for (size_t i = 0; i < n; i++) {
		double load = agent->pods[i].count / agent->pods[i].capacity + 1.0;
		long weight =
			lround(LB_WEIGHT_MAX * least / load * agent->pods[i].capacity / largest);

		set_weight(world, instance, agent->used[i], weight < 1 ? 1 : (int)weight);
	}
}

static void find_lowest(struct agent *agent, size_t n)
{
	double least = (double)INFINITY;

	agent->lowest = -1;
	for (size_t i = 0; i < n; i++) {
		double load = agent->pods[i].count / agent->pods[i].capacity;

		if (load < least)
			agent->lowest = (int)agent->used[i];
		least = fmin(least, load);
	}
}

/* What agent/core/steer.c finds out before it plans; since_ms is when the last round was. */
static bool is_torn(const struct world *world, const struct agent *agent, int64_t since_ms)
{
	struct storm storm = {.n = 0.0};

	for (size_t i = 0; i < world->n_servers; i++) {
		const struct agent_server *known = &agent->servers[i];

		if (world->up[i] && known->heard && known->has_before && known->heard_ms > since_ms)
			storm_add(&storm, known->count_before, known->count);
	}
	return storm_is_torn(&storm);
}

/* One round: HAProxy's state, then weights. */
static void act(struct world *world, struct instance *instance)
{
	struct agent *agent = instance->agent;
	int64_t since_ms = world->now_ms - world->scenario->poll_ms;

	read_state(world, instance);
	agent->put_off = world->policy->steering == POLICY_STOCK && world->n_instances > 1 &&
			 !agent->put_off && is_torn(world, agent, since_ms);
	if (agent->put_off)
		return;
	rate_update(&agent->arrivals, instance->lb->total, world->now_ms);

	size_t n = gather(world, instance);

	if (world->policy->choice == POLICY_CACHED_MINIMUM)
		find_lowest(agent, n);
	else if (world->policy->steering == POLICY_INVERSE)
		weigh_inversely(world, instance, n);
	else if (world->policy->steering != POLICY_AS_CONFIGURED)
		plan(world, instance, n);
	/* A pod that is new is asked at once. */
	for (size_t i = 0; i < world->n_servers; i++) {
		if (!agent->servers[i].heard)
			hear(world, &agent->servers[i], i);
	}
}

void agent_tick(struct world *world, struct instance *instance)
{
	struct agent *agent = instance->agent;
	const struct scenario *scenario = world->scenario;
	int64_t moment = world->now_ms - (agent->round_ms - scenario->spread_ms);

	if (agent->stopped || moment < 0)
		return;
	if (moment < scenario->spread_ms) {
		ask(world, agent, moment);
		return;
	}
	act(world, instance);
	agent->round_ms += agent->put_off ? scenario->spread_ms : scenario->poll_ms;
	/* Asking may begin at once. */
	if (agent->round_ms == world->now_ms + scenario->spread_ms)
		ask(world, agent, 0);
}

void agent_stop(struct world *world, struct instance *instance, bool reset)
{
	instance->agent->stopped = true;
	for (size_t i = 0; reset && i < world->n_servers; i++)
		set_weight(world, instance, i, world->weights[i]);
}
