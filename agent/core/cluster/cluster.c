/* SPDX-License-Identifier: MIT */
/* The model of backends and their servers. */
#include "core/cluster/cluster.h"

#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/cluster/asking.h"
#include "core/cluster/sharing.h"

enum {
	FIRST_SIZE = 64, /* the table grows by itself */
	ID_MAX = 4096,   /* bytes of "backend/server": two of HAProxy's configuration lines */
};

struct cluster {
	struct cluster_settings settings; /* its names are owned */
	struct hastate_info info;
	int64_t updated_ms;
	uint64_t n_updates;
	uint64_t edition;
	uint64_t n_workers; /* HAProxy processes seen */
	struct cluster_counters counters;
	struct buf left_out; /* names of mode tcp backends that nobody named */
	struct backend **backends;
	size_t n_backends;
	struct lh_table *servers; /* "backend/server" -> struct server */
	struct pod_table *pods;
	bool first_round_done;
};

void cluster_settings_fini(struct cluster_settings *settings)
{
	for (size_t i = 0; i < settings->n_peers; i++)
		free(settings->peers[i]);
	free(settings->peers);
	settings->peers = NULL;
	settings->n_peers = 0;
	selection_fini(&settings->selection);
}

bool cluster_settings_copy(const struct cluster_settings *from, struct cluster_settings *to)
{
	struct cluster_settings copy = *from;

	copy.peers = NULL;
	copy.n_peers = 0;
	copy.selection = (struct selection){.backends = NULL};
	if (!text_copy_list(from->peers, from->n_peers, &copy.peers, &copy.n_peers) ||
		!selection_copy(&from->selection, &copy.selection)) {
		cluster_settings_fini(&copy);
		return false;
	}
	*to = copy;
	return true;
}

bool cluster_configure(struct cluster *cluster, const struct cluster_settings *settings)
{
	struct cluster_settings copy;

	if (!cluster_settings_copy(settings, &copy))
		return false;
	cluster_settings_fini(&cluster->settings);
	cluster->settings = copy;
	cluster->edition++;
	return true;
}

struct cluster *cluster_new(const struct cluster_settings *settings)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));

	if (!cluster)
		return NULL;
	cluster->servers = lh_kchar_table_new(FIRST_SIZE, NULL);
	cluster->pods = pod_table_new();
	if (!cluster->servers || !cluster->pods || !cluster_configure(cluster, settings)) {
		cluster_free(cluster);
		return NULL;
	}
	return cluster;
}

void cluster_free(struct cluster *cluster)
{
	if (!cluster)
		return;
	for (size_t i = 0; i < cluster->n_backends; i++)
		backend_free(cluster->backends[i]);
	free(cluster->backends);
	if (cluster->servers) {
		struct lh_entry *entry;

		lh_foreach(cluster->servers, entry)
		{
			server_free(lh_entry_v(entry));
		}
		lh_table_free(cluster->servers);
	}
	pod_table_free(cluster->pods);
	cluster_settings_fini(&cluster->settings);
	buf_fini(&cluster->left_out);
	free(cluster);
}

static enum backend_mode mode_of(const struct cluster *cluster, const char *algo)
{
	return cluster->settings.agent_check_only ? BACKEND_FLOW : backend_mode_of(algo);
}

/* A backend that leads to the agent's own endpoint, and to nobody else. */
static bool is_ourselves(const struct selection *selection, const struct hastate_backend *row)
{
	for (size_t i = 0; i < row->n_servers; i++) {
		if (!selection_is_own(selection, row->servers[i].address, row->servers[i].port))
			return false;
	}
	return row->n_servers > 0;
}

/* A backend named in the settings is shown even when it cannot be steered. */
static bool is_selected(const struct cluster *cluster, const struct hastate_backend *row)
{
	const struct selection *selection = &cluster->settings.selection;

	if (row->tcp && !selection_is_named(selection, row->name))
		return false;
	if (selection->n_backends > 0)
		return selection_has(selection, row->name);
	return row->n_servers > 0 && mode_of(cluster, row->algo) != BACKEND_NOT_STEERED &&
	       !is_ourselves(selection, row);
}

/* Adds a new backend at the end. False when out of memory. */
static bool add_backend(struct cluster *cluster, const char *name)
{
	struct backend **grown =
		reallocarray(cluster->backends, cluster->n_backends + 1, sizeof(struct backend *));
	struct backend *backend;

	if (!grown)
		return false;
	cluster->backends = grown;
	backend = backend_new(name);
	if (!backend)
		return false;
	cluster->backends[cluster->n_backends++] = backend;
	return true;
}

/* The backend of a line, made where it is new, moved to the place that HAProxy gives it; those
 * before have theirs. NULL when out of memory. */
static struct backend *obtain_backend(struct cluster *cluster, const char *name, size_t place)
{
	struct backend **backends;
	struct backend *backend;
	size_t i = place;

