/* SPDX-License-Identifier: MIT */
#include "core/kube/slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kube/slicestore.h"
#include "core/kube/slots_commands.h"

/* One server while a plan is made. */
struct place {
	const struct hastate_server *server;
	const struct endpoint *pod; /* whose it is; NULL: nobody's */
	const char *known_uid;      /* of the pod that was put at its address; "" unknown */
	bool managed;
	bool added;
	bool maint;
	bool reset; /* the pod is another one than before at the same address */
};

struct planning {
	const struct hastate_backend *backend;
	const struct slots_options *options;
	struct place *places; /* one a server */
	struct place **homes; /* one a wanted pod: its place, or NULL */
	struct slots_plan plan;
	struct slots_commands commands; /* become the plan's */
	bool *extras; /* numbers of added servers that are taken; those above are free */
	unsigned next_extra;
	bool failed; /* out of memory */
};

/* The number in an added server's name, 0 for any other. */
static unsigned added_number(const char *name)
{
	size_t prefix = strlen(SLOTS_ADDED_PREFIX);
	char *end;

	if (strncmp(name, SLOTS_ADDED_PREFIX, prefix) != 0 || name[prefix] < '1' ||
		name[prefix] > '9' || strlen(name) > prefix + 8)
		return 0;
	unsigned long number = strtoul(name + prefix, &end, 10);
	return *end == '\0' ? (unsigned)number : 0;
}

/* The pod whose server this is, so far as the server alone can tell; NULL: nobody's. */
static const struct endpoint *claim(struct place *place, const struct endpoint *wanted, size_t n)
{
	const struct hastate_server *server = place->server;
	const struct endpoint *pod = slicestore_find(wanted, n, server->address, server->port);

	if (!pod)
		return NULL;
	if (!place->known_uid[0] || !pod->uid[0])
		/* Who holds the connections of a server in maintenance nobody knows any more. */
		return place->maint && server->scur > 0 ? NULL : pod;
	if (strcmp(place->known_uid, pod->uid) == 0)
		return pod;
	place->reset = true;
	return server->scur > 0 ? NULL : pod;
}

/* Of two servers at one pod's address, the one that is surer to be its own. */
static bool better_home(const struct place *a, const struct place *b)
{
	if (a->reset != b->reset)
		return b->reset;
	if ((a->known_uid[0] != '\0') != (b->known_uid[0] != '\0'))
		return a->known_uid[0] != '\0';
	if (a->maint != b->maint)
		return b->maint;
	bool a_drains = a->server->admin_state & HASTATE_ADMIN_DRAIN;
	bool b_drains = b->server->admin_state & HASTATE_ADMIN_DRAIN;
	return !a_drains && b_drains;
}

static void survey(struct planning *p, const struct endpoint *wanted, size_t n_wanted,
	const struct slots_memory *memory)
{
	for (size_t i = 0; i < p->backend->n_servers; i++) {
		const struct hastate_server *server = &p->backend->servers[i];
		struct place *place = &p->places[i];

		*place = (struct place){
			.server = server,
			.known_uid = slots_memory_uid(
				memory, server->name, server->address, server->port),
			.managed = !server->backup && !server->fqdn[0],
			.added = added_number(server->name) > 0,
			.maint = (server->admin_state & HASTATE_ADMIN_MAINT) != 0,
		};
		if (added_number(server->name) < p->backend->n_servers + n_wanted + 2)
			p->extras[added_number(server->name)] = true;
		if (!place->managed)
			continue;
		const struct endpoint *pod = claim(place, wanted, n_wanted);
		/* An added server is deleted rather than used again. */
		if (!pod || (place->added && place->maint && server->scur == 0))
			continue;
		struct place **home = &p->homes[pod - wanted];
		if (*home && !better_home(place, *home))
			continue;
		if (*home)
			(*home)->pod = NULL;
		*home = place;
		place->pod = pod;
	}
}

/* A server's weight is left at 0 by no rule of ours; a slot configured at 0 would never be used. */
static int first_weight(const struct planning *p)
{
	for (size_t i = 0; i < p->backend->n_servers; i++) {
		if (p->places[i].managed && !p->places[i].added && p->places[i].server->iweight > 0)
			return p->places[i].server->iweight;
	}
	return 100;
}

static void activate(struct planning *p, struct place *place, const struct endpoint *pod)
{
	int weight = place->server->iweight > 0 ? place->server->iweight : first_weight(p);

	slots_commands_move(&p->commands, place->server->name, place->maint, pod, weight);
	place->pod = pod;
}

static void add_server(struct planning *p, const struct endpoint *pod)
{
	char name[32];

	do
		p->next_extra++;
	while (p->extras[p->next_extra]);
	snprintf(name, sizeof(name), SLOTS_ADDED_PREFIX "%u", p->next_extra);
	if (!slots_memory_put(&p->plan.memory, name, pod->address, pod->port, pod->uid)) {
		p->failed = true;
		return;
	}
	slots_commands_add(&p->commands, name, pod, first_weight(p), p->options->added_line);
	p->plan.added++;
}

/* The next slot from *from on that nobody has and nobody is connected to; NULL: none. */
static struct place *free_slot(struct planning *p, size_t *from)
{
	for (; *from < p->backend->n_servers; (*from)++) {
		struct place *place = &p->places[*from];

		if (place->managed && !place->added && place->maint && !place->pod &&
			place->server->scur == 0)
			return place;
	}
	return NULL;
}

