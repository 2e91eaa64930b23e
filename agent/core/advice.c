/* SPDX-License-Identifier: MIT */
#include "core/advice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void backend_fini(struct advice_backend *backend)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		free(backend->servers[i].name);
		free(backend->servers[i].address);
	}
	free(backend->servers);
	free(backend->pods);
	free(backend->readings);
	free(backend->name);
}

void advice_fini(struct advice *advice)
{
	for (size_t i = 0; i < advice->n_backends; i++)
		backend_fini(&advice->backends[i]);
	free(advice->backends);
	*advice = (struct advice){.n_backends = 0};
}

static struct advice_backend *obtain_backend(struct advice *advice, const char *name)
{
	struct advice_backend *grown;

	for (size_t i = 0; i < advice->n_backends; i++) {
		if (strcmp(advice->backends[i].name, name) == 0)
			return &advice->backends[i];
	}
	grown = reallocarray(advice->backends, advice->n_backends + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	advice->backends = grown;
	grown += advice->n_backends;
	*grown = (struct advice_backend){.name = strdup(name)};
	advice->n_backends += grown->name != NULL;
	return grown->name ? grown : NULL;
}

/* Makes room for one more of each. False when out of memory, with nothing lost. */
static bool grow(struct advice_backend *backend)
{
	size_t n = backend->n_servers + 1;
	struct advice_server *servers = reallocarray(backend->servers, n, sizeof(*servers));
	struct hindsight_pod *pods = reallocarray(backend->pods, n, sizeof(*pods));
	struct hindsight_reading *readings = reallocarray(backend->readings, n, sizeof(*readings));

	backend->servers = servers ? servers : backend->servers;
	backend->pods = pods ? pods : backend->pods;
	backend->readings = readings ? readings : backend->readings;
	return servers && pods && readings;
}

/* Where a server stands, made where it is new. HAProxy lists them in one order, so it is where it
 * was. n_servers when out of memory. */
static size_t obtain_server(struct advice_backend *backend, const char *name, size_t guess)
{
	size_t n = backend->n_servers;
	char *copy;
	char *address;

	for (size_t step = 0; step < n; step++) {
		size_t i = (guess + step) % n;

		if (strcmp(backend->servers[i].name, name) == 0)
			return i;
	}
	copy = strdup(name);
	address = strdup("");
	if (!copy || !address || !grow(backend)) {
		free(copy);
		free(address);
		return n;
	}
	backend->servers[n] = (struct advice_server){.name = copy, .address = address};
	backend->pods[n] = (struct hindsight_pod){.begun = false};
	backend->readings[n] = (struct hindsight_reading){.capacity = 1.0};
	backend->n_servers++;
	return n;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_free(const struct hastate_server *row)
{
	return row->address[0] == '\0' || (row->admin_state & HASTATE_ADMIN_MAINT) != 0 ||
	       has_prefix(row->status, "MAINT");
}

/* New connections may go there. */
static bool is_used(const struct hastate_server *row)
{
	return !is_free(row) && row->op_state != 0 && !row->backup && row->iweight > 0 &&
	       !has_prefix(row->status, "DOWN") && !has_prefix(row->status, "DRAIN") &&
	       !has_prefix(row->status, "NOLB") && (row->admin_state & HASTATE_ADMIN_DRAIN) == 0;
}

/* Another address is another pod, and what stands there is the old one's. */
static bool update_address(struct advice_backend *backend, struct advice_server *server,
	const struct hastate_server *row)
{
	bool moved = server->address[0] != '\0' && row->address[0] != '\0' &&
		     (strcmp(server->address, row->address) != 0 || server->port != row->port);
	char *address;

	if (strcmp(server->address, row->address) == 0 && server->port == row->port)
		return true;
	/* A slot that is empty for now keeps its last pod's address. */
	if (row->address[0] == '\0')
		return true;
	address = strdup(row->address);
	if (!address)
		return false;
	free(server->address);
	server->address = address;
	server->port = row->port;
	if (moved) {
		backend->n_moved += row->scur > 0;
		server->stray = row->scur;
		server->old = 0.0;
	}
	return true;
}

/* What old workers are known to hold on a server. */
static double read_old(
	const struct advice_workers *workers, const char *backend, const char *server)
{
	double held = 0.0;

	for (size_t w = 0; w < workers->n; w++) {
		const struct hastate_snapshot *snapshot = &workers->snapshots[w];

		for (size_t b = 0; b < snapshot->n_backends; b++) {
			const struct hastate_backend *found = &snapshot->backends[b];

			for (size_t s = 0;
				strcmp(found->name, backend) == 0 && s < found->n_servers; s++) {
				if (strcmp(found->servers[s].name, server) == 0)
					held += found->servers[s].scur;
			}
		}
	}
	return held;
}

/* The part of the standing connections that is left after a time in which connections end as often
 * as they have done. */
static double part_left(const struct advice_backend *backend, double ms)
{
	return backend->held_ms > 0.0 ? exp(-ms * backend->ended / backend->held_ms) : 1.0;
}

/* What a reading is made of, beside HAProxy's own answer. */
struct look {
	const struct advice *advice;
	const struct advice_workers *workers;
	bool reloaded;
	bool old_is_gone; /* the worker that was replaced last has ended */
	double ms;        /* since the last reading */
};

static void update_old(const struct look *look, const struct advice_backend *backend,
	struct advice_server *server, double own_before)
{
	if (look->workers->sight == ADVICE_READ) {
		server->old = read_old(look->workers, backend->name, server->name);
		return;
	}
	if (look->reloaded)
		server->old += own_before;
	else
		server->old *= part_left(backend, look->ms);
	if (look->old_is_gone)
		server->old = 0.0;
}

/* Takes a row as the server's reading. False when out of memory. */
static bool observe_server(const struct look *look, struct advice_backend *backend, size_t i,
	const struct hastate_server *row)
{
	struct advice_server *server = &backend->servers[i];
	struct hindsight_reading *reading = &backend->readings[i];
	const struct hindsight_pod *pod = &backend->pods[i];
	double before = pod->begun ? pod->last.own : 0.0;
	double came = look->reloaded || row->stot < server->total
			      ? (double)row->stot
			      : (double)(row->stot - server->total);
	double stood = (look->reloaded ? 0.0 : before) + came;
	double left = stood > 0.0 ? fmin(1.0, row->scur / stood) : 1.0;

	/* What stood when the watching began was not placed while it lasted. */
	if (!pod->begun)
		came = look->advice->n_readings > 0 && !look->reloaded ? row->scur : 0.0;
	update_old(look, backend, server, before - fmin(before, server->stray));
	server->stray = look->reloaded ? 0.0 : server->stray * left;
	if (!update_address(backend, server, row))
		return false;
	if (pod->begun && !look->reloaded) {
		backend->ended += fmax(0.0, stood - row->scur);
		backend->held_ms += before * look->ms;
	}
	server->listed = true;
	server->is_free = is_free(row);
	server->total = row->stot;
	*reading = (struct hindsight_reading){
		.own = row->scur,
		.beyond = server->old - server->stray,
		.arrived = came,
		.capacity = row->iweight > 0 ? row->iweight : 1,
		.used = is_used(row),
	};
	backend->arrived += came;
	return true;
}

/* Servers that HAProxy no longer lists. */
static void drop_unlisted(struct advice_backend *backend)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		if (!backend->servers[i].listed)
			backend->readings[i] = (struct hindsight_reading){.capacity = 1.0};
	}
}

