/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/jsonput.h"
#include "core/base/text.h"
#include "core/report/report_certs.h"
#include "core/report/report_facts.h"
#include "core/report/report_kube.h"
#include "core/report/report_parts.h"
#include "core/steer/tempo.h"
#include "core/terms.h"

/*
 * The Traefik plugin's keys are in camelCase and mean what they meant there; every further key is
 * in snake_case. report.schema.json describes them all.
 */

/* Times are since the epoch, so that a report that is read late is still true. */
static void put_time(struct jsonput *put, const struct report_view *view, const char *key,
	bool known, int64_t then_ms)
{
	jsonput_double_if(put, key, known, report_wall_s(view, then_ms));
}

/* The plugin leaves out what is not known. Kubernetes' word comes before the pod's own. */
static void add_names(struct jsonput *put, const struct pod *pod)
{
	const struct endpoint *endpoint = pod->endpoint;

	if (pod_name(pod)[0])
		jsonput_string(put, "podName", pod_name(pod));
	if (endpoint)
		jsonput_string(put, "podIP", endpoint->address);
	else if (pod->heard && pod->metric.pod_ip[0])
		jsonput_string(put, "podIP", pod->metric.pod_ip);
	if (pod_node(pod)[0])
		jsonput_string(put, "nodeName", pod_node(pod));
	if (!endpoint)
		return;
	if (endpoint->zone[0])
		jsonput_string(put, "zone", endpoint->zone);
	if (endpoint->uid[0])
		jsonput_string(put, "pod_uid", endpoint->uid);
	jsonput_string(put, "endpoint", endpoint_state_name(endpoint->state));
}

/* What the plan makes of the server; null where it is in none. */
static void add_plan(struct jsonput *put, const struct report_row *row)
{
	const struct server *server = row->server;
	bool planned = row->planned;
	char next[REPORT_NEXT_SIZE];

	jsonput_double_if(put, "plan_connections", planned, server->plan.result.count);
	jsonput_double_if(put, "level", row->level >= 0, row->level);
	jsonput_double_if(put, "deviation", !isnan(row->deviation), row->deviation);
	jsonput_double_if(put, "share_next", row->share >= 0.0, row->share);
	jsonput_string_or_null(put, "next", report_row_next(row, next, sizeof(next)));
	jsonput_double_if(put, "deficit", planned && row->level >= 0, server->plan.result.deficit);
	jsonput_double_if(put, "target", planned, server->plan.result.target);
	jsonput_double_if(put, "ramp", planned, server->plan.result.ramp);
	jsonput_double_if(put, "share_limit", planned, server->plan.result.share_limit);
	jsonput_double_if(put, "share_credit", planned && server->plan.result.share_limit < 1.0,
		server->plan.input.credit);
	jsonput_number_if(put, "weight", planned, server->plan.weight);
}

static void add_pod(
	struct jsonput *put, const struct report_view *view, const struct report_row *row)
{
	const struct server *server = row->server;
	const struct pod *pod = server->pod;
	char why[REPORT_WHY_SIZE];

	jsonput_object(put, NULL);
	jsonput_number(put, "agentsConnections", row->connections);
	jsonput_bool(put, "reckoned", !row->known);
	add_names(put, pod);
	jsonput_string(put, "proxy", row->backend->name);
	jsonput_string(put, "server", server->name);
	jsonput_string(put, "address", pod->key);
	jsonput_bool(put, "known", row->known);
	jsonput_number_if(put, "reported", pod->heard, pod->metric.count);
	put_time(put, view, "counted_at", pod->heard, pod->counted.ms);
	put_time(put, view, "joined_at", server->joined_ms > 0, server->joined_ms);
	jsonput_number(put, "own_sessions", server->sessions.own);
	jsonput_double(put, "capacity", report_capacity(server));
	jsonput_double_if(put, "reported_capacity", pod->heard && pod->metric.capacity > 0.0,
		pod->metric.capacity);
	add_plan(put, row);
	jsonput_number(put, "haproxy_weight", server->haproxy.uweight);
	jsonput_number_if(put, "sent_weight", server->sent.weight >= 0, server->sent.weight);
	jsonput_number(put, "configured_weight", server->haproxy.iweight);
	jsonput_string(put, "haproxy_status", server->haproxy.status);
	jsonput_string(put, "state", report_state_label(row->state));
	jsonput_string(put, "look", report_state_look(row->state));
	jsonput_number(put, "trouble", row->trouble);
	jsonput_string(put, "why", report_why(view, server, why, sizeof(why)));
	jsonput_string_or_null(put, "remedy", report_remedy(view, server));
	put_time(put, view, "since", row->since_ms > 0, row->since_ms);
	jsonput_bool(put, "draining", pod->heard && pod->metric.draining);
	jsonput_string_or_null(put, "last_error", pod->error);
	put_time(put, view, "polled_at", pod->polled_ms > 0, pod->polled_ms);
	jsonput_object_end(put);
}

