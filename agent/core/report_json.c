/* SPDX-License-Identifier: MIT */
/* The report as JSON. */
#include "core/report.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/report_rows.h"
#include "core/text.h"

/*
 * The Traefik plugin's keys are in camelCase and mean what they meant there; every further key is
 * in snake_case. report.schema.json describes them all.
 */

/*
 * json-c writes the bytes of a string as they are, so they must be UTF-8 before. Returns a copy with
 * U+FFFD for each byte that is not; NULL when out of memory.
 */
static char *clean_copy(const char *s)
{
	size_t len = strlen(s);
	char *copy = malloc(3 * len + 1);
	char *to = copy;

	if (!copy)
		return NULL;
	while (len > 0) {
		uint32_t point;
		size_t n = text_utf8_decode(s, len, &point);

		if (n > 0)
			to = mempcpy(to, s, n);
		else
			to = mempcpy(to, "\xef\xbf\xbd", 3);
		s += n > 0 ? n : 1;
		len -= n > 0 ? n : 1;
	}
	*to = '\0';
	return copy;
}

/* Adds take over the value. A NULL where a value was wanted means out of memory: *ok remembers. */
struct out {
	bool ok;
};

static void add(struct out *out, struct json_object *to, const char *key,
	struct json_object *value)
{
	if (!value || json_object_object_add_ex(to, key, value,
			      JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT) != 0) {
		json_object_put(value);
		out->ok = false;
	}
}

static void append(struct out *out, struct json_object *to, struct json_object *value)
{
	if (!value || json_object_array_add(to, value) != 0) {
		json_object_put(value);
		out->ok = false;
	}
}

static void add_null(struct out *out, struct json_object *to, const char *key)
{
	if (json_object_object_add(to, key, NULL) != 0)
		out->ok = false;
}

static struct json_object *string_of(const char *s)
{
	struct json_object *value;
	char *copy;

	if (text_is_utf8(s, strlen(s)))
		return json_object_new_string(s);
	copy = clean_copy(s);
	value = copy ? json_object_new_string(copy) : NULL;
	free(copy);
	return value;
}

/* Numbers without the noise of their seventeenth digit; JSON knows no infinity. */
static struct json_object *double_of(double d)
{
	static const char format[] = "%.4f";
	struct json_object *value = json_object_new_double(isfinite(d) ? d : 0.0);

	if (value)
		json_object_set_serializer(value, json_object_double_to_json_string,
			(void *)(uintptr_t)format, NULL);
	return value;
}

static void add_string(struct out *out, struct json_object *to, const char *key, const char *s)
{
	add(out, to, key, string_of(s));
}

static void add_string_or_null(struct out *out, struct json_object *to, const char *key,
	const char *s)
{
	if (s[0])
		add_string(out, to, key, s);
	else
		add_null(out, to, key);
}

static void add_number(struct out *out, struct json_object *to, const char *key, int64_t n)
{
	add(out, to, key, json_object_new_int64(n));
}

static void add_double(struct out *out, struct json_object *to, const char *key, double d)
{
	add(out, to, key, double_of(d));
}

static void add_double_if(struct out *out, struct json_object *to, const char *key, bool known,
	double d)
{
	if (known)
		add_double(out, to, key, d);
	else
		add_null(out, to, key);
}

static void add_bool(struct out *out, struct json_object *to, const char *key, bool b)
{
	add(out, to, key, json_object_new_boolean(b));
}

/* The plugin leaves out what the pod did not say. */
static void add_names(struct out *out, struct json_object *to, const struct pod *pod)
{
	const struct endpoint *endpoint = pod->endpoint;

	if (pod_name(pod)[0])
		add_string(out, to, "podName", pod_name(pod));
	if (endpoint)
		add_string(out, to, "podIP", endpoint->address);
	else if (pod->heard && pod->metric.pod_ip[0])
		add_string(out, to, "podIP", pod->metric.pod_ip);
	if (pod_node(pod)[0])
		add_string(out, to, "nodeName", pod_node(pod));
	if (!endpoint)
		return;
	if (endpoint->zone[0])
		add_string(out, to, "zone", endpoint->zone);
	if (endpoint->uid[0])
		add_string(out, to, "podUID", endpoint->uid);
	add_string(out, to, "endpoint", endpoint_state_text(endpoint->state));
}

/* What the plan makes of the server; null where it is in none. */
static void add_plan(struct out *out, struct json_object *to, const struct server *server)
{
	bool planned = server->planned && server->state == SERVER_STEERED;
	double level = server->plan.count + server->plan.deficit;

	add_double_if(out, to, "reckoned", planned, server->plan.count);
	add_double_if(out, to, "level", planned, level);
	add_double_if(out, to, "deficit", planned, server->plan.deficit);
	add_double_if(out, to, "target", planned, server->plan.target);
	if (planned)
		add_number(out, to, "weight", server->weight);
	else
		add_null(out, to, "weight");
}

