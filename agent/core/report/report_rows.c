/* SPDX-License-Identifier: MIT */
#include "core/report/report_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 320 }; /* http://, a DNS name, a colon, a port */

static const char *const planned_words[] = {
	[PLANNER_HEARD] = "heard",
	[PLANNER_STALE] = "stale",
	[PLANNER_NEVER_HEARD] = "never_heard",
	[PLANNER_DISBELIEVED] = "disbelieved",
	[PLANNER_DRAINING] = "draining",
};

static const char *const state_words[] = {
	[SERVER_STEERED] = "unplanned",
	[SERVER_DOWN] = "down",
	[SERVER_MAINT] = "maint",
	[SERVER_DRAIN] = "drain",
	[SERVER_BACKUP] = "backup",
	[SERVER_WEIGHT_ZERO] = "weight_zero",
	[SERVER_NO_ADDRESS] = "no_address",
	[SERVER_NOT_STEERED] = "not_steered",
};

double report_wall_s(const struct report_view *view, int64_t then_ms)
{
	return (double)(view->wall_ms - (view->now_ms - then_ms)) / 1000.0;
}

bool report_is_planned(const struct backend *backend)
{
	return backend->planned && backend->mode != BACKEND_NOT_STEERED;
}

static bool is_planned(const struct server *server)
{
	return server->state == SERVER_STEERED && server->plan.made;
}

static bool is_planned_as(const struct server *server, enum planner_basis basis)
{
	return is_planned(server) && server->plan.result.basis == basis;
}

const char *report_state(const struct server *server)
{
	if (is_planned(server))
		return planned_words[server->plan.result.basis];
	return state_words[server->state];
}

const char *const *report_states(void)
{
	static const char *const all[] = {
		"heard",
		"stale",
		"never_heard",
		"disbelieved",
		"draining",
		"unplanned",
		"down",
		"maint",
		"drain",
		"backup",
		"weight_zero",
		"no_address",
		"not_steered",
		NULL,
	};

	return all;
}

/* The pod's own word where it is fresh enough and believed, else what the plan reckons, else what
 * leastconn assumes: that every instance holds as many as this one. */
static uint32_t connections_of(const struct report_row *row, unsigned replicas)
{
	const struct server *server = row->server;
	double reckoned = (double)server->sessions.own * (double)replicas;

	if (row->known && !is_planned_as(server, PLANNER_DISBELIEVED))
		return server->pod->metric.count;
	if (row->planned)
		reckoned = server->plan.result.count;
	return (uint32_t)fmin(round(reckoned), INT32_MAX);
}

static bool is_selected(
	const struct report_view *view, const struct server *server, const char *url)
{
	const struct pod *pod = server->pod;

	if (view->service && strcmp(view->service, url) != 0 &&
		strcmp(view->service, server->backend->name) != 0)
		return false;
	return !view->pod || strcmp(view->pod, server->name) == 0 ||
	       strcmp(view->pod, pod->key) == 0 || strcmp(view->pod, pod->address) == 0 ||
	       (*view->pod && strcmp(view->pod, pod_name(pod)) == 0);
}

/* Appends the server's row when it is selected; false when out of memory. There is room. */
static bool add_row(
	struct report_rows *rows, const struct report_view *view, const struct server *server)
{
	const struct cluster_settings *settings = cluster_settings(view->cluster);
	char url[URL_MAX];

	report_service_url(server, url, sizeof(url));
	if (!is_selected(view, server, url))
		return true;

	struct report_row row = {
		.backend = server->backend,
		.server = server,
		.url = strdup(url),
		.age_ms = server->pod->heard ? view->now_ms - server->pod->heard_ms : -1,
		.planned = is_planned(server),
		.level = -1.0,
		.order = rows->n_rows,
	};

	if (!row.url)
		return false;
	if (row.planned && server->plan.result.basis != PLANNER_DRAINING)
		row.level = server->plan.result.count + server->plan.result.deficit;
	row.known = row.age_ms >= 0 && row.age_ms <= settings->cache_ttl_ms;
	row.connections = connections_of(&row, settings->replicas);
	rows->rows[rows->n_rows++] = row;
	return true;
}