static void add_services(struct jsonput *put, const struct report_rows *rows)
{
	jsonput_array(put, "services");
	for (size_t i = 0; i < rows->n_services; i++) {
		jsonput_object(put, NULL);
		jsonput_string(put, "url", rows->services[i].url);
		jsonput_number(put, "connections", (int64_t)rows->services[i].connections);
		jsonput_object_end(put);
	}
	jsonput_array_end(put);
}

static void add_totals(struct jsonput *put, const struct report_totals *totals, size_t n_services)
{
	double ready = (double)totals->n_ready;

	jsonput_number(put, "totalConnections", (int64_t)totals->connections);
	jsonput_number(put, "agentsConnections", (int64_t)totals->connections);
	jsonput_object(put, "totals");
	jsonput_number(put, "connections", (int64_t)totals->connections);
	jsonput_number(put, "connections_reckoned", (int64_t)totals->connections_reckoned);
	jsonput_double(put, "connections_per_ready_pod",
		totals->n_ready > 0 ? (double)totals->connections / ready : 0.0);
	jsonput_number(put, "own_sessions", (int64_t)totals->own_sessions);
	jsonput_number(put, "services", (int64_t)n_services);
	jsonput_number(put, "pods", (int64_t)totals->n_pods);
	jsonput_number(put, "pods_ready", (int64_t)totals->n_ready);
	jsonput_number(put, "pods_known", (int64_t)totals->n_known);
	jsonput_number(put, "pods_stale", (int64_t)totals->n_stale);
	jsonput_number(put, "pods_reckoned", (int64_t)totals->n_reckoned);
	jsonput_number(put, "pods_silent", (int64_t)totals->n_silent);
	jsonput_number(put, "pods_never_heard", (int64_t)totals->n_never_heard);
	jsonput_number(put, "pods_disbelieved", (int64_t)totals->n_disbelieved);
	jsonput_number(put, "pods_draining", (int64_t)totals->n_draining);
	jsonput_double_if(put, "imbalance", totals->planned, totals->imbalance);
	jsonput_object_end(put);
}

/* How long until balance; null where there is no plan. */
static void add_outlook(
	struct jsonput *put, const struct report_view *view, const struct backend *backend)
{
	const struct outlook outlook = report_outlook(view, backend);

	if (!report_is_planned(view, backend)) {
		jsonput_string_or_null(put, "outlook", "");
		return;
	}
	jsonput_object(put, "outlook");
	jsonput_string(put, "verdict", outlook_verdict_label(outlook.verdict));
	jsonput_double(put, "deficit", outlook.deficit);
	jsonput_double_if(put, "seconds", isfinite(outlook.seconds), outlook.seconds);
	jsonput_double(put, "alone", outlook.alone);
	jsonput_object_end(put);
}

static void add_verdict(struct jsonput *put, const char *backend, const struct verdict *verdict)
{
	jsonput_object(put, "verdict");
	jsonput_string(put, "state", verdict_state_label(verdict->state));
	jsonput_string(put, "name", verdict_state_name(verdict->state));
	jsonput_string(put, "backend", backend);
	jsonput_string(put, "text", verdict->text);
	jsonput_string_or_null(put, "now", verdict->now);
	jsonput_string_or_null(put, "why", verdict->why);
	jsonput_string_or_null(put, "how", verdict->how);
	jsonput_string(put, "you", verdict->you);
	jsonput_number(put, "exit_status", verdict_exit_status(verdict->state));
	jsonput_object_end(put);
}

static void add_not_asked(struct jsonput *put, const struct backend *backend)
{
	jsonput_array(put, "not_asked");
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];

		if (server->unasked == SERVER_ASKED)
			continue;
		jsonput_object(put, NULL);
		jsonput_string(put, "server", server->name);
		jsonput_string(put, "why", server_unasked_reason(server->unasked));
		jsonput_number(put, "own_sessions", server->sessions.own);
		jsonput_object_end(put);
	}
	jsonput_array_end(put);
}

