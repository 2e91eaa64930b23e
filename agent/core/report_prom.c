/* SPDX-License-Identifier: MIT */
/* The report as Prometheus series. */
#include "core/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/report_rows.h"
#include "core/text.h"

/*
 * Labels proxy and server are those of HAProxy's own exporter, so that the two can be joined. In
 * OpenMetrics a counter's family is named without the _total of its sample, and an info's without
 * its _info.
 */
struct out {
	FILE *to;
	bool openmetrics;
	const struct report_view *view;
	const struct report_rows *rows;
};

/* name is without _total or _info; the sample lines have it. */
static void head(const struct out *out, const char *name, const char *type, const char *help)
{
	const char *suffix = "";

	if (!out->openmetrics) {
		if (type[0] == 'c')
			suffix = "_total";
		if (type[0] == 'i') {
			suffix = "_info";
			type = "gauge";
		}
	}
	fprintf(out->to, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
		type);
}

static void number(FILE *to, double value)
{
	if (value >= -9e15 && value <= 9e15 && value == floor(value))
		fprintf(to, "%.0f\n", value);
	else if (isfinite(value))
		fprintf(to, "%.10g\n", value);
	else
		fputs("NaN\n", to);
}

static void gauge(const struct out *out, const char *name, const char *help, double value)
{
	head(out, name, "gauge", help);
	fprintf(out->to, "%s ", name);
	number(out->to, value);
}

static void counter(const struct out *out, const char *name, const char *help, uint64_t value)
{
	head(out, name, "counter", help);
	fprintf(out->to, "%s_total %" PRIu64 "\n", name, value);
}

static void one_of(const struct out *out, const char *name, const char *label, const char *word,
	uint64_t value)
{
	fprintf(out->to, "%s_total{%s=\"%s\"} %" PRIu64 "\n", name, label, word, value);
}

static void histogram(const struct out *out, const char *name, const char *help,
	const struct stats_histogram *values)
{
	uint64_t sum = 0;

	head(out, name, "histogram", help);
	for (size_t i = 0; i < STATS_N_BUCKETS; i++) {
		/* OpenMetrics wants 1.0, not 1; the other format takes both. */
		bool whole = stats_bounds_s[i] == floor(stats_bounds_s[i]);

		sum += values->buckets[i];
		fprintf(out->to, whole ? "%s_bucket{le=\"%.1f\"} %" PRIu64 "\n"
				       : "%s_bucket{le=\"%g\"} %" PRIu64 "\n",
			name, stats_bounds_s[i], sum);
	}
	fprintf(out->to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, values->count);
	fprintf(out->to, "%s_sum ", name);
	number(out->to, values->sum_s);
	fprintf(out->to, "%s_count %" PRIu64 "\n", name, values->count);
}

static void label(FILE *to, const char *name, const char *value)
{
	fprintf(to, "%s=\"", name);
	text_write_label(to, value);
	fputc('"', to);
}

static void row_labels(FILE *to, const struct report_row *row)
{
	const struct pod *pod = row->server->pod;
	const char *name = pod_name(pod);

	fputc('{', to);
	label(to, "proxy", row->backend->name);
	fputc(',', to);
	label(to, "server", row->server->name);
	fputc(',', to);
	/* A pod without a name is known by its address. */
	label(to, "pod", name[0] ? name : pod->key);
	fputc(',', to);
	label(to, "node", pod_node(pod));
}

/* One family with a sample for each row; the value is NaN where a row has none to show. */
static void rows_gauge(const struct out *out, const char *name, const char *help,
	double (*value)(const struct out *out, const struct report_row *row))
{
	head(out, name, "gauge", help);
	for (size_t i = 0; i < out->rows->n_rows; i++) {
		double v = value(out, &out->rows->rows[i]);

		if (isnan(v))
			continue;
		fputs(name, out->to);
		row_labels(out->to, &out->rows->rows[i]);
		fputs("} ", out->to);
		number(out->to, v);
	}
}

static bool is_planned(const struct server *server)
{
	return server->planned && server->state == SERVER_STEERED;
}

static double connections_of(const struct out *out, const struct report_row *row)
{
	(void)out;
	return row->connections;
}

