/* SPDX-License-Identifier: MIT */
#include "core/report/report_certs.h"
#include "core/report/report_kube.h"
#include "core/report/report_parts.h"
#include "core/report/report_prom_cluster.h"
#include "core/steer/tempo.h"

static void write_haproxy(const struct promtext *text, const struct report_view *view)
{
	const struct cluster_counters *counters = cluster_counters(view->cluster);
	int64_t updated_ms = cluster_updated_ms(view->cluster);

	/* With agent-check alone nobody asks HAProxy anything. */
	if (cluster_settings(view->cluster)->agent_check_only)
		return;
	promtext_gauge(text, "wsbalancer_haproxy_up", "1 when HAProxy answered the last reading.",
		view->stats->haproxy_reached);
	promtext_gauge(text, "wsbalancer_haproxy_draining",
		"1 when HAProxy has been told that it is about to stop.", view->draining);
	if (updated_ms > 0) {
		promtext_family(text, "wsbalancer_haproxy", PROMTEXT_INFO,
			"The HAProxy beside this agent.");
		buf_puts(text->to, "wsbalancer_haproxy_info{");
		promtext_label(text, "version", cluster_info(view->cluster)->version);
		buf_puts(text->to, "} 1\n");
		promtext_gauge(text, "wsbalancer_haproxy_last_success_timestamp_seconds",
			"When HAProxy last answered, since the epoch.",
			report_wall_s(view, updated_ms));
	}
	promtext_counter(text, "wsbalancer_haproxy_reloads",
		"Reloads and restarts of HAProxy seen.", (double)counters->reloads);
	promtext_counter(text, "wsbalancer_haproxy_reads_failed",
		"Readings of HAProxy's state that failed.", (double)view->stats->reads_failed);
	promtext_histogram(text, "wsbalancer_haproxy_read_duration_seconds",
		"Time that reading HAProxy's state took.", &view->stats->read);
	promtext_counter(text, "wsbalancer_address_changes",
		"Servers that came to another address.", (double)counters->new_addresses);
	promtext_counter(text, "wsbalancer_weight_repairs",
		"Weights that someone else had changed and the agent set again.",
		(double)counters->repairs);
	promtext_counter(text, "wsbalancer_weights_sent", "Weights sent to HAProxy.",
		(double)view->stats->weights_sent);
}

static void write_polls_and_pushes(const struct promtext *text, const struct report_view *view)
{
	static const char *const pushes[] = {
		[STATS_PUSH_OK] = "ok",
		[STATS_PUSH_REFUSED] = "refused",
		[STATS_PUSH_FAILED] = "failed",
	};
	const struct stats *stats = view->stats;

	promtext_family(
		text, "wsbalancer_polls", PROMTEXT_COUNTER, "Polls of pods, by how they ended.");
	for (size_t i = 0; i < METRIC_N_OUTCOMES; i++)
		promtext_result(text, "wsbalancer_polls",
			metric_outcome_label((enum metric_outcome)i), stats->polls[i]);
	promtext_histogram(text, "wsbalancer_poll_duration_seconds",
		"Time that a poll of a pod took.", &stats->poll);
	promtext_family(text, "wsbalancer_pushes", PROMTEXT_COUNTER,
		"Lines of commands to HAProxy, by how they ended.");
	for (size_t i = 0; i < STATS_N_PUSHES; i++)
		promtext_result(text, "wsbalancer_pushes", pushes[i], stats->pushes[i]);
	promtext_histogram(text, "wsbalancer_push_duration_seconds",
		"Time that a line of commands to HAProxy took.", &stats->push);
}