static void add_backend(
	struct jsonput *put, const struct report_view *view, const struct report_backend *row)
{
	const struct backend *backend = row->backend;
	const struct planner_summary *summary = &backend->summary;
	bool planned = report_is_planned(view, backend);
	uint64_t own = 0;
	size_t n_free = 0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		own += backend->servers[i]->sessions.own;
		n_free += !backend->servers[i]->pod && backend->servers[i]->unasked == SERVER_ASKED;
	}
	jsonput_object(put, NULL);
	jsonput_string(put, "name", backend->name);
	jsonput_string_or_null(put, "algo", backend->algo);
	jsonput_string(put, "mode", backend_mode_name(backend->mode));
	jsonput_number(put, "servers", (int64_t)backend->n_servers);
	jsonput_number(put, "servers_without_address", (int64_t)n_free);
	jsonput_number(put, "own_sessions", (int64_t)own);
	jsonput_double_if(
		put, "arrivals_per_s", backend->arrivals.rated, backend->arrivals.per_second);
	jsonput_double_if(put, "imbalance", planned, summary->imbalance);
	jsonput_double_if(put, "level", planned && row->mean >= 0.0, row->mean);
	jsonput_bool(put, "fallback", planned && summary->fallback);
	jsonput_string(put, "why", row->verdict.text);
	add_verdict(put, backend->name, &row->verdict);
	add_outlook(put, view, backend);
	add_not_asked(put, backend);
	put_time(put, view, "planned_at", planned, backend->planned_ms);
	jsonput_object_end(put);
}

static void add_backends(
	struct jsonput *put, const struct report_view *view, const struct report_backends *backends)
{
	const struct report_backend *worst = backends->worst;

	if (worst)
		add_verdict(put, worst->backend->name, &worst->verdict);
	else
		jsonput_string_or_null(put, "verdict", "");
	jsonput_array(put, "backends");
	for (size_t i = 0; i < backends->n; i++)
		add_backend(put, view, &backends->list[i]);
	jsonput_array_end(put);
}

static void add_haproxy(struct jsonput *put, const struct report_view *view)
{
	const struct hastate_info *info = cluster_info(view->cluster);
	int64_t updated_ms = cluster_updated_ms(view->cluster);

	jsonput_object(put, "haproxy");
	jsonput_bool_if(put, "reached", !cluster_settings(view->cluster)->agent_check_only,
		view->stats->haproxy_reached);
	jsonput_string_or_null(put, "error", view->stats->haproxy_error);
	jsonput_string_or_null(put, "complaint", view->stats->push_complaint);
	jsonput_string_or_null(put, "version", info->version);
	jsonput_number_if(put, "pid", updated_ms > 0, info->pid);
	put_time(put, view, "started_at", updated_ms > 0, updated_ms - 1000 * info->uptime_s);
	put_time(put, view, "read_at", updated_ms > 0, updated_ms);
	jsonput_number(put, "reloads", (int64_t)cluster_counters(view->cluster)->reloads);
	jsonput_object_end(put);
}

static void add_agent(
	struct jsonput *put, const struct report_view *view, const struct report_totals *totals)
{
	const struct cluster_settings *settings = cluster_settings(view->cluster);

	jsonput_object(put, "agent");
	jsonput_string(put, "version", view->version);
	jsonput_double(put, "started_at", (double)view->stats->start_wall_ms / 1000.0);
	jsonput_number(put, "replicas", settings->replicas);
	jsonput_double(put, "poll_interval_s", (double)tempo_round_ms(view->cluster) / 1000.0);
	jsonput_bool(put, "poll_interval_auto", settings->poll_interval_ms == 0);
	jsonput_double(put, "cache_ttl_s", (double)settings->cache_ttl_ms / 1000.0);
	jsonput_array(put, "peers");
	for (size_t i = 0; i < settings->n_peers; i++)
		jsonput_string(put, NULL, settings->peers[i]);
	jsonput_array_end(put);
	put_time(put, view, "planned_at", totals->planned, totals->planned_ms);
	jsonput_object_end(put);
	jsonput_bool(put, "dry_run", view->dry_run);
	jsonput_bool(put, "ready", view->ready);
}

