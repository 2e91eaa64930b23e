/* SPDX-License-Identifier: MIT */
/* The run: one millisecond after the other. */
#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Log-normal lifetimes with this deviation of the logarithm: half of all connections live less than
 * 0.6 of the mean, one in a hundred six times as long. */
static const double SIGMA = 1.0;

/* A plain request takes so long. */
static const double PLAIN_MS = 20.0;

enum { LONG_AGO_MS = 1000000000 };

static double lifetime_ms(struct world *world, const struct sim_pod *pod, double shift)
{
	double mean = world->scenario->size->life_s * 1000.0 * pod->life;

	return mean * exp(SIGMA * rng_normal(&world->lives) + shift - SIGMA * SIGMA / 2.0);
}

void world_pod_changed(struct world *world, uint32_t pod_index)
{
	const struct sim_pod *pod = &world->pods[pod_index];

	if (world->policy->choice != POLICY_ORACLE)
		return;
	if (pod->in_service)
		pqueue_move(&world->lowest, pod_index,
			(uint32_t)((pod->count + 1.0) * 1024.0 / pod->capacity));
	else
		pqueue_remove(&world->lowest, pod_index);
}

/* The pod does not know of a new connection until its handshake is over. */
static void shake(struct world *world, uint32_t pod)
{
	struct shakes *shakes = &world->shakes;

	if (shakes->n == shakes->room) {
		size_t room = shakes->room > 0 ? 2 * shakes->room : 1024;
		struct shake *all = realloc(shakes->all, room * sizeof(*all));

		if (!all) {
			world->failed = true;
			return;
		}
		shakes->all = all;
		shakes->room = room;
	}
	shakes->all[shakes->n++] = (struct shake){
		.end_ms = world->now_ms + world->scenario->what->shake_ms,
		.pod = pod,
		.generation = world->pods[pod].generation,
	};
	world->pods[pod].shaking++;
}

static void end_shakes(struct world *world)
{
	struct shakes *shakes = &world->shakes;

	while (shakes->first < shakes->n && shakes->all[shakes->first].end_ms <= world->now_ms) {
		const struct shake *ended = &shakes->all[shakes->first++];

		if (ended->generation == world->pods[ended->pod].generation)
			world->pods[ended->pod].shaking--;
	}
}

/* A connection begins: conn says where, the rest is set. */
static void add_conn(struct world *world, struct conn conn, double ends_ms)
{
	struct sim_pod *pod = &world->pods[conn.pod];

	conn.pod_generation = pod->generation;
	conn.server_generation = world->servers[conn.server].generation;
	if (conn.instance >= 0) {
		conn.worker_generation = world->instances[conn.instance].generation;
		world->instances[conn.instance].current[conn.backend][conn.server]++;
	}
	if (!conn.plain) {
		pod->count++;
		world_pod_changed(world, conn.pod);
	}
	if (!conns_add(&world->conns, &conn, ends_ms))
		world->failed = true;
}

static void come(struct world *world, unsigned instance, bool plain)
{
	size_t backend = world->n_backends > 1
				 ? rng_below(&world->arrivals, (uint32_t)world->n_backends)
				 : 0;
	int server = policy_choose(world, &world->instances[instance], backend);
	struct conn conn = {
		.server = (uint16_t)server,
		.instance = (int16_t)instance,
		.backend = (uint8_t)backend,
		.plain = plain,
	};

	measure_taken(world, instance, server);
	if (server == LB_NONE)
		return;
	conn.pod = world->servers[server].pod;
	if (!plain && world->scenario->what->shake_ms > 0)
		shake(world, conn.pod);
	add_conn(world, conn,
		(double)world->now_ms +
			(plain ? PLAIN_MS : lifetime_ms(world, &world->pods[conn.pod], 0.0)));
}

void world_arrive(struct world *world, unsigned instance)
{
	come(world, instance, false);
}

/* The instance that a client comes through. */
static unsigned some_instance(const struct world *world, struct rng *rng)
{
	double first = world->scenario->what->first_part;

	if (first <= 0.0 || world->n_instances < 2)
		return rng_below(rng, world->n_instances);
	return rng_uniform(rng) < first ? 0 : 1 + rng_below(rng, world->n_instances - 1);
}

void world_depart(struct world *world, const struct conn *conn)
{
	struct sim_pod *pod = &world->pods[conn->pod];

	/* A pod that died took its connections from all counts at once. */
	if (conn->pod_generation != pod->generation)
		return;
	if (!conn->plain) {
		pod->count--;
		world_pod_changed(world, conn->pod);
	}
	if (conn->instance < 0)
		return;

	struct instance *instance = &world->instances[conn->instance];

	if (conn->worker_generation != instance->generation)
		return;
	lb_drop(instance->lb[conn->backend], conn->server, 1);
	if (conn->server_generation == world->servers[conn->server].generation)
		instance->current[conn->backend][conn->server]--;
}