static struct json_object *pod_of(struct out *out, const struct report_view *view,
	const struct report_row *row)
{
	const struct server *server = row->server;
	const struct pod *pod = server->pod;
	struct json_object *to = json_object_new_object();
	char why[200];

	if (!to)
		return NULL;
	add_number(out, to, "agentsConnections", row->connections);
	add_names(out, to, pod);
	add_string(out, to, "proxy", row->backend->name);
	add_string(out, to, "server", server->name);
	add_string(out, to, "address", pod->key);
	add_bool(out, to, "known", row->known);
	if (pod->heard)
		add_number(out, to, "reported", pod->metric.count);
	else
		add_null(out, to, "reported");
	add_double_if(out, to, "count_age_s", pod->heard, (double)row->age_ms / 1000.0);
	add_number(out, to, "own_sessions", server->own);
	add_double(out, to, "capacity",
		pod->heard && pod->metric.capacity > 0 ? pod->metric.capacity
						       : (double)server->iweight);
	add_plan(out, to, server);
	add_number(out, to, "haproxy_weight", server->uweight);
	add_number(out, to, "configured_weight", server->iweight);
	add_string(out, to, "haproxy_status", server->status);
	add_string(out, to, "state", report_state(server));
	add_string(out, to, "why", report_why(server, view->now_ms, why, sizeof(why)));
	add_bool(out, to, "draining", pod->heard && pod->metric.draining);
	add_string_or_null(out, to, "last_error", pod->error);
	add_double_if(out, to, "poll_age_s", pod->polled_ms > 0,
		(double)(view->now_ms - pod->polled_ms) / 1000.0);
	return to;
}

static void add_services(struct out *out, struct json_object *to, const struct report_view *view,
	const struct report_rows *rows)
{
	struct json_object *services = json_object_new_array();
	struct json_object *pods = json_object_new_object();

	add(out, to, "services", services);
	add(out, to, "podMetrics", pods);
	for (size_t i = 0; out->ok && i < rows->n_services; i++) {
		const struct report_service *service = &rows->services[i];
		struct json_object *entry = json_object_new_object();
		struct json_object *list = json_object_new_array();

		append(out, services, entry);
		if (!out->ok)
			json_object_put(list);
		else if (json_object_object_add(pods, service->url, list) != 0)
			out->ok = false;
		if (!out->ok)
			return;
		add_string(out, entry, "url", service->url);
		add_number(out, entry, "connections", (int64_t)service->connections);
		for (size_t j = 0; out->ok && j < service->n_rows; j++)
			append(out, list, pod_of(out, view, &rows->rows[service->first + j]));
	}
}

static void add_totals(struct out *out, struct json_object *report,
	const struct report_totals *totals, size_t n_services)
{
	struct json_object *to = json_object_new_object();
	double ready = (double)totals->n_ready;

	add_number(out, report, "totalConnections", (int64_t)totals->connections);
	add_number(out, report, "agentsConnections", (int64_t)totals->connections);
	add(out, report, "totals", to);
	if (!out->ok)
		return;
	add_number(out, to, "connections", (int64_t)totals->connections);
	add_double(out, to, "connections_per_ready_pod",
		totals->n_ready > 0 ? (double)totals->connections / ready : 0.0);
	add_number(out, to, "own_sessions", (int64_t)totals->own_sessions);
	add_number(out, to, "services", (int64_t)n_services);
	add_number(out, to, "pods", (int64_t)totals->n_pods);
	add_number(out, to, "pods_ready", (int64_t)totals->n_ready);
	add_number(out, to, "pods_known", (int64_t)totals->n_known);
	add_number(out, to, "pods_stale", (int64_t)totals->n_stale);
	add_number(out, to, "pods_never_heard", (int64_t)totals->n_never_heard);
	add_number(out, to, "pods_disbelieved", (int64_t)totals->n_disbelieved);
	add_number(out, to, "pods_draining", (int64_t)totals->n_draining);
	add_double_if(out, to, "imbalance", totals->planned, totals->imbalance);
}

static struct json_object *backend_of(struct out *out, const struct report_view *view,
	const struct backend *backend)
{
	struct json_object *to = json_object_new_object();
	const struct planner_summary *summary = &backend->summary;
	bool planned = backend->planned && backend->mode != BACKEND_NOT_STEERED;
	uint64_t own = 0;
	size_t n_free = 0;

	if (!to)
		return NULL;
	for (size_t i = 0; i < backend->n_servers; i++) {
		own += backend->servers[i]->own;
		n_free += !backend->servers[i]->pod;
	}
	add_string(out, to, "name", backend->name);
	add_string_or_null(out, to, "algo", backend->algo);
	add_string(out, to, "mode", backend_mode_name(backend->mode));
	add_number(out, to, "servers", (int64_t)backend->n_servers);
	add_number(out, to, "servers_without_address", (int64_t)n_free);
	add_number(out, to, "own_sessions", (int64_t)own);
	add_double_if(out, to, "arrivals_per_s", backend->arrivals.rated,
		backend->arrivals.per_second);
	add_double_if(out, to, "imbalance", planned, summary->imbalance);
	add_double_if(out, to, "level", planned, summary->level);
	add_bool(out, to, "fallback", planned && summary->fallback);
	add_double_if(out, to, "plan_age_s", planned,
		(double)(view->now_ms - backend->planned_ms) / 1000.0);
	return to;
}