static bool collect(struct report_rows *rows, const struct report_view *view)
{
	size_t n_backends;
	struct backend *const *backends = cluster_backends(view->cluster, &n_backends);
	size_t n_servers = 0;

	for (size_t i = 0; i < n_backends; i++)
		n_servers += backends[i]->n_servers;
	rows->rows = calloc(n_servers + 1, sizeof(*rows->rows));
	if (!rows->rows)
		return false;
	for (size_t i = 0; i < n_backends; i++) {
		for (size_t j = 0; j < backends[i]->n_servers; j++) {
			const struct server *server = backends[i]->servers[j];

			if (!server->pod || server_is_free_slot(server))
				continue;
			if (!add_row(rows, view, server))
				return false;
		}
	}
	return true;
}

static int compare_orders(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_by_pod(const void *a, const void *b)
{
	const struct report_row *x = a;
	const struct report_row *y = b;
	uintptr_t p = (uintptr_t)x->server->pod;
	uintptr_t q = (uintptr_t)y->server->pod;
	int by_url = strcmp(x->url, y->url);

	if (p != q)
		return (p > q) - (p < q);
	return by_url ? by_url : compare_orders(x->order, y->order);
}

static int compare_by_url(const void *a, const void *b)
{
	const struct report_row *x = a;
	const struct report_row *y = b;
	int order = strcmp(x->url, y->url);

	return order ? order : compare_orders(x->order, y->order);
}

static void add_to_totals(struct report_totals *totals, const struct report_row *row)
{
	const struct server *server = row->server;
	bool draining = server->pod->heard && server->pod->metric.draining;
	bool usable = server->state == SERVER_STEERED || server->state == SERVER_NOT_STEERED;

	totals->own_sessions += server->sessions.own;
	if (!row->counts)
		return;
	totals->connections += row->connections;
	totals->n_pods++;
	totals->n_ready += usable && !draining;
	totals->n_known += row->known;
	totals->n_stale += is_planned_as(server, PLANNER_STALE);
	totals->n_never_heard += is_planned_as(server, PLANNER_NEVER_HEARD);
	totals->n_disbelieved += is_planned_as(server, PLANNER_DISBELIEVED);
	totals->n_draining += draining || server->state == SERVER_DRAIN;
}

/* Which rows count in the sums: a pod's first row, and its first row in each service. */
static void mark_first(struct report_rows *rows)
{
	qsort(rows->rows, rows->n_rows, sizeof(*rows->rows), compare_by_pod);
	for (size_t i = 0; i < rows->n_rows; i++) {
		struct report_row *row = &rows->rows[i];

		row->counts = i == 0 || row->server->pod != row[-1].server->pod;
		row->counts_in_service = row->counts || strcmp(row->url, row[-1].url) != 0;
	}
}

/* Rows stand by URL: each change of it begins a service. */
static bool group(struct report_rows *rows)
{
	rows->services = calloc(rows->n_rows + 1, sizeof(*rows->services));
	if (!rows->services)
		return false;
	for (size_t i = 0; i < rows->n_rows; i++) {
		const struct report_row *row = &rows->rows[i];

		if (i == 0 || strcmp(row->url, row[-1].url) != 0)
			rows->services[rows->n_services++] =
				(struct report_service){.url = row->url, .first = i};
		struct report_service *service = &rows->services[rows->n_services - 1];

		service->n_rows++;
		service->connections += row->counts_in_service ? row->connections : 0;
	}
	return true;
}

static void find_plan(struct report_totals *totals, const struct cluster *cluster)
{
	size_t n;
	struct backend *const *backends = cluster_backends(cluster, &n);

	for (size_t i = 0; i < n; i++) {
		if (!report_is_planned(backends[i]))
			continue;
		if (!totals->planned || backends[i]->planned_ms > totals->planned_ms)
			totals->planned_ms = backends[i]->planned_ms;
		totals->planned = true;
		totals->imbalance = fmax(totals->imbalance, backends[i]->summary.imbalance);
	}
}

bool report_rows_init(struct report_rows *out, const struct report_view *view)
{
	struct report_rows rows = {0};

	if (!collect(&rows, view))
		goto out_of_memory;
	mark_first(&rows);
	qsort(rows.rows, rows.n_rows, sizeof(*rows.rows), compare_by_url);
	if (!group(&rows))
		goto out_of_memory;
	for (size_t i = 0; i < rows.n_rows; i++)
		add_to_totals(&rows.totals, &rows.rows[i]);
	find_plan(&rows.totals, view->cluster);
	*out = rows;
	return true;

out_of_memory:
	report_rows_fini(&rows);
	return false;
}

void report_rows_fini(struct report_rows *rows)
{
	for (size_t i = 0; i < rows->n_rows; i++)
		free(rows->rows[i].url);
	free(rows->rows);
	free(rows->services);
	memset(rows, 0, sizeof(*rows));
}