/* Arrivals of one Poisson process that are due; *next_ms is the time of the next. */
static unsigned due(struct world *world, double *next_ms, double per_ms, struct rng *rng)
{
	unsigned n = 0;

	while (per_ms > 0.0 && *next_ms < (double)(world->now_ms + 1)) {
		*next_ms += rng_exponential(rng) / per_ms;
		n++;
	}
	return n;
}

static void arrive(struct world *world)
{
	for (uint32_t i = world->conns.returning[world->now_ms]; i > 0; i--)
		world_arrive(world, some_instance(world, &world->returns));
	for (unsigned i = due(world, &world->next_ms, world->per_ms, &world->arrivals); i > 0; i--)
		world_arrive(world, some_instance(world, &world->arrivals));
	for (unsigned i = due(world, &world->next_direct_ms, world->direct_per_ms, &world->directs);
		i > 0; i--) {
		uint32_t pod = rng_below(&world->directs, world->n_direct);

		add_conn(world, (struct conn){.pod = pod, .instance = -1},
			(double)world->now_ms + lifetime_ms(world, &world->pods[pod], 0.0));
	}
	for (unsigned i = due(world, &world->next_plain_ms, world->plain_per_ms, &world->plains);
		i > 0; i--)
		come(world, some_instance(world, &world->plains), true);
}

/* A connection that stands at the start has what is left of a life: lengths weigh in, and it is met
 * at any moment of it. */
static double rest_ms(struct world *world, const struct sim_pod *pod)
{
	return lifetime_ms(world, pod, SIGMA * SIGMA) * rng_uniform(&world->lives);
}

/* The n-th connection of a pod that stands at the start: on the lines of the backends in turn. */
static void stand_one(struct world *world, unsigned instance, uint32_t pod, uint32_t n)
{
	size_t backend = n % world->n_backends;
	size_t line = n / world->n_backends % (world->n_servers / world->n_slots);
	struct conn conn = {
		.pod = pod,
		.server = (uint16_t)(line * world->n_slots + pod),
		.instance = (int16_t)instance,
		.backend = (uint8_t)backend,
	};

	lb_put(world->instances[instance].lb[backend], conn.server, 1);
	add_conn(world, conn, rest_ms(world, &world->pods[pod]));
}

/* An instance's part of what comes. */
static double part_of(const struct world *world, unsigned instance)
{
	double first = world->scenario->what->first_part;

	if (first <= 0.0 || world->n_instances < 2)
		return 1.0 / world->n_instances;
	return instance == 0 ? first : (1.0 - first) / (world->n_instances - 1.0);
}

/* The connections that stand at the start: each instance has its part evenly on all pods. */
static void stand(struct world *world)
{
	const struct scenario_size *size = world->scenario->size;
	double capacities = 0.0;

	for (size_t i = 0; i < size->pods; i++)
		capacities += world->pods[i].capacity;
	for (unsigned r = 0; r < world->n_instances; r++) {
		double total = (double)size->per_pod * size->pods * part_of(world, r);
		double sum = rng_uniform(&world->arrivals);

		for (uint32_t i = 0; i < size->pods; i++) {
			double before = floor(sum);

			sum += total * world->pods[i].capacity / capacities;
			uint32_t n = (uint32_t)(floor(sum) - before);

			for (; n > 0; n--)
				stand_one(world, r, i, n);
		}
	}
	for (uint32_t i = 0; i < world->n_direct; i++) {
		double n = world->scenario->what->direct_load * size->per_pod;

		for (; n >= 1.0; n--)
			add_conn(world, (struct conn){.pod = i, .instance = -1},
				rest_ms(world, &world->pods[i]));
	}
}

static void set_rates(struct world *world)
{
	const struct scenario_size *size = world->scenario->size;
	const struct scenario_case *what = world->scenario->what;
	double capacities = 0.0;
	double per_life = 0.0;

	for (size_t i = 0; i < size->pods; i++) {
		capacities += world->pods[i].capacity;
		per_life += world->pods[i].capacity / world->pods[i].life;
	}
	world->per_ms = size->per_pod * (double)size->pods * per_life / capacities /
			(size->life_s * 1000.0);
	world->plain_per_ms = what->requests * size->per_pod * (double)size->pods / 1000.0;
	if (what->direct_pods > 0.0)
		world->n_direct = (uint32_t)scenario_count(what->direct_pods, size->pods);
	world->direct_per_ms =
		world->n_direct * what->direct_load * size->per_pod / (size->life_s * 1000.0);
}

