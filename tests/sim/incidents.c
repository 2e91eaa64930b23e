/* SPDX-License-Identifier: MIT */
/* What happens to pods and instances during a run. */
#include <math.h>

#include "world.h"

/* Clients whose connection broke come back within this time; all at once within a second in a
 * storm. */
static const double RETURN_MS = 2000.0;
static const double STORM_MS = 1000.0;
/* Those that an old worker or another door cut off. */
static const double CUT_MS = 700.0;

/* Pods are replaced in so many groups. */
enum { ROLL_GROUPS = 10 };

size_t scenario_count(double part, size_t n)
{
	size_t count = part >= 1.0 ? (size_t)part : (size_t)lround(part * (double)n);

	if (count < 1)
		count = 1;
	return count < n ? count : n;
}

void incidents_reserve(const struct scenario *scenario, size_t *n_slots, size_t *n_pods)
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
	*n_slots = pods + added;
	*n_pods = pods + added + reused;
}

/* An instance sees that a server is down at once, and that it is up where health checks take their
 * time at a moment of its own. */
static void show(struct world *world, struct instance *instance, size_t server, bool up)
{
	int within_ms = world->scenario->what->seen_ms;

	instance->seen_ms[server] =
		up && within_ms > 0
			? world->now_ms + 1 + rng_below(&world->checks, (uint32_t)within_ms)
			: 0;
	for (size_t b = 0; b < world->n_backends && instance->seen_ms[server] == 0; b++)
		lb_set_up(instance->lb[b], server, up);
}

static void set_service(struct world *world, size_t slot, bool up)
{
	struct sim_pod *pod = &world->pods[world->servers[slot].pod];

	if (up && !pod->in_service)
		pod->since_ms = world->now_ms;
	pod->in_service = up;
	world_pod_changed(world, world->servers[slot].pod);
	for (size_t s = slot; s < world->n_servers; s += world->n_slots) {
		world->up[s] = up;
		for (unsigned r = 0; r < world->n_instances; r++)
			show(world, &world->instances[r], s, up);
	}
}

/* A server's pod is another from now on, of which no worker has sessions. */
static void renew_server(struct world *world, size_t server)
{
	world->servers[server].generation++;
	for (unsigned r = 0; r < world->n_instances; r++) {
		for (size_t b = 0; b < world->n_backends; b++)
			world->instances[r].current[b][server] = 0;
	}
}

/* The pod of a slot dies: its connections break, and their clients come back. */
static void kill_pod(struct world *world, size_t slot)
{
	struct sim_pod *pod = &world->pods[world->servers[slot].pod];

	set_service(world, slot, false);
	for (uint32_t i = 0; i < pod->count; i++)
		conns_return(&world->conns,
			(double)world->now_ms + RETURN_MS * rng_uniform(&world->returns));
	/* What comes back is another pod to HAProxy and agent. */
	for (size_t s = slot; s < world->n_servers; s += world->n_slots) {
		for (unsigned r = 0; r < world->n_instances; r++) {
			for (size_t b = 0; b < world->n_backends; b++)
				lb_drop(world->instances[r].lb[b], s,
					world->instances[r].current[b][s]);
		}
		renew_server(world, s);
	}
	pod->count = 0;
	pod->shaking = 0;
	pod->generation++;
	pod->kept_ms = 0;
}

static void add(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->scenario->size->pods);

	for (size_t i = 0; i < world->n_slots && n > 0; i++) {
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
		for (size_t b = 0; b < world->n_backends; b++) {
			lb_start(instance->lb[b], world->weights, world->up);
			for (size_t i = 0; i < world->n_servers; i++)
				instance->current[b][i] = 0;
		}
	}
}

static void reuse(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->scenario->size->pods);

	for (size_t i = 0; i < n; i++) {
		uint32_t fresh = (uint32_t)(world->n_slots + i);
		struct sim_pod *old = &world->pods[world->servers[i].pod];

		old->in_service = false;
		world_pod_changed(world, world->servers[i].pod);
		for (size_t s = i; s < world->n_servers; s += world->n_slots) {
			world->servers[s].pod = fresh;
			renew_server(world, s);
		}
		world->pods[fresh].server = (uint32_t)i;
		world->pods[fresh].capacity = old->capacity;
		set_service(world, i, true);
	}
}

/* A connection breaks, and its client is back within a time. */
static void break_conn(struct world *world, struct conn *conn, double within_ms)
{
	conn->live = false;
	world_depart(world, conn);
	if (!conn->plain)
		conns_return(&world->conns,
			(double)world->now_ms + within_ms * rng_uniform(&world->returns));
}

static bool stands(const struct world *world, const struct conn *conn)
{
	return conn->live && conn->pod_generation == world->pods[conn->pod].generation;
}

static void storm(struct world *world, const struct incident *incident)
{
	for (size_t i = 0; i < world->conns.n; i++) {
		struct conn *conn = &world->conns.all[i];

		if (stands(world, conn) && rng_uniform(&world->returns) < incident->part)
			break_conn(world, conn, STORM_MS);
	}
}

static bool is_of_old_worker(const struct world *world, const struct conn *conn)
{
	return conn->instance >= 0 &&
	       conn->worker_generation != world->instances[conn->instance].generation;
}

static void end_old(struct world *world)
{
	for (size_t i = 0; i < world->conns.n; i++) {
		struct conn *conn = &world->conns.all[i];

		if (stands(world, conn) && is_of_old_worker(world, conn))
			break_conn(world, conn, CUT_MS);
	}
}

static void shut_door(struct world *world)
{
	world->direct_per_ms = 0.0;
	for (size_t i = 0; i < world->conns.n; i++) {
		struct conn *conn = &world->conns.all[i];

		if (stands(world, conn) && conn->instance < 0)
			break_conn(world, conn, CUT_MS);
	}
}

static void lie(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->scenario->size->pods);

	for (size_t i = 0; i < n; i++) {
		world->pods[i].lies = true;
		world->pods[i].says = incident->says;
	}
}

static void stick(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->scenario->size->pods);

	for (size_t i = 0; i < n; i++) {
		world->pods[i].lies = true;
		world->pods[i].says = world->pods[i].count;
	}
}

static void mute(struct world *world, const struct incident *incident)
{
	size_t n = scenario_count(incident->part, world->scenario->size->pods);

	for (size_t i = 0; i < n; i++)
		world->pods[i].mute = true;
}

static void run_one(struct world *world, const struct incident *incident)
{
	int passed = (int)(world->now_ms / 1000) - incident->at_s;

	if (incident->kind == INCIDENT_ROLL)
		roll(world, incident, passed);
	if (incident->kind == INCIDENT_CRASH)
		crash(world, incident, 0,
			scenario_count(incident->part, world->scenario->size->pods), passed);
	if (incident->kind == INCIDENT_RELOAD && incident->every_s > 0 && passed > 0 &&
		passed % incident->every_s == 0)
		reload(world, incident);
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
	case INCIDENT_STICK:
		stick(world, incident);
		break;
	case INCIDENT_LIE:
		lie(world, incident);
		break;
	case INCIDENT_MUTE:
		mute(world, incident);
		break;
	case INCIDENT_OLD_END:
		end_old(world);
		break;
	case INCIDENT_DOOR_SHUT:
		shut_door(world);
		break;
	}
}

void incidents_run(struct world *world)
{
	for (size_t i = 0; i < SCENARIO_INCIDENTS; i++)
		run_one(world, &world->scenario->what->incidents[i]);
}