static double own_of(const struct out *out, const struct report_row *row)
{
	(void)out;
	return row->server->own;
}

static double weight_of(const struct out *out, const struct report_row *row)
{
	(void)out;
	return is_planned(row->server) ? row->server->weight : (double)NAN;
}

static double haproxy_weight_of(const struct out *out, const struct report_row *row)
{
	(void)out;
	return row->server->uweight;
}

static double target_of(const struct out *out, const struct report_row *row)
{
	(void)out;
	return is_planned(row->server) ? row->server->plan.target : (double)NAN;
}

static double level_of(const struct out *out, const struct report_row *row)
{
	const struct server *server = row->server;

	(void)out;
	return is_planned(server) ? server->plan.count + server->plan.deficit : (double)NAN;
}

static double last_success_of(const struct out *out, const struct report_row *row)
{
	if (row->age_ms < 0)
		return (double)NAN;
	return (double)(out->view->wall_ms - row->age_ms) / 1000.0;
}

static double poll_success_of(const struct out *out, const struct report_row *row)
{
	const struct pod *pod = row->server->pod;

	(void)out;
	return pod->polled_ms > 0 ? pod->outcome == METRIC_OK : (double)NAN;
}

static void write_servers(const struct out *out)
{
	rows_gauge(out, "wsbalancer_server_connections",
		"Connections of the server's pod: its own word, else what the plan reckons.",
		connections_of);
	rows_gauge(out, "wsbalancer_server_own_sessions",
		"Sessions that this HAProxy holds on the server.", own_of);
	rows_gauge(out, "wsbalancer_server_level_connections",
		"Connections that the server's pod should come to.", level_of);
	rows_gauge(out, "wsbalancer_server_target_sessions",
		"Sessions that this HAProxy should hold on the server.", target_of);
	rows_gauge(out, "wsbalancer_server_weight", "Weight that the plan wants.", weight_of);
	rows_gauge(out, "wsbalancer_server_haproxy_weight", "Weight in HAProxy now.",
		haproxy_weight_of);
	rows_gauge(out, "wsbalancer_server_last_success_timestamp_seconds",
		"When the pod last answered well, since the epoch.", last_success_of);
	rows_gauge(out, "wsbalancer_server_last_poll_success",
		"1 when the last poll of the pod went well, else 0.", poll_success_of);

	head(out, "wsbalancer_server_state", "gauge",
		"1 for what the server's weight rests on: heard, stale, never_heard, disbelieved, "
		"draining, unplanned, or why it is not steered.");
	for (size_t i = 0; i < out->rows->n_rows; i++) {
		fputs("wsbalancer_server_state", out->to);
		row_labels(out->to, &out->rows->rows[i]);
		fprintf(out->to, ",state=\"%s\"} 1\n", report_state(out->rows->rows[i].server));
	}
}

/* One family with a sample for each backend that has a plan. */
static void backends_gauge(const struct out *out, const char *name, const char *help,
	double (*value)(const struct out *out, const struct backend *backend))
{
	size_t n;
	struct backend *const *backends = cluster_backends(out->view->cluster, &n);

	head(out, name, "gauge", help);
	for (size_t i = 0; i < n; i++) {
		if (!backends[i]->planned || backends[i]->mode == BACKEND_NOT_STEERED)
			continue;
		double v = value(out, backends[i]);

		if (isnan(v))
			continue;
		fprintf(out->to, "%s{", name);
		label(out->to, "proxy", backends[i]->name);
		fputs("} ", out->to);
		number(out->to, v);
	}
}

static double imbalance_of(const struct out *out, const struct backend *backend)
{
	(void)out;
	return backend->summary.imbalance;
}

static double backend_level_of(const struct out *out, const struct backend *backend)
{
	(void)out;
	return backend->summary.level;
}

static double fallback_of(const struct out *out, const struct backend *backend)
{
	(void)out;
	return backend->summary.fallback;
}

static double arrivals_of(const struct out *out, const struct backend *backend)
{
	(void)out;
	return backend->arrivals.rated ? backend->arrivals.per_second : (double)NAN;
}

static double plan_time_of(const struct out *out, const struct backend *backend)
{
	const struct report_view *view = out->view;

	return (double)(view->wall_ms - (view->now_ms - backend->planned_ms)) / 1000.0;
}