static void write_agent(const struct promtext *text, const struct report_view *view)
{
	static const char *const records[] = {
		[STATS_RECORD_WRITTEN] = "written",
		[STATS_RECORD_BUSY] = "busy",
		[STATS_RECORD_FAILED] = "failed",
	};
	static const char *const dropped[] = {
		[STATS_HTTP_SLOW_HEAD] = "slow_request",
		[STATS_HTTP_IDLE] = "idle",
		[STATS_HTTP_SLOW_ANSWER] = "slow_reader",
		[STATS_HTTP_CROWDED] = "crowded",
		[STATS_HTTP_REFUSED] = "refused",
	};
	const struct stats *stats = view->stats;

	promtext_family(text, "wsbalancer_agent_check_requests", PROMTEXT_COUNTER,
		"Agent-check requests of HAProxy, by the answer.");
	promtext_result(
		text, "wsbalancer_agent_check_requests", "answered", stats->agent_check_answered);
	promtext_result(
		text, "wsbalancer_agent_check_requests", "unknown", stats->agent_check_unknown);
	promtext_result(
		text, "wsbalancer_agent_check_requests", "dropped", stats->agent_check_dropped);
	promtext_counter(
		text, "wsbalancer_rounds", "Rounds that made a plan.", (double)stats->rounds);
	promtext_counter(text, "wsbalancer_rounds_put_off",
		"Rounds that asked the pods again, many connections having closed while they were asked.",
		(double)stats->rounds_put_off);
	promtext_counter(text, "wsbalancer_plans_overtaken",
		"Plans in whose place the configured weights were put back, more having come than they were made for.",
		(double)stats->plans_overtaken);
	promtext_counter(text, "wsbalancer_rounds_skipped",
		"Rounds left out: no memory, or the last one still under way.",
		(double)stats->rounds_skipped);
	promtext_family(text, "wsbalancer_records", PROMTEXT_COUNTER,
		"Rounds that were to be recorded, by how it went.");
	for (size_t i = 0; i < STATS_N_RECORDS; i++)
		promtext_result(text, "wsbalancer_records", records[i], stats->records[i]);
	promtext_histogram(text, "wsbalancer_loop_turn_duration_seconds",
		"Time that the agent's loop took between two waits: so long did all else wait.",
		&stats->turn);
	promtext_gauge(text, "wsbalancer_loop_late_seconds_max",
		"The longest of these times since the start.", stats->longest_turn_s);
	promtext_gauge(text, "wsbalancer_loop_busy_seconds_max",
		"The most processor time that the loop took so. Where that is far less than the "
		"longest, the agent waited: for a processor or a disk, or it was stopped.",
		stats->busiest_turn_s);
	promtext_gauge(text, "wsbalancer_http_connections",
		"Connections to the agent's HTTP endpoint.", (double)stats->http_connections);
	promtext_family(text, "wsbalancer_http_connections_dropped", PROMTEXT_COUNTER,
		"Connections to the agent's HTTP endpoint that it closed, by the reason.");
	for (size_t i = 0; i < STATS_N_HTTP; i++)
		promtext_result(text, "wsbalancer_http_connections_dropped", dropped[i],
			stats->http_dropped[i]);
	promtext_family(text, "wsbalancer_config_reloads", PROMTEXT_COUNTER,
		"Configurations read after a signal.");
	promtext_result(text, "wsbalancer_config_reloads", "ok", stats->config_reloads);
	promtext_result(text, "wsbalancer_config_reloads", "failed", stats->config_reloads_failed);
}

/* By the names that Prometheus' own client libraries give them. */
static void write_process(const struct promtext *text, const struct report_view *view)
{
	const struct report_process *process = view->process;

	promtext_counter(
		text, "process_cpu_seconds", "User and system time of the agent.", process->cpu_s);
	promtext_gauge(text, "process_start_time_seconds",
		"When the agent started, since the epoch.",
		(double)view->stats->start_wall_ms / 1000.0);
	promtext_gauge(text, "process_resident_memory_bytes", "Memory of the agent that is in RAM.",
		(double)process->resident_bytes);
	promtext_gauge(text, "process_virtual_memory_bytes", "Memory that the agent has mapped.",
		(double)process->virtual_bytes);
	promtext_gauge(text, "process_open_fds", "File descriptors that the agent has open.",
		(double)process->open_fds);
	promtext_gauge(text, "process_max_fds", "File descriptors that the agent may open.",
		(double)process->max_fds);
}

static void write_head(const struct promtext *text, const struct report_view *view)
{
	promtext_family(text, "wsbalancer_build", PROMTEXT_INFO, "The agent's version.");
	buf_puts(text->to, "wsbalancer_build_info{");
	promtext_label(text, "version", view->version);
	buf_puts(text->to, "} 1\n");
	promtext_gauge(text, "wsbalancer_ready",
		"1 when HAProxy was reached and the first round is done.", view->ready);
	if (view->certificate_ends_s > 0) {
		promtext_gauge(text, "wsbalancer_certificate_end_timestamp_seconds",
			"When the endpoint's certificate ends, since the epoch.",
			(double)view->certificate_ends_s);
	}
	promtext_gauge(text, "wsbalancer_dry_run", "1 when the agent plans and sends nothing.",
		view->dry_run);
	promtext_gauge(text, "wsbalancer_replicas",
		"HAProxy instances that the agent reckons with.",
		cluster_settings(view->cluster)->replicas);
	promtext_gauge(text, "wsbalancer_poll_interval_seconds",
		"From one round to the next; of pollInterval: auto what is chosen now.",
		(double)tempo_round_ms(view->cluster) / 1000.0);
}

static void write_rest(
	const struct promtext *text, const struct report_view *view, const struct report_rows *rows)
{
	report_prom_not_asked(text, view);
	report_prom_backends(text, view, rows);
	write_haproxy(text, view);
	report_certs_prom(text, view);
	report_kube_prom(text, view);
	write_polls_and_pushes(text, view);
	write_agent(text, view);
	if (view->process)
		write_process(text, view);
	if (text->openmetrics)
		buf_puts(text->to, "# EOF\n");
}

static bool begin(struct report_writer *writer)
{
	const struct report_rows *rows = &writer->rows;
	struct promtext text = {&writer->before, writer->openmetrics};

	write_head(&text, &writer->view);
	if (rows->n_rows == 0)
		report_prom_no_servers(&text);
	text.to = &writer->after;
	write_rest(&text, &writer->view, rows);
	writer->n_lines = report_prom_n_server_lines(rows);
	return report_prom_server_labels(rows, &writer->own);
}

static void write_line(const struct report_writer *writer, struct buf *to, size_t i)
{
	struct promtext text = {to, writer->openmetrics};

	report_prom_server_line(&text, &writer->view, &writer->rows, writer->own, i);
}

const struct report_parts report_prom_parts = {begin, write_line};