static void sum_up(struct advice_backend *backend)
{
	backend->n_used = 0;
	backend->n_free = 0;
	backend->standing = 0.0;
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct hindsight_reading *reading = &backend->readings[i];

		backend->n_used += reading->used;
		backend->n_free += backend->servers[i].listed && backend->servers[i].is_free;
		backend->standing += fmax(0.0, reading->own + backend->servers[i].old);
	}
	backend->n_readings++;
	backend->seen += hindsight_seen(backend->pods, backend->n_servers);
	backend->counted += hindsight_counted(backend->pods, backend->n_servers);
	for (size_t way = 0; way < HINDSIGHT_WAYS; way++)
		backend->reckoned[way] += hindsight_reckoned(
			backend->pods, backend->n_servers, (enum hindsight_way)way);
}

static bool observe_backend(
	struct advice *advice, const struct look *look, const struct hastate_backend *row)
{
	struct advice_backend *backend = obtain_backend(advice, row->name);

	if (!backend)
		return false;
	snprintf(backend->algo, sizeof(backend->algo), "%s", row->algo);
	for (size_t i = 0; i < backend->n_servers; i++)
		backend->servers[i].listed = false;
	for (size_t i = 0; i < row->n_servers; i++) {
		size_t place = obtain_server(backend, row->servers[i].name, i);

		if (place == backend->n_servers ||
			!observe_server(look, backend, place, &row->servers[i]))
			return false;
	}
	drop_unlisted(backend);
	hindsight_step(backend->pods, backend->readings, backend->n_servers, look->reloaded);
	sum_up(backend);
	return true;
}

static bool lives(const struct advice_workers *workers, int64_t pid)
{
	for (size_t i = 0; i < workers->n; i++) {
		if (workers->pids[i] == pid)
			return true;
	}
	return false;
}

/* What is known of the old workers now. */
static void look_at_old(struct advice *advice, const struct advice_workers *workers, bool first)
{
	advice->sight = workers->sight;
	advice->n_old = workers->sight == ADVICE_BLIND ? 0 : workers->n;
	if (first && workers->sight == ADVICE_COUNTED && workers->n > 0)
		advice->old_unread = true;
	if (advice->n_reloads > 0 && workers->sight != ADVICE_READ)
		advice->old_reckoned = true;
}

bool advice_observe(struct advice *advice, const struct hastate_snapshot *snapshot,
	const struct advice_workers *workers, int64_t now_ms)
{
	bool first = advice->info.pid == 0;
	struct look look = {
		.advice = advice,
		.workers = workers,
		.reloaded = !first && !hastate_is_same_process(&advice->info, &snapshot->info),
		.ms = first ? 0.0 : (double)(now_ms - advice->last_ms),
	};

	if (look.reloaded) {
		advice->n_reloads++;
		advice->old_pid = advice->info.pid;
	}
	look.old_is_gone = workers->sight != ADVICE_BLIND && advice->old_pid != 0 &&
			   !lives(workers, advice->old_pid);
	look_at_old(advice, workers, first);
	for (size_t i = 0; i < snapshot->n_backends; i++) {
		if (!observe_backend(advice, &look, &snapshot->backends[i]))
			return false;
	}
	if (first)
		advice->first_ms = now_ms;
	advice->info = snapshot->info;
	advice->last_ms = now_ms;
	advice->n_readings++;
	return true;
}