static void add_history(struct jsonput *put, const struct stats *stats)
{
	jsonput_array(put, "history");
	for (size_t i = 0; i < stats->history_len; i++) {
		const struct stats_point *point = stats_point_at(stats, i);

		jsonput_array(put, NULL);
		jsonput_double(put, NULL, (double)point->wall_ms / 1000.0);
		jsonput_double(put, NULL, point->imbalance);
		jsonput_array_end(put);
	}
	jsonput_array_end(put);
}

static void add_events(struct jsonput *put, const struct events *events)
{
	jsonput_array(put, "events");
	for (size_t i = 0; i < events->len; i++) {
		const struct event *event = events_at(events, i);
		char text[EVENTS_NAME_SIZE + 64];

		jsonput_object(put, NULL);
		jsonput_double(put, "at", (double)event->wall_ms / 1000.0);
		jsonput_string(put, "kind", event_kind_label(event->kind));
		jsonput_number(put, "times", event->n);
		jsonput_string_or_null(put, "pod", event->name);
		jsonput_string(put, "text", event_text(event, text, sizeof(text)));
		jsonput_object_end(put);
	}
	jsonput_array_end(put);
}

/* What is said of the whole, for whoever shows it to people. */
static bool add_facts(
	struct jsonput *put, const struct report_view *view, const struct report_rows *rows)
{
	struct report_fact *facts;
	size_t n;
	char text[REPORT_FACT_SIZE];
	char age[40];

	if (!report_facts_init(&facts, &n, view, rows))
		return false;
	jsonput_array(put, "facts");
	for (size_t i = 0; i < n; i++) {
		const struct report_fact *fact = &facts[i];

		jsonput_object(put, NULL);
		jsonput_string(put, "look", fact->look);
		jsonput_string(put, "before", fact->before);
		jsonput_string(put, "strong", fact->strong);
		jsonput_string(put, "after", fact->after);
		put_time(put, view, "at", fact->at_ms != 0, fact->at_ms);
		jsonput_bool(put, "ago", fact->ago);
		snprintf(text, sizeof(text), "%s%s%s%s", fact->before, fact->strong, fact->after,
			report_fact_age(view, fact, age, sizeof(age)));
		jsonput_string(put, "text", text);
		jsonput_object_end(put);
	}
	jsonput_array_end(put);
	free(facts);
	jsonput_object(put, "titles");
	jsonput_string(
		put, "needs", report_needs_title(report_rows_n_needs(rows), text, sizeof(text)));
	jsonput_string(put, "not_asked",
		report_not_asked_title(report_n_not_asked(view), text, sizeof(text)));
	jsonput_string(put, "last_error", TERM_LAST_ERROR);
	jsonput_object_end(put);
	return true;
}

static void add_timestamp(struct jsonput *put, int64_t wall_ms)
{
	char text[TEXT_TIME_SIZE];

	jsonput_string(put, "timestamp", text_format_time(wall_ms, text, sizeof(text)));
	jsonput_double(put, "written_at", (double)wall_ms / 1000.0);
}

static bool begin(struct report_writer *writer)
{
	const struct report_view *view = &writer->view;
	const struct report_rows *rows = &writer->rows;
	struct jsonput put = {.to = &writer->before};

	jsonput_object(&put, NULL);
	add_timestamp(&put, view->wall_ms);
	add_services(&put, rows);
	jsonput_object(&put, "podMetrics");

	put = (struct jsonput){.to = &writer->after};
	jsonput_object_end(&put);
	if (!add_facts(&put, view, rows))
		return false;
	add_totals(&put, &rows->totals, rows->n_services);
	add_backends(&put, view, &rows->backends);
	add_haproxy(&put, view);
	report_certs_json(&put, view);
	report_kube_json(&put, view);
	add_agent(&put, view, &rows->totals);
	add_history(&put, view->stats);
	add_events(&put, &view->stats->events);
	jsonput_object_end(&put);
	return true;
}

/* A pod, and with the first and the last of its service what is around them. */
static void write_line(const struct report_writer *writer, struct buf *to, size_t i)
{
	const struct report_row *row = &writer->rows.rows[i];
	const struct report_service *service = row->service;
	struct jsonput put = {.to = to, .follows = i > 0};

	if (i == service->first)
		jsonput_array(&put, service->url);
	add_pod(&put, &writer->view, row);
	if (i == service->first + service->n_rows - 1)
		jsonput_array_end(&put);
}

const struct report_parts report_json_parts = {begin, write_line};
