/* SPDX-License-Identifier: MIT */
#include "core/report/report.h"
#include "core/steer/tempo.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/jsonput.h"
#include "core/base/text.h"
#include "core/report/report_certs.h"
#include "core/report/report_kube.h"
#include "core/report/report_rows.h"

/*
 * The Traefik plugin's keys are in camelCase and mean what they meant there; every further key is
 * in snake_case. report.schema.json describes them all.
 */

/* The plugin leaves out what is not known. Kubernetes' word comes before the pod's own. */
static void add_names(struct jsonput *put, struct json_object *to, const struct pod *pod)
{
	const struct endpoint *endpoint = pod->endpoint;

	if (pod_name(pod)[0])
		jsonput_string(put, to, "podName", pod_name(pod));
	if (endpoint)
		jsonput_string(put, to, "podIP", endpoint->address);
	else if (pod->heard && pod->metric.pod_ip[0])
		jsonput_string(put, to, "podIP", pod->metric.pod_ip);
	if (pod_node(pod)[0])
		jsonput_string(put, to, "nodeName", pod_node(pod));
	if (!endpoint)
		return;
	if (endpoint->zone[0])
		jsonput_string(put, to, "zone", endpoint->zone);
	if (endpoint->uid[0])
		jsonput_string(put, to, "pod_uid", endpoint->uid);
	jsonput_string(put, to, "endpoint", endpoint_state_name(endpoint->state));
}

/* What the plan makes of the server; null where it is in none. */
static void add_plan(struct jsonput *put, struct json_object *to, const struct report_row *row)
{
	const struct server *server = row->server;
	bool planned = row->planned;

	jsonput_double_if(put, to, "plan_connections", planned, server->plan.result.count);
	jsonput_double_if(put, to, "level", row->level >= 0, row->level);
	jsonput_double_if(put, to, "deviation", !isnan(row->deviation), row->deviation);
	jsonput_double_if(put, to, "share_next", row->share >= 0.0, row->share);
	jsonput_double_if(
		put, to, "deficit", planned && row->level >= 0, server->plan.result.deficit);
	jsonput_double_if(put, to, "target", planned, server->plan.result.target);
	jsonput_double_if(put, to, "ramp", planned, server->plan.result.ramp);
	jsonput_double_if(put, to, "share_limit", planned, server->plan.result.share_limit);
	jsonput_double_if(put, to, "share_credit", planned && server->plan.result.share_limit < 1.0,
		server->plan.input.credit);
	jsonput_number_if(put, to, "weight", planned, server->plan.weight);
}

static struct json_object *pod_of(
	struct jsonput *put, const struct report_view *view, const struct report_row *row)
{
	const struct server *server = row->server;
	const struct pod *pod = server->pod;
	struct json_object *to = json_object_new_object();
	char why[REPORT_WHY_SIZE];

	if (!to)
		return NULL;
	jsonput_number(put, to, "agentsConnections", row->connections);
	jsonput_bool(put, to, "reckoned", !row->known);
	add_names(put, to, pod);
	jsonput_string(put, to, "proxy", row->backend->name);
	jsonput_string(put, to, "server", server->name);
	jsonput_string(put, to, "address", pod->key);
	jsonput_bool(put, to, "known", row->known);
	jsonput_number_if(put, to, "reported", pod->heard, pod->metric.count);
	jsonput_double_if(put, to, "count_age_s", pod->heard, (double)row->age_ms / 1000.0);
	jsonput_double_if(put, to, "age_s", server->joined_ms > 0,
		(double)(view->now_ms - server->joined_ms) / 1000.0);
	jsonput_number(put, to, "own_sessions", server->sessions.own);
	jsonput_double(put, to, "capacity", report_capacity(server));
	jsonput_double_if(put, to, "reported_capacity", pod->heard && pod->metric.capacity > 0.0,
		pod->metric.capacity);
	add_plan(put, to, row);
	jsonput_number(put, to, "haproxy_weight", server->haproxy.uweight);
	jsonput_number_if(put, to, "sent_weight", server->sent.weight >= 0, server->sent.weight);
	jsonput_number(put, to, "configured_weight", server->haproxy.iweight);
	jsonput_string(put, to, "haproxy_status", server->haproxy.status);
	jsonput_string(put, to, "state", report_state_label(row->state));
	jsonput_string(put, to, "look", report_state_look(row->state));
	jsonput_number(put, to, "trouble", row->trouble);
	jsonput_string(put, to, "why", report_why(view, server, why, sizeof(why)));
	jsonput_string_or_null(put, to, "remedy", report_remedy(view, server));
	jsonput_double_if(put, to, "since_s", row->since_ms > 0,
		(double)(view->now_ms - row->since_ms) / 1000.0);
	jsonput_bool(put, to, "draining", pod->heard && pod->metric.draining);
	jsonput_string_or_null(put, to, "last_error", pod->error);
	jsonput_double_if(put, to, "poll_age_s", pod->polled_ms > 0,
		(double)(view->now_ms - pod->polled_ms) / 1000.0);
	return to;
}