/* How many servers are in each state: what alerts ask, without a series a pod. */
static void write_server_counts(const struct out *out)
{
	const char *const *states = report_states();
	size_t n;
	struct backend *const *backends = cluster_backends(out->view->cluster, &n);

	head(out, "wsbalancer_backend_servers", "gauge",
		"Servers of the backend by what their weight rests on.");
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; states[k]; k++) {
			size_t sum = 0;

			for (size_t j = 0; j < backends[i]->n_servers; j++)
				sum += report_state(backends[i]->servers[j]) == states[k];
			fputs("wsbalancer_backend_servers{", out->to);
			label(out->to, "proxy", backends[i]->name);
			fprintf(out->to, ",state=\"%s\"} %zu\n", states[k], sum);
		}
	}
}

static void write_backends(const struct out *out)
{
	size_t n;
	struct backend *const *backends = cluster_backends(out->view->cluster, &n);

	head(out, "wsbalancer_backend", "info",
		"The backend's algorithm and how its weights are planned.");
	for (size_t i = 0; i < n; i++) {
		fputs("wsbalancer_backend_info{", out->to);
		label(out->to, "proxy", backends[i]->name);
		fputc(',', out->to);
		label(out->to, "algo", backends[i]->algo);
		fprintf(out->to, ",mode=\"%s\"} 1\n", backend_mode_name(backends[i]->mode));
	}
	write_server_counts(out);
	backends_gauge(out, "wsbalancer_backend_imbalance_ratio",
		"How far the fullest pod is above the mean: max/mean - 1.", imbalance_of);
	backends_gauge(out, "wsbalancer_backend_level_connections",
		"Connections for each unit of capacity that all pods should come to.",
		backend_level_of);
	backends_gauge(out, "wsbalancer_backend_arrivals_per_second",
		"New connections a second through this HAProxy, smoothed.", arrivals_of);
	backends_gauge(out, "wsbalancer_backend_fallback",
		"1 while fewer than half of the pods are known and all weights are as configured.",
		fallback_of);
	backends_gauge(out, "wsbalancer_backend_last_plan_timestamp_seconds",
		"When the backend was last planned, since the epoch.", plan_time_of);
}

static void write_haproxy(const struct out *out)
{
	const struct report_view *view = out->view;
	const struct hareply_info *info = cluster_info(view->cluster);
	const struct cluster_counters *counters = cluster_counters(view->cluster);
	int64_t updated_ms = cluster_updated_ms(view->cluster);

	gauge(out, "wsbalancer_haproxy_up", "1 when HAProxy answered the last reading.",
		view->stats->haproxy_reached);
	if (updated_ms > 0) {
		head(out, "wsbalancer_haproxy", "info", "The HAProxy beside this agent.");
		fputs("wsbalancer_haproxy_info{", out->to);
		label(out->to, "version", info->version);
		fputs("} 1\n", out->to);
		gauge(out, "wsbalancer_haproxy_last_success_timestamp_seconds",
			"When HAProxy last answered, since the epoch.",
			(double)(view->wall_ms - (view->now_ms - updated_ms)) / 1000.0);
	}
	counter(out, "wsbalancer_haproxy_reloads", "Reloads and restarts of HAProxy seen.",
		counters->reloads);
	counter(out, "wsbalancer_haproxy_reads_failed", "Readings of HAProxy's state that failed.",
		view->stats->reads_failed);
	histogram(out, "wsbalancer_haproxy_read_duration_seconds",
		"Time that reading HAProxy's state took.", &view->stats->read);
	counter(out, "wsbalancer_address_changes", "Servers that came to another address.",
		counters->new_addresses);
	counter(out, "wsbalancer_weight_repairs",
		"Weights that someone else had changed and the agent set again.",
		counters->repairs);
	counter(out, "wsbalancer_weights_sent", "Weights sent to HAProxy.",
		view->stats->weights_sent);
}