	while (i < cluster->n_backends && strcmp(cluster->backends[i]->name, name) != 0)
		i++;
	if (i == cluster->n_backends && !add_backend(cluster, name))
		return NULL;
	backends = cluster->backends;
	backend = backends[i];
	memmove(&backends[place + 1], &backends[place], (i - place) * sizeof(struct backend *));
	backends[place] = backend;
	return backend;
}

/* The server of a line, made where it is new. It is where it was in the answer before, as a rule.
 * NULL when out of memory. */
static struct server *obtain_server(struct cluster *cluster, struct backend *backend, size_t place,
	const char *name, int64_t now_ms)
{
	struct server *server = place < backend->n_servers ? backend->servers[place] : NULL;

	if (server && strcmp(server->name, name) == 0)
		return server;
	server = cluster_find_server(
		cluster, backend->name, strlen(backend->name), name, strlen(name));
	if (server)
		return server;
	server = server_new(backend, backend->name, name, now_ms);
	if (server && lh_table_insert(cluster->servers, server->id, server) != 0) {
		server_free(server);
		return NULL;
	}
	return server;
}

/* Sessions so far, for the arrival rate. Without HAProxy's word, by how many the pods' counts have
 * grown: what left between two polls is missed, so it is a lower bound. */
static uint64_t total_of(const struct cluster *cluster, const struct server *server)
{
	if (cluster->settings.agent_check_only)
		return server->pod ? server->pod->gained : 0;
	return server->sessions.total;
}

static bool update_backend(struct cluster *cluster, const struct hastate_backend *row, size_t place,
	struct server_update *update)
{
	struct backend *backend = obtain_backend(cluster, row->name, place);
	struct server **servers = calloc(row->n_servers + 1, sizeof(struct server *));
	const char *other = NULL;
	uint64_t total = 0;
	double grown = 0.0;
	double closed = 0.0;
	double held = 0.0;

	if (!backend || !servers) {
		free(servers);
		return false;
	}
	backend->id = row->id;
	backend->sticky = row->sticky;
	snprintf(backend->algo, sizeof(backend->algo), "%s", row->algo);
	update->source = selection_source(&cluster->settings.selection, row->name, &other);
	/* Who of the two is meant nobody knows. */
	backend->ambiguous = other != NULL;
	backend->mode = other ? BACKEND_NOT_STEERED : mode_of(cluster, row->algo);
	update->stock = backend->mode == BACKEND_STOCK;
	update->has_others = backend->planned;
	update->selection = &cluster->settings.selection;
	update->news = false;
	for (size_t i = 0; i < row->n_servers; i++) {
		servers[i] =
			obtain_server(cluster, backend, i, row->servers[i].name, update->now_ms);
		if (!servers[i] || !server_update(servers[i], &row->servers[i],
					   backend->mode != BACKEND_NOT_STEERED, update)) {
			free(servers);
			return false;
		}
		total += total_of(cluster, servers[i]);
		grown += sessions_grown(&servers[i]->sessions);
		closed += sessions_closed(&servers[i]->sessions);
		held += (double)servers[i]->sessions.own;
	}
	backend->news = update->news || backend->n_servers != row->n_servers;
	free(backend->servers);
	backend->servers = servers;
	backend->n_servers = row->n_servers;
	backend->seen = update->number;
	rate_update(&backend->arrivals, total, update->now_ms);
	rate_add(&backend->growth, grown, update->now_ms);
	lives_update(&backend->lives, closed, held, update->now_ms);
	return true;
}

/* Frees what HAProxy no longer lists: servers first, since they point to their backends. */
static void sweep(struct cluster *cluster, const struct server_update *update)
{
	struct lh_entry *entry;
	struct lh_entry *next;
	size_t kept = 0;

	lh_foreach_safe(cluster->servers, entry, next)
	{
		struct server *server = lh_entry_v(entry);

		if (server->seen == update->number)
			continue;
		lh_table_delete_entry(cluster->servers, entry);
		pod_release(cluster->pods, server->pod, update->gone, update->arg);
		server_free(server);
	}
	for (size_t i = 0; i < cluster->n_backends; i++) {
		if (cluster->backends[i]->seen == update->number)
			cluster->backends[kept++] = cluster->backends[i];
		else
			backend_free(cluster->backends[i]);
	}
	cluster->n_backends = kept;
}

static void clear_wanted(struct pod *pod)
{
	/* One that comes back may be another process than the one that was heard. */
	if (!pod->wanted)
		pod->sampled = 0;
	pod->wanted = false;
	pod->held = 0;
}

static void mark_wanted(struct cluster *cluster, int64_t now_ms)
{
	const struct selection *selection = &cluster->settings.selection;
	size_t n_pods;
	struct pod *const *pods = pod_table_list(cluster->pods, &n_pods);
	struct lh_entry *entry;

	for (size_t i = 0; i < n_pods; i++)
		clear_wanted(pods[i]);
	lh_foreach(cluster->servers, entry)
	{
		struct server *server = lh_entry_v(entry);

		if (server->pod)
			server->pod->held += server->sessions.own;
	}
	for (size_t i = 0; i < cluster->n_backends; i++) {
		struct backend *backend = cluster->backends[i];

		asking_update(backend,
			selection->n_backends > 0 || selection_is_named(selection, backend->name),
			backend->news, now_ms);
	}
}