static void add_services(struct jsonput *put, struct json_object *to,
	const struct report_view *view, const struct report_rows *rows)
{
	struct json_object *services = json_object_new_array();
	struct json_object *pods = json_object_new_object();

	jsonput_add(put, to, "services", services);
	jsonput_add(put, to, "podMetrics", pods);
	for (size_t i = 0; put->ok && i < rows->n_services; i++) {
		const struct report_service *service = &rows->services[i];
		struct json_object *entry = json_object_new_object();
		struct json_object *list = json_object_new_array();

		struct json_object *url = NULL;

		jsonput_append(put, services, entry);
		if (put->ok) {
			url = jsonput_new_string(service->url);
			jsonput_add(put, entry, "url", url);
		}
		/* A URL is no static key, which jsonput_add wants; and a key is to be UTF-8 too. */
		if (!put->ok || !list ||
			json_object_object_add(pods, json_object_get_string(url), list) != 0) {
			json_object_put(list);
			put->ok = false;
			return;
		}
		jsonput_number(put, entry, "connections", (int64_t)service->connections);
		for (size_t j = 0; put->ok && j < service->n_rows; j++)
			jsonput_append(
				put, list, pod_of(put, view, &rows->rows[service->first + j]));
	}
}

static void add_totals(struct jsonput *put, struct json_object *report,
	const struct report_totals *totals, size_t n_services)
{
	struct json_object *to = json_object_new_object();
	double ready = (double)totals->n_ready;

	jsonput_number(put, report, "totalConnections", (int64_t)totals->connections);
	jsonput_number(put, report, "agentsConnections", (int64_t)totals->connections);
	jsonput_add(put, report, "totals", to);
	if (!put->ok)
		return;
	jsonput_number(put, to, "connections", (int64_t)totals->connections);
	jsonput_number(put, to, "connections_reckoned", (int64_t)totals->connections_reckoned);
	jsonput_double(put, to, "connections_per_ready_pod",
		totals->n_ready > 0 ? (double)totals->connections / ready : 0.0);
	jsonput_number(put, to, "own_sessions", (int64_t)totals->own_sessions);
	jsonput_number(put, to, "services", (int64_t)n_services);
	jsonput_number(put, to, "pods", (int64_t)totals->n_pods);
	jsonput_number(put, to, "pods_ready", (int64_t)totals->n_ready);
	jsonput_number(put, to, "pods_known", (int64_t)totals->n_known);
	jsonput_number(put, to, "pods_stale", (int64_t)totals->n_stale);
	jsonput_number(put, to, "pods_reckoned", (int64_t)totals->n_reckoned);
	jsonput_number(put, to, "pods_silent", (int64_t)totals->n_silent);
	jsonput_number(put, to, "pods_never_heard", (int64_t)totals->n_never_heard);
	jsonput_number(put, to, "pods_disbelieved", (int64_t)totals->n_disbelieved);
	jsonput_number(put, to, "pods_draining", (int64_t)totals->n_draining);
	jsonput_double_if(put, to, "imbalance", totals->planned, totals->imbalance);
}

/* How long until balance; null where there is no plan. */
static void add_outlook(struct jsonput *put, struct json_object *to, const struct report_view *view,
	const struct backend *backend)
{
	const struct outlook *outlook = &backend->outlook;
	struct json_object *object;

	if (!report_is_planned(view, backend)) {
		jsonput_string_or_null(put, to, "outlook", "");
		return;
	}
	object = json_object_new_object();
	jsonput_add(put, to, "outlook", object);
	if (!put->ok)
		return;
	jsonput_string(put, object, "verdict", outlook_verdict_name(outlook->verdict));
	jsonput_double(put, object, "deficit", outlook->deficit);
	jsonput_double_if(put, object, "seconds", isfinite(outlook->seconds), outlook->seconds);
	jsonput_double(put, object, "alone", outlook->alone);
}

