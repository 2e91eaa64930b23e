/* SPDX-License-Identifier: MIT */
#include "core/report/report_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/terms.h"

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

/* When the row's state began, as far as that is known; 0: it is not. */
static int64_t since_of(
	const struct report_view *view, const struct server *server, enum report_state state)
{
	const struct pod *pod = server->pod;
	int64_t since_ms = server->state_ms;

	if (state == REPORT_STALE || state == REPORT_SILENT)
		return pod->heard_ms;
	if (state == REPORT_NEVER_HEARD)
		return pod->since_ms;
	if (state == REPORT_UNREACHED)
		return cluster_updated_ms(view->cluster);
	if (server->state == SERVER_STEERED && server->plan.made &&
		server->plan.basis_ms > since_ms)
		since_ms = server->plan.basis_ms;
	return since_ms;
}

/* A text that lives as long as the rows: the last one where it is the same, as it nearly always is.
 * NULL when out of memory. */
static const char *keep_url(struct report_rows *rows, const char *url)
{
	char *last = rows->n_urls > 0 ? rows->urls[rows->n_urls - 1] : NULL;
	char **grown;

	if (last && strcmp(last, url) == 0)
		return last;
	grown = reallocarray(rows->urls, rows->n_urls + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	rows->urls = grown;
	grown[rows->n_urls] = strdup(url);
	return grown[rows->n_urls] ? grown[rows->n_urls++] : NULL;
}

/* Appends the server's row when it is selected; false when out of memory. There is room. */
static bool add_row(struct report_rows *rows, const struct report_view *view,
	const struct report_backend *backend, size_t i)
{
	const struct server *server = backend->backend->servers[i];
	char url[REPORT_URL_SIZE];

	report_service_url(server, url, sizeof(url));
	if (!is_selected(view, server, url))
		return true;

	double connections = report_connections(view, server);
	enum report_state state = report_state_of(view, server);
	struct report_row row = {
		.backend = server->backend,
		.server = server,
		.url = keep_url(rows, url),
		.state = state,
		.trouble = report_trouble(view, server, state),
		.connections = (uint32_t)fmin(round(connections), INT32_MAX),
		.known = report_is_known(view, server),
		.planned = server->state == SERVER_STEERED && server->plan.made &&
			   report_is_reached(view),
		.level = report_level(view, backend, server),
		.deviation = (double)NAN,
		.share = backend->shares ? backend->shares[i].share : -1.0,
		.since_ms = since_of(view, server, state),
		.order = rows->n_rows,
	};

	if (!row.url)
		return false;
	if (row.known && row.level > 0.0)
		row.deviation = connections / row.level - 1.0;
	rows->rows[rows->n_rows++] = row;
	return true;
}

static bool collect(struct report_rows *rows, const struct report_view *view)
{
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(view->cluster, &n_backends);
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
			if (!add_row(rows, view, &rows->backends.list[i], j))
				return false;
		}
	}
	return true;
}

static int compare_orders(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_urls(const struct report_row *x, const struct report_row *y)
{
	return x->url == y->url ? 0 : strcmp(x->url, y->url);
}

static int compare_by_pod(const void *a, const void *b)
{
	const struct report_row *x = a;
	const struct report_row *y = b;
	uintptr_t p = (uintptr_t)x->server->pod;
	uintptr_t q = (uintptr_t)y->server->pod;
	int by_url;

	if (p != q)
		return (p > q) - (p < q);
	by_url = compare_urls(x, y);
	return by_url ? by_url : compare_orders(x->order, y->order);
}

static int compare_by_url(const void *a, const void *b)
{
	const struct report_row *x = a;
	const struct report_row *y = b;
	int order = compare_urls(x, y);

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
	totals->connections_reckoned += row->known ? 0 : row->connections;
	totals->n_pods++;
	totals->n_ready += usable && !draining;
	totals->n_known += row->known;
	totals->n_reckoned += !row->known;
	totals->n_stale += row->state == REPORT_STALE;
	totals->n_silent += row->state == REPORT_SILENT;
	totals->n_never_heard += row->state == REPORT_NEVER_HEARD;
	totals->n_disbelieved += row->state == REPORT_DISBELIEVED;
	totals->n_draining += draining || server->state == SERVER_DRAIN;
}

/* Which rows count in the sums: a pod's first row, and its first row in each service. */
static void mark_first(struct report_rows *rows)
{
	qsort(rows->rows, rows->n_rows, sizeof(*rows->rows), compare_by_pod);
	for (size_t i = 0; i < rows->n_rows; i++) {
		struct report_row *row = &rows->rows[i];

		row->counts = i == 0 || row->server->pod != row[-1].server->pod;
		row->counts_in_service = row->counts || compare_urls(row, &row[-1]) != 0;
	}
}

/* Rows stand by URL: each change of it begins a service. */
static bool group(struct report_rows *rows)
{
	rows->services = calloc(rows->n_rows + 1, sizeof(*rows->services));
	if (!rows->services)
		return false;
	for (size_t i = 0; i < rows->n_rows; i++) {
		struct report_row *row = &rows->rows[i];

		if (i == 0 || compare_urls(row, &row[-1]) != 0)
			rows->services[rows->n_services++] =
				(struct report_service){.url = row->url, .first = i};
		struct report_service *service = &rows->services[rows->n_services - 1];

		row->service = service;
		service->n_rows++;
		service->connections += row->counts_in_service ? row->connections : 0;
	}
	return true;
}

static void find_plan(struct report_totals *totals, const struct report_view *view)
{
	size_t n;
	const struct backend *const *backends = cluster_backends(view->cluster, &n);

	for (size_t i = 0; i < n; i++) {
		if (!report_is_planned(view, backends[i]))
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

	if (!report_backends_init(&rows.backends, view) || !collect(&rows, view))
		goto out_of_memory;
	mark_first(&rows);
	qsort(rows.rows, rows.n_rows, sizeof(*rows.rows), compare_by_url);
	if (!group(&rows))
		goto out_of_memory;
	for (size_t i = 0; i < rows.n_rows; i++)
		add_to_totals(&rows.totals, &rows.rows[i]);
	find_plan(&rows.totals, view);
	*out = rows;
	return true;

out_of_memory:
	report_rows_fini(&rows);
	return false;
}

size_t report_rows_n_needs(const struct report_rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->n_rows; i++)
		n += rows->rows[i].trouble > 0;
	return n;
}

char *report_row_next(const struct report_row *row, char *buf, size_t size)
{
	if (row->share >= 0.0)
		snprintf(buf, size, "%.0f", 100.0 * row->share);
	else
		snprintf(buf, size, "%s", row->planned ? TERM_BY_CHANCE : "");
	return buf;
}

void report_rows_fini(struct report_rows *rows)
{
	for (size_t i = 0; i < rows->n_urls; i++)
		free(rows->urls[i]);
	free(rows->urls);
	report_backends_fini(&rows->backends);
	free(rows->rows);
	free(rows->services);
	memset(rows, 0, sizeof(*rows));
}