/* What would be steered if it spoke HTTP. */
static void note_left_out(struct cluster *cluster, const struct hastate_backend *row)
{
	if (row->tcp && row->n_servers > 0 && mode_of(cluster, row->algo) != BACKEND_NOT_STEERED &&
		selection_has(&cluster->settings.selection, row->name))
		buf_printf(&cluster->left_out, "%s%s", cluster->left_out.len > 0 ? ", " : "",
			row->name);
}

const char *cluster_left_out(const struct cluster *cluster)
{
	return buf_text(&cluster->left_out);
}

bool cluster_update(struct cluster *cluster, const struct hastate_snapshot *snapshot,
	int64_t now_ms, pod_gone gone, void *arg)
{
	bool first = cluster->n_updates == 0;
	bool another = first || !hastate_is_same_process(&cluster->info, &snapshot->info);
	struct server_update update = {
		.pods = cluster->pods,
		.now_ms = now_ms,
		.replicas = cluster->settings.replicas,
		.number = ++cluster->n_updates,
		.worker = cluster->n_workers += another,
		.gone = gone,
		.arg = arg,
	};
	bool complete = true;
	size_t place = 0;

	cluster->edition++;
	buf_clear(&cluster->left_out);
	for (size_t i = 0; i < snapshot->n_backends; i++) {
		if (!is_selected(cluster, &snapshot->backends[i])) {
			note_left_out(cluster, &snapshot->backends[i]);
			continue;
		}
		if (update_backend(cluster, &snapshot->backends[i], place, &update))
			place++;
		else
			complete = false;
	}
	/* With something missing for want of memory, nothing is taken for gone. */
	if (complete)
		sweep(cluster, &update);
	sharing_update(cluster->backends, cluster->n_backends, cluster->settings.replicas);
	mark_wanted(cluster, now_ms);
	cluster->counters.reloads += another && !first;
	cluster->counters.new_addresses += update.new_addresses;
	cluster->counters.repairs += update.repairs;
	cluster->info = snapshot->info;
	cluster->updated_ms = now_ms;
	return complete;
}

const struct hastate_info *cluster_info(const struct cluster *cluster)
{
	return &cluster->info;
}

int64_t cluster_updated_ms(const struct cluster *cluster)
{
	return cluster->updated_ms;
}

uint64_t cluster_edition(const struct cluster *cluster)
{
	return cluster->edition;
}

const struct cluster_settings *cluster_settings(const struct cluster *cluster)
{
	return &cluster->settings;
}

const struct cluster_counters *cluster_counters(const struct cluster *cluster)
{
	return &cluster->counters;
}

bool cluster_is_first_round_done(struct cluster *cluster)
{
	size_t n;
	struct pod *const *pods = pod_table_list(cluster->pods, &n);

	if (cluster->first_round_done || cluster->updated_ms == 0)
		return cluster->first_round_done;
	for (size_t i = 0; i < n; i++) {
		if (pods[i]->wanted && pods[i]->polled_ms == 0)
			return false;
	}
	cluster->first_round_done = true;
	return true;
}

const struct backend *const *cluster_backends(const struct cluster *cluster, size_t *n)
{
	*n = cluster->n_backends;
	/* C adds a const behind one pointer by itself, and behind two only when told. */
	return (const struct backend *const *)cluster->backends;
}

struct backend *const *cluster_edit_backends(struct cluster *cluster, size_t *n)
{
	*n = cluster->n_backends;
	return cluster->backends;
}

struct pod *const *cluster_edit_pods(struct cluster *cluster, size_t *n)
{
	return pod_table_list(cluster->pods, n);
}

bool cluster_has_selected(const struct cluster *cluster)
{
	const struct selection *selection = &cluster->settings.selection;

	for (size_t i = 0; i < selection->n_backends; i++) {
		bool found = false;

		for (size_t b = 0; b < cluster->n_backends && !found; b++)
			found = text_matches(selection->backends[i], cluster->backends[b]->name);
		if (!found)
			return false;
	}
	return true;
}

struct server *cluster_find_server(struct cluster *cluster, const char *backend, size_t backend_len,
	const char *server, size_t server_len)
{
	char id[ID_MAX];
	void *found = NULL;

	if (backend_len + server_len + 2 > sizeof(id) || memchr(backend, '\0', backend_len) ||
		memchr(server, '\0', server_len))
		return NULL;
	memcpy(id, backend, backend_len);
	id[backend_len] = '/';
	memcpy(id + backend_len + 1, server, server_len);
	id[backend_len + 1 + server_len] = '\0';
	lh_table_lookup_ex(cluster->servers, id, &found);
	return found;
}