static void add_verdict(struct jsonput *put, struct json_object *to, const char *backend,
	const struct verdict *verdict)
{
	struct json_object *object = json_object_new_object();

	jsonput_add(put, to, "verdict", object);
	if (!put->ok)
		return;
	jsonput_string(put, object, "state", verdict_state_label(verdict->state));
	jsonput_string(put, object, "name", verdict_state_name(verdict->state));
	jsonput_string(put, object, "backend", backend);
	jsonput_string(put, object, "text", verdict->text);
	jsonput_string_or_null(put, object, "now", verdict->now);
	jsonput_string_or_null(put, object, "why", verdict->why);
	jsonput_string_or_null(put, object, "how", verdict->how);
	jsonput_string(put, object, "you", verdict->you);
	jsonput_number(put, object, "exit_status", verdict_exit_status(verdict->state));
}

static struct json_object *backend_of(
	struct jsonput *put, const struct report_view *view, const struct report_backend *row)
{
	const struct backend *backend = row->backend;
	struct json_object *to = json_object_new_object();
	const struct planner_summary *summary = &backend->summary;
	bool planned = report_is_planned(view, backend);
	uint64_t own = 0;
	size_t n_free = 0;

	if (!to)
		return NULL;
	for (size_t i = 0; i < backend->n_servers; i++) {
		own += backend->servers[i]->sessions.own;
		n_free += !backend->servers[i]->pod;
	}
	jsonput_string(put, to, "name", backend->name);
	jsonput_string_or_null(put, to, "algo", backend->algo);
	jsonput_string(put, to, "mode", backend_mode_name(backend->mode));
	jsonput_number(put, to, "servers", (int64_t)backend->n_servers);
	jsonput_number(put, to, "servers_without_address", (int64_t)n_free);
	jsonput_number(put, to, "own_sessions", (int64_t)own);
	jsonput_double_if(
		put, to, "arrivals_per_s", backend->arrivals.rated, backend->arrivals.per_second);
	jsonput_double_if(put, to, "imbalance", planned, summary->imbalance);
	jsonput_double_if(put, to, "level", planned && row->mean >= 0.0, row->mean);
	jsonput_bool(put, to, "fallback", planned && summary->fallback);
	jsonput_string(put, to, "why", row->verdict.text);
	add_verdict(put, to, backend->name, &row->verdict);
	add_outlook(put, to, view, backend);
	jsonput_double_if(put, to, "plan_age_s", planned,
		(double)(view->now_ms - backend->planned_ms) / 1000.0);
	return to;
}

static void add_backends(struct jsonput *put, struct json_object *report,
	const struct report_view *view, const struct report_backends *backends)
{
	struct json_object *list = json_object_new_array();
	const struct report_backend *worst = backends->worst;

	if (worst)
		add_verdict(put, report, worst->backend->name, &worst->verdict);
	else
		jsonput_string_or_null(put, report, "verdict", "");
	jsonput_add(put, report, "backends", list);
	for (size_t i = 0; put->ok && i < backends->n; i++)
		jsonput_append(put, list, backend_of(put, view, &backends->list[i]));
}

static void add_haproxy(
	struct jsonput *put, struct json_object *report, const struct report_view *view)
{
	struct json_object *to = json_object_new_object();
	const struct hastate_info *info = cluster_info(view->cluster);
	int64_t updated_ms = cluster_updated_ms(view->cluster);
	double age_s = (double)(view->now_ms - updated_ms) / 1000.0;

	jsonput_add(put, report, "haproxy", to);
	if (!put->ok)
		return;
	jsonput_bool_if(put, to, "reached", !cluster_settings(view->cluster)->agent_check_only,
		view->stats->haproxy_reached);
	jsonput_string_or_null(put, to, "error", view->stats->haproxy_error);
	jsonput_string_or_null(put, to, "complaint", view->stats->push_complaint);
	jsonput_string_or_null(put, to, "version", info->version);
	jsonput_number_if(put, to, "pid", updated_ms > 0, info->pid);
	jsonput_double_if(put, to, "uptime_s", updated_ms > 0, (double)info->uptime_s + age_s);
	jsonput_double_if(put, to, "age_s", updated_ms > 0, age_s);
	jsonput_number(put, to, "reloads", (int64_t)cluster_counters(view->cluster)->reloads);
}