static void write_work(const struct out *out)
{
	static const char *const pushes[] = {
		[STATS_PUSH_OK] = "ok",
		[STATS_PUSH_REFUSED] = "refused",
		[STATS_PUSH_FAILED] = "failed",
	};
	const struct stats *stats = out->view->stats;

	head(out, "wsbalancer_polls", "counter", "Polls of pods, by how they ended.");
	for (size_t i = 0; i < METRIC_N_OUTCOMES; i++)
		one_of(out, "wsbalancer_polls", "result", metric_outcome_label((enum metric_outcome)i),
			stats->polls[i]);
	histogram(out, "wsbalancer_poll_duration_seconds", "Time that a poll of a pod took.",
		&stats->poll);
	head(out, "wsbalancer_pushes", "counter", "Lines of commands to HAProxy, by how they ended.");
	for (size_t i = 0; i < STATS_N_PUSHES; i++)
		one_of(out, "wsbalancer_pushes", "result", pushes[i], stats->pushes[i]);
	histogram(out, "wsbalancer_push_duration_seconds",
		"Time that a line of commands to HAProxy took.", &stats->push);
	head(out, "wsbalancer_agent_check_requests", "counter",
		"Agent-check requests of HAProxy, by the answer.");
	one_of(out, "wsbalancer_agent_check_requests", "result", "answered",
		stats->agent_check_answered);
	one_of(out, "wsbalancer_agent_check_requests", "result", "unknown",
		stats->agent_check_unknown);
	one_of(out, "wsbalancer_agent_check_requests", "result", "dropped",
		stats->agent_check_dropped);
	counter(out, "wsbalancer_rounds", "Rounds that made a plan.", stats->rounds);
	counter(out, "wsbalancer_rounds_skipped",
		"Rounds left out: no memory, or the last one still under way.",
		stats->rounds_skipped);
	head(out, "wsbalancer_config_reloads", "counter", "Readings of the configuration after a signal.");
	one_of(out, "wsbalancer_config_reloads", "result", "ok", stats->config_reloads);
	one_of(out, "wsbalancer_config_reloads", "result", "failed", stats->config_reloads_failed);
}

/* By the names that Prometheus' own client libraries give them. */
static void write_process(const struct out *out)
{
	const struct report_process *process = out->view->process;

	head(out, "process_cpu_seconds", "counter", "User and system time of the agent.");
	fputs("process_cpu_seconds_total ", out->to);
	number(out->to, process->cpu_s);
	gauge(out, "process_start_time_seconds", "When the agent started, since the epoch.",
		(double)out->view->stats->start_wall_ms / 1000.0);
	gauge(out, "process_resident_memory_bytes", "Memory of the agent that is in RAM.",
		(double)process->resident_bytes);
	gauge(out, "process_virtual_memory_bytes", "Memory that the agent has mapped.",
		(double)process->virtual_bytes);
	gauge(out, "process_open_fds", "File descriptors that the agent has open.",
		(double)process->open_fds);
	gauge(out, "process_max_fds", "File descriptors that the agent may open.",
		(double)process->max_fds);
}

static void write_all(const struct out *out)
{
	const struct report_view *view = out->view;

	head(out, "wsbalancer_build", "info", "The agent's version.");
	fputs("wsbalancer_build_info{", out->to);
	label(out->to, "version", view->version);
	fputs("} 1\n", out->to);
	gauge(out, "wsbalancer_ready", "1 when HAProxy was reached and the first round is done.",
		view->ready);
	gauge(out, "wsbalancer_dry_run", "1 when the agent plans and sends nothing.",
		view->dry_run);
	gauge(out, "wsbalancer_replicas", "HAProxy instances that the agent reckons with.",
		cluster_settings(view->cluster)->replicas);
	write_servers(out);
	write_backends(out);
	write_haproxy(out);
	write_work(out);
	if (view->process)
		write_process(out);
	if (out->openmetrics)
		fputs("# EOF\n", out->to);
}

struct report_text report_prom_write(const struct report_view *view, bool openmetrics)
{
	struct report_text text = {0};
	struct report_rows rows;
	FILE *to;

	if (!report_rows_init(&rows, view))
		return text;
	to = open_memstream(&text.bytes, &text.len);
	if (to) {
		struct out out = {to, openmetrics, view, &rows};

		write_all(&out);
		bool failed = ferror(to);

		if (fclose(to) != 0 || failed) {
			free(text.bytes);
			text = (struct report_text){0};
		}
	}
	report_rows_fini(&rows);
	return text;
}