static void add_backends(struct out *out, struct json_object *report,
	const struct report_view *view)
{
	struct json_object *list = json_object_new_array();
	size_t n;
	struct backend *const *backends = cluster_backends(view->cluster, &n);

	add(out, report, "backends", list);
	for (size_t i = 0; out->ok && i < n; i++)
		append(out, list, backend_of(out, view, backends[i]));
}

static void add_haproxy(struct out *out, struct json_object *report, const struct report_view *view)
{
	struct json_object *to = json_object_new_object();
	const struct hareply_info *info = cluster_info(view->cluster);
	int64_t updated_ms = cluster_updated_ms(view->cluster);
	double age_s = (double)(view->now_ms - updated_ms) / 1000.0;

	add(out, report, "haproxy", to);
	if (!out->ok)
		return;
	add_bool(out, to, "reached", view->stats->haproxy_reached);
	add_string_or_null(out, to, "error", view->stats->haproxy_error);
	add_string_or_null(out, to, "version", info->version);
	if (updated_ms > 0)
		add_number(out, to, "pid", info->pid);
	else
		add_null(out, to, "pid");
	add_double_if(out, to, "uptime_s", updated_ms > 0, (double)info->uptime_s + age_s);
	add_double_if(out, to, "age_s", updated_ms > 0, age_s);
	add_number(out, to, "reloads", (int64_t)cluster_counters(view->cluster)->reloads);
}

static void add_agent(struct out *out, struct json_object *report, const struct report_view *view,
	const struct report_totals *totals)
{
	struct json_object *to = json_object_new_object();
	const struct cluster_params *settings = cluster_settings(view->cluster);

	add(out, report, "agent", to);
	if (!out->ok)
		return;
	add_string(out, to, "version", view->version);
	add_double(out, to, "uptime_s",
		(double)(view->wall_ms - view->stats->start_wall_ms) / 1000.0);
	add_number(out, to, "replicas", settings->replicas);
	add_double(out, to, "poll_interval_s", (double)settings->poll_interval_ms / 1000.0);
	add_double(out, to, "cache_ttl_s", (double)settings->cache_ttl_ms / 1000.0);
	add_double_if(out, to, "plan_age_s", totals->planned,
		(double)(view->now_ms - totals->planned_ms) / 1000.0);
	add_bool(out, report, "dry_run", view->dry_run);
	add_bool(out, report, "ready", view->ready);
}

static void add_history(struct out *out, struct json_object *report, const struct stats *stats)
{
	struct json_object *list = json_object_new_array();

	add(out, report, "history", list);
	for (size_t i = 0; out->ok && i < stats->history_len; i++) {
		const struct stats_point *point = stats_point_at(stats, i);
		struct json_object *pair = json_object_new_array_ext(2);

		append(out, list, pair);
		if (!out->ok)
			return;
		append(out, pair, double_of((double)point->wall_ms / 1000.0));
		append(out, pair, double_of(point->imbalance));
	}
}

static void add_timestamp(struct out *out, struct json_object *report, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char text[40];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);

	snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(wall_ms % 1000));
	add_string(out, report, "timestamp", text);
}

struct report_text report_json_write(const struct report_view *view)
{
	struct report_text text = {0};
	struct out out = {.ok = true};
	struct json_object *report = json_object_new_object();
	struct report_rows rows;

	if (!report)
		return text;
	if (!report_rows_init(&rows, view)) {
		json_object_put(report);
		return text;
	}
	add_timestamp(&out, report, view->wall_ms);
	add_services(&out, report, view, &rows);
	add_totals(&out, report, &rows.totals, rows.n_services);
	add_backends(&out, report, view);
	add_haproxy(&out, report, view);
	add_agent(&out, report, view, &rows.totals);
	add_history(&out, report, view->stats);
	if (out.ok) {
		size_t len;
		const char *bytes = json_object_to_json_string_length(report,
			JSON_C_TO_STRING_NOSLASHESCAPE | JSON_C_TO_STRING_NOZERO, &len);

		text.bytes = bytes ? strndup(bytes, len) : NULL;
		text.len = text.bytes ? len : 0;
	}
	json_object_put(report);
	report_rows_fini(&rows);
	return text;
}