static void add_agent(struct jsonput *put, struct json_object *report,
	const struct report_view *view, const struct report_totals *totals)
{
	struct json_object *to = json_object_new_object();
	const struct cluster_settings *settings = cluster_settings(view->cluster);

	jsonput_add(put, report, "agent", to);
	if (!put->ok)
		return;
	jsonput_string(put, to, "version", view->version);
	jsonput_double(
		put, to, "uptime_s", (double)(view->wall_ms - view->stats->start_wall_ms) / 1000.0);
	jsonput_number(put, to, "replicas", settings->replicas);
	jsonput_double(put, to, "poll_interval_s", (double)tempo_round_ms(view->cluster) / 1000.0);
	jsonput_bool(put, to, "poll_interval_auto", settings->poll_interval_ms == 0);
	jsonput_double(put, to, "cache_ttl_s", (double)settings->cache_ttl_ms / 1000.0);
	jsonput_double_if(put, to, "plan_age_s", totals->planned,
		(double)(view->now_ms - totals->planned_ms) / 1000.0);
	jsonput_bool(put, report, "dry_run", view->dry_run);
	jsonput_bool(put, report, "ready", view->ready);
}

static void add_history(struct jsonput *put, struct json_object *report, const struct stats *stats)
{
	struct json_object *list = json_object_new_array();

	jsonput_add(put, report, "history", list);
	for (size_t i = 0; put->ok && i < stats->history_len; i++) {
		const struct stats_point *point = stats_point_at(stats, i);
		struct json_object *pair = json_object_new_array_ext(2);

		jsonput_append(put, list, pair);
		if (!put->ok)
			return;
		jsonput_append(put, pair, jsonput_new_double((double)point->wall_ms / 1000.0));
		jsonput_append(put, pair, jsonput_new_double(point->imbalance));
	}
}

static void add_events(struct jsonput *put, struct json_object *report, const struct events *events)
{
	struct json_object *list = json_object_new_array();

	jsonput_add(put, report, "events", list);
	for (size_t i = 0; put->ok && i < events->len; i++) {
		const struct event *event = events_at(events, i);
		struct json_object *to = json_object_new_object();
		char text[EVENTS_NAME_SIZE + 64];

		jsonput_append(put, list, to);
		if (!put->ok)
			return;
		jsonput_add(put, to, "at", jsonput_new_double((double)event->wall_ms / 1000.0));
		jsonput_string(put, to, "kind", event_kind_label(event->kind));
		jsonput_number(put, to, "times", event->n);
		jsonput_string_or_null(put, to, "pod", event->name);
		jsonput_string(put, to, "text", event_text(event, text, sizeof(text)));
	}
}

static void add_timestamp(struct jsonput *put, struct json_object *report, int64_t wall_ms)
{
	char text[TEXT_TIME_SIZE];

	jsonput_string(put, report, "timestamp", text_format_time(wall_ms, text, sizeof(text)));
}

struct buf report_json_write(const struct report_view *view)
{
	struct buf text = {0};
	struct jsonput put = {.ok = true};
	struct json_object *report = json_object_new_object();
	struct report_rows rows;

	if (!report)
		return text;
	if (!report_rows_init(&rows, view)) {
		json_object_put(report);
		return text;
	}
	add_timestamp(&put, report, view->wall_ms);
	add_services(&put, report, view, &rows);
	add_totals(&put, report, &rows.totals, rows.n_services);
	add_backends(&put, report, view, &rows.backends);
	add_haproxy(&put, report, view);
	report_certs_json(&put, report, view);
	report_kube_json(&put, report, view);
	add_agent(&put, report, view, &rows.totals);
	add_history(&put, report, view->stats);
	add_events(&put, report, &view->stats->events);
	if (put.ok) {
		size_t len;
		const char *bytes = json_object_to_json_string_length(
			report, JSON_C_TO_STRING_NOSLASHESCAPE | JSON_C_TO_STRING_NOZERO, &len);

		if (bytes)
			buf_append(&text, bytes, len);
	}
	json_object_put(report);
	report_rows_fini(&rows);
	return text;
}