static bool allocate(struct world *world)
{
	size_t n = world->n_servers;

	world->servers = calloc(n, sizeof(*world->servers));
	world->weights = calloc(n, sizeof(*world->weights));
	world->up = calloc(n, sizeof(*world->up));
	world->pods = calloc(world->n_pods, sizeof(*world->pods));
	world->instances = calloc(world->n_instances, sizeof(*world->instances));
	if (!world->servers || !world->weights || !world->up || !world->pods || !world->instances)
		return false;
	if (world->policy->choice == POLICY_HAPROXY && world->policy->algo == LB_RANDOM) {
		world->ring = lb_ring_new(n, LB_WEIGHT_MAX);
		if (!world->ring)
			return false;
	}
	for (unsigned r = 0; r < world->n_instances; r++) {
		struct instance *instance = &world->instances[r];

		for (size_t b = 0; b < world->n_backends; b++) {
			instance->lb[b] = lb_new(world->policy->algo, n, world->ring);
			instance->current[b] = calloc(n, sizeof(*instance->current[b]));
			if (!instance->lb[b] || !instance->current[b])
				return false;
		}
		instance->seen_ms = calloc(n, sizeof(*instance->seen_ms));
		if (!instance->seen_ms)
			return false;
		instance->agent = agent_new(world, &world->polls);
		if (!instance->agent)
			return false;
	}
	return pqueue_init(&world->lowest, world->n_pods) && answer_init(&world->answer, world) &&
	       conns_init(&world->conns, world->end_ms) &&
	       measure_init(&world->measure, world->n_pods, n, world->n_instances);
}

static void furnish(struct world *world)
{
	const struct scenario_case *what = world->scenario->what;
	size_t kinds = 0;

	while (kinds < SCENARIO_CAPACITIES && what->capacities[kinds] > 0)
		kinds++;
	for (uint32_t i = 0; i < world->n_pods; i++) {
		int weight = kinds > 0 ? what->capacities[i % kinds] : 100;

		world->pods[i] = (struct sim_pod){
			.capacity = weight / 100.0,
			.life = i == 0 && what->short_life > 0.0 ? what->short_life : 1.0,
			.in_service = i < world->scenario->size->pods,
			.server = i,
			.since_ms = -LONG_AGO_MS,
		};
		for (size_t s = i; i < world->n_slots && s < world->n_servers;
			s += world->n_slots) {
			world->servers[s].pod = i;
			world->weights[s] = weight;
			world->up[s] = world->pods[i].in_service;
		}
	}
	for (uint32_t i = 0; i < world->n_pods; i++)
		world_pod_changed(world, i);
	for (unsigned r = 0; r < world->n_instances; r++) {
		for (size_t b = 0; b < world->n_backends; b++)
			lb_start(world->instances[r].lb[b], world->weights, world->up);
	}
	set_rates(world);
}

/* Instances see that pods are up, each at its own moment. */
static void see(struct world *world)
{
	for (unsigned r = 0; r < world->n_instances; r++) {
		struct instance *instance = &world->instances[r];

		for (size_t i = 0; i < world->n_servers; i++) {
			if (instance->seen_ms[i] == 0 || instance->seen_ms[i] > world->now_ms)
				continue;
			instance->seen_ms[i] = 0;
			for (size_t b = 0; b < world->n_backends; b++)
				lb_set_up(instance->lb[b], i, true);
		}
	}
}

static void run(struct world *world)
{
	for (world->now_ms = 0; world->now_ms < world->end_ms && !world->failed; world->now_ms++) {
		struct conn ended;

		while (conns_next_ending(&world->conns, world->now_ms, &ended)) {
			if (ended.live)
				world_depart(world, &ended);
		}
		if (world->now_ms % 1000 == 0)
			incidents_run(world);
		if (world->scenario->what->seen_ms > 0)
			see(world);
		end_shakes(world);
		arrive(world);
		if (policy_has_agents(world->policy)) {
			for (unsigned r = 0; r < world->n_instances; r++)
				agent_tick(world, &world->instances[r]);
		}
		if (world->now_ms % 1000 == 999)
			measure_sample(world);
	}
}

static void fini(struct world *world)
{
	for (unsigned r = 0; world->instances && r < world->n_instances; r++) {
		for (size_t b = 0; b < world->n_backends; b++) {
			lb_free(world->instances[r].lb[b]);
			free(world->instances[r].current[b]);
		}
		free(world->instances[r].seen_ms);
		agent_free(world->instances[r].agent);
	}
	free(world->servers);
	free(world->weights);
	free(world->up);
	free(world->pods);
	free(world->instances);
	answer_fini(&world->answer);
	lb_ring_free(world->ring);
	pqueue_fini(&world->lowest);
	conns_fini(&world->conns);
	free(world->shakes.all);
	measure_fini(&world->measure);
}

bool world_run(const struct scenario *scenario, const struct policy *policy, uint64_t seed,
	struct measure_result *result)
{
	struct world world = {
		.scenario = scenario,
		.policy = policy,
		.end_ms = (int64_t)scenario->what->length_s * 1000,
		.n_instances = scenario->size->instances,
	};
	struct rng *streams[] = {&world.arrivals, &world.lives, &world.directs, &world.returns,
		&world.draws, &world.polls, &world.plains, &world.checks};

	for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++)
		rng_init(streams[i], seed, i);
	incidents_reserve(scenario, &world.n_slots, &world.n_pods);
	world.n_servers = world.n_slots * (scenario->what->lines > 0 ? scenario->what->lines : 1);
	world.n_backends = scenario->what->backends > 0 ? scenario->what->backends : 1;
	world.failed = !allocate(&world);
	if (!world.failed) {
		furnish(&world);
		stand(&world);
		run(&world);
	}
	if (!world.failed)
		measure_finish(&world, result);
	fini(&world);
	return !world.failed;
}
