/* SPDX-License-Identifier: MIT */
/* What happens to pods and instances during a run. */
#include <math.h>

#include "world.h"

/* Clients whose connection broke come back within this time; all at once within a second in a
 * storm. */
static const double RETURN_MS = 2000.0;
static const double STORM_MS = 1000.0;

/* Pods are replaced in so many groups. */
enum { ROLL_GROUPS = 10 };

size_t scenario_count(double part, size_t n)
{
	size_t count = part >= 1.0 ? (size_t)part : (size_t)lround(part * (double)n);

	if (count < 1)
		count = 1;
	return count < n ? count : n;
}

void incidents_reserve(const struct scenario *scenario, size_t *n_servers, size_t *n_pods)
{
	const struct incident *incident = scenario->what->incidents;
	size_t pods = scenario->size->pods;
	size_t added = 0;
	size_t reused = 0;

	for (size_t i = 0; i < SCENARIO_INCIDENTS; i++) {
		if (incident[i].kind == INCIDENT_ADD)
			added += scenario_count(incident[i].part, pods);
		else if (incident[i].kind == INCIDENT_REUSE)
			reused += scenario_count(incident[i].part, pods);
	}
	*n_servers = pods + added;
	*n_pods = pods + added + reused;
}

static void set_service(struct world *world, size_t server, bool up)
{
	struct sim_pod *pod = &world->pods[world->servers[server].pod];

	if (up && !pod->in_service)
		pod->since_ms = world->now_ms;
	pod->in_service = up;
	world->up[server] = up;
	world_pod_changed(world, world->servers[server].pod);
	for (unsigned r = 0; r < world->n_instances; r++)
		lb_set_up(world->instances[r].lb, server, up);
}

/* The pod of a server dies: its connections break, and their clients come back. */
static void kill_pod(struct world *world, size_t server)
{
	struct sim_pod *pod = &world->pods[world->servers[server].pod];

	set_service(world, server, false);
	for (uint32_t i = 0; i < pod->count; i++)
		conns_return(&world->conns,
			(double)world->now_ms + RETURN_MS * rng_uniform(&world->returns));
	for (unsigned r = 0; r < world->n_instances; r++) {
		lb_drop(world->instances[r].lb, server, world->instances[r].current[server]);
		world->instances[r].current[server] = 0;
	}
	pod->count = 0;
	pod->generation++;
	/* What comes back is another pod to HAProxy and agent. */
	world->servers[server].generation++;
}

static void add(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->scenario->size->pods);

	for (size_t i = 0; i < world->n_servers && n > 0; i++) {
		if (!world->up[i] && world->pods[world->servers[i].pod].generation == 0) {
			set_service(world, i, true);
			n--;
		}
	}
}

/* Pods first..last-1 die when passed is 0 seconds and are back when it is so many. */
static void crash(
	struct world *world, const struct incident *incident, size_t first, size_t last, int passed)
{
	for (size_t i = first; i < last; i++) {
		if (passed == 0)
			kill_pod(world, i);
		else if (passed == incident->seconds)
			set_service(world, i, true);
	}
}

static void roll(struct world *world, const struct incident *incident, int passed)
{
	size_t pods = world->scenario->size->pods;

	for (size_t group = 0; group < ROLL_GROUPS; group++)
		crash(world, incident, pods * group / ROLL_GROUPS, pods * (group + 1) / ROLL_GROUPS,
			passed - (int)group * incident->every_s);
}

static void reload(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->n_instances);

	for (size_t r = 0; r < n; r++) {
		struct instance *instance = &world->instances[r];

		instance->generation++;
		lb_start(instance->lb, world->weights, world->up);
		for (size_t i = 0; i < world->n_servers; i++)
			instance->current[i] = 0;
	}
}

static void reuse(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->scenario->size->pods);

	for (size_t i = 0; i < n; i++) {
		uint32_t fresh = (uint32_t)(world->n_servers + i);
		struct sim_pod *old = &world->pods[world->servers[i].pod];

		old->in_service = false;
		world_pod_changed(world, world->servers[i].pod);
		world->servers[i].pod = fresh;
		world->servers[i].generation++;
		world->pods[fresh].server = (uint32_t)i;
		world->pods[fresh].capacity = old->capacity;
		for (unsigned r = 0; r < world->n_instances; r++)
			world->instances[r].current[i] = 0;
		set_service(world, i, true);
	}
}

static void storm(struct world *world, const struct incident *incident)
{
	struct rng *rng = &world->returns;

	for (size_t i = 0; i < world->conns.n; i++) {
		struct conn *conn = &world->conns.all[i];
		bool is_current =
			conn->live && conn->pod_generation == world->pods[conn->pod].generation;

		if (!is_current || rng_uniform(rng) >= incident->part)
			continue;
		conn->live = false;
		world_depart(world, conn);
		conns_return(&world->conns, (double)world->now_ms + STORM_MS * rng_uniform(rng));
	}
}

static void lie(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->scenario->size->pods);

	for (size_t i = 0; i < n; i++)
		world->pods[i].lies = true;
}

static void run_one(struct world *world, const struct incident *incident)
{
	int passed = (int)(world->now_ms / 1000) - incident->at_s;

	if (incident->kind == INCIDENT_ROLL)
		roll(world, incident, passed);
	if (incident->kind == INCIDENT_CRASH)
		crash(world, incident, 0,
			scenario_count(incident->part, world->scenario->size->pods), passed);
	if (passed != 0)
		return;
	switch (incident->kind) {
	case INCIDENT_NONE:
	case INCIDENT_ROLL:
	case INCIDENT_CRASH:
		break;
	case INCIDENT_ADD:
		add(world, incident);
		break;
	case INCIDENT_RELOAD:
		reload(world, incident);
		break;
	case INCIDENT_REUSE:
		reuse(world, incident);
		break;
	case INCIDENT_STORM:
		storm(world, incident);
		break;
	case INCIDENT_AGENTS_STOP:
	case INCIDENT_AGENTS_DIE:
		for (unsigned r = 0; r < world->n_instances; r++)
			agent_stop(world, &world->instances[r],
				incident->kind == INCIDENT_AGENTS_STOP);
		break;
	case INCIDENT_LIE:
		lie(world, incident);
		break;
	}
}

void incidents_run(struct world *world)
{
	for (size_t i = 0; i < SCENARIO_INCIDENTS; i++)
		run_one(world, &world->scenario->what->incidents[i]);
}