/* A server for a pod that has none: a slot, or one that is added. False: there is no more. */
static bool find_home(struct planning *p, const struct endpoint *pod, size_t *from)
{
	struct place *slot = free_slot(p, from);

	if (slot)
		activate(p, slot, pod);
	else if (p->plan.added < p->options->added_max)
		add_server(p, pod);
	else
		return false;
	return true;
}

/* A pod has its server, which is to take new connections. */
static void open_home(struct planning *p, struct place *home, const struct endpoint *pod)
{
	if (home->maint || home->reset)
		activate(p, home, pod);
	else if (home->server->admin_state & HASTATE_ADMIN_DRAIN)
		slots_commands_state(&p->commands, home->server->name, "ready");
}

/* New connections first get somewhere to go; then others are closed to them. */
static void place_ready(struct planning *p, const struct endpoint *wanted, size_t n_wanted,
	enum endpoint_state least)
{
	size_t from = 0;

	for (size_t i = 0; i < n_wanted; i++) {
		if (wanted[i].state < least)
			continue;
		if (p->homes[i]) {
			open_home(p, p->homes[i], &wanted[i]);
		} else if (!find_home(p, &wanted[i], &from)) {
			p->plan.unplaced++;
			continue;
		}
		p->plan.ready++;
	}
}

static void place_others(struct planning *p, const struct endpoint *wanted, size_t n_wanted,
	enum endpoint_state least)
{
	for (size_t i = 0; i < n_wanted; i++) {
		struct place *home = p->homes[i];

		if (wanted[i].state >= least || !home)
			continue;
		if (home->maint || home->reset) {
			home->pod = NULL; /* not ready: not worth a slot that it does not have */
			continue;
		}
		if (!(home->server->admin_state & HASTATE_ADMIN_DRAIN))
			slots_commands_state(&p->commands, home->server->name, "drain");
		p->plan.draining++;
	}
}

static void release_rest(struct planning *p)
{
	for (size_t i = 0; i < p->backend->n_servers; i++) {
		struct place *place = &p->places[i];

		if (!place->managed || place->pod)
			continue;
		if (!place->maint)
			slots_commands_state(&p->commands, place->server->name, "maint");
		if (place->server->scur > 0)
			p->plan.quarantined++;
		else if (!place->added)
			p->plan.free++;
		else
			slots_commands_delete(&p->commands, place->server->name);
	}
}

/* An added server counts until it is deleted. */
static void count_added(struct planning *p)
{
	for (size_t i = 0; i < p->backend->n_servers; i++) {
		const struct place *place = &p->places[i];

		if (place->managed && place->added && (place->pod || place->server->scur > 0))
			p->plan.added++;
	}
}

/* Also of a server whose pod is gone while connections stay: the pod may come back. */
static void remember_all(struct planning *p)
{
	for (size_t i = 0; i < p->backend->n_servers && !p->failed; i++) {
		const struct place *place = &p->places[i];
		const struct hastate_server *server = place->server;
		const struct endpoint *pod = place->pod;
		const char *uid = pod && pod->uid[0] ? pod->uid : place->known_uid;

		if (pod || (place->managed && uid[0])) {
			p->failed = !slots_memory_put(&p->plan.memory, server->name,
				pod ? pod->address : server->address,
				pod ? pod->port : server->port, uid);
		}
	}
	slots_memory_sort(&p->plan.memory);
}

bool slots_plan(const struct hastate_backend *backend, const struct endpoint *wanted,
	size_t n_wanted, const struct slots_options *options, const struct slots_memory *memory,
	struct slots_plan *plan)
{
	struct planning p = {
		.backend = backend,
		.options = options,
		.commands = {.backend = backend->name},
	};
	enum endpoint_state least = ENDPOINT_TERMINATING;

	for (size_t i = 0; i < n_wanted; i++) {
		if (wanted[i].state == ENDPOINT_READY)
			least = ENDPOINT_READY;
	}
	/* One more than needed, so that nothing is asked for 0 bytes. */
	p.places = calloc(backend->n_servers + 1, sizeof(*p.places));
	p.homes = calloc(n_wanted + 1, sizeof(struct place *));
	p.extras = calloc(backend->n_servers + n_wanted + 2, sizeof(*p.extras));
	p.failed = !p.places || !p.homes || !p.extras ||
		   !slots_memory_init(&p.plan.memory, backend->n_servers + n_wanted);
	if (!p.failed) {
		survey(&p, wanted, n_wanted, memory);
		count_added(&p);
		place_ready(&p, wanted, n_wanted, least);
		place_others(&p, wanted, n_wanted, least);
		release_rest(&p);
		remember_all(&p);
	}
	free(p.places);
	free(p.homes);
	free(p.extras);
	if (p.failed || p.commands.failed) {
		slots_commands_fini(&p.commands);
		slots_plan_fini(&p.plan);
		return false;
	}
	*plan = p.plan;
	plan->commands = p.commands.lines;
	plan->n_commands = p.commands.n;
	return true;
}

void slots_plan_fini(struct slots_plan *plan)
{
	for (size_t i = 0; i < plan->n_commands; i++)
		free(plan->commands[i]);
	free(plan->commands);
	slots_memory_fini(&plan->memory);
	*plan = (struct slots_plan){.commands = NULL};
}
