/* SPDX-License-Identifier: MIT */
/* What real servers answer, each read with the right number, and its near misses refused.
 * tests/data/metric/README.md says which of them were recorded. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/metric/metric_preset.h"
#include "data.h"
#include "metrics.h"
#include "run.h"

enum { N_MISSES = 3 };

/* The answer with the first `from` replaced by `to`: what comes of it. */
struct miss {
	const char *from;
	const char *to;
	enum metric_outcome outcome;
};

#define INFLIGHT                                                 \
	"inflight{accept_protocol=\"\",client_name=\"unnamed\"," \
	"client_version=\"unversioned\",transport=\"websocket\""

static const struct server {
	const char *file;
	const char *preset; /* or NULL, and then: */
	enum metric_format format;
	const char *key;
	uint32_t count;
	struct miss misses[N_MISSES];
} servers[] = {
	/* ---- recorded ---- */
	{"wspod.json", NULL, METRIC_JSON, "agentsConnections", 0,
		{{"0}", "-1}", METRIC_NOT_A_COUNT}, {"0}", "\"0\"}", METRIC_NOT_A_COUNT},
			{"0}", "0", METRIC_NOT_JSON}}},
	{"nats-varz.json", "nats", METRIC_JSON, NULL, 2,
		{{"\"connections\": 2", "\"connections\": 2.5", METRIC_NOT_A_COUNT},
			{"\"connections\"", "\"conections\"", METRIC_NO_KEY},
			{"\"connections\": 2", "\"connections\": 2, \"connections\": 3",
				METRIC_DUPLICATE_KEY}}},
	{"centrifugo.prom", "centrifugo", METRIC_PROMETHEUS, NULL, 3,
		{{INFLIGHT "} 3", INFLIGHT "} NaN", METRIC_NOT_A_COUNT},
			{INFLIGHT "} 3", INFLIGHT "} 0x3", METRIC_NOT_PROMETHEUS},
			{INFLIGHT "} 3", INFLIGHT " 3", METRIC_NOT_PROMETHEUS}}},
	{"centrifugo-info.json", NULL, METRIC_JSON, "result.nodes[].num_clients", 0,
		{{"\"num_clients\"", "\"num_client\"", METRIC_NO_KEY},
			{"\"num_clients\":0", "\"num_clients\":null", METRIC_NOT_A_COUNT},
			{"\"nodes\":[", "\"nodes\":[7,", METRIC_NO_KEY}}},
	{"mercure.prom", "mercure", METRIC_PROMETHEUS, NULL, 3,
		{{"\nmercure_subscribers_connected 3", "\nmercure_subscribers_connected +Inf",
			 METRIC_NOT_A_COUNT},
			{"\nmercure_subscribers_connected 3",
				"\nmercure_subscribers_connected 3 4 5", METRIC_NOT_PROMETHEUS},
			{"\nmercure_subscribers_connected 3", "\nmercure_subscribers_connected -3",
				METRIC_NOT_A_COUNT}}},
	{"anycable.prom", "anycable", METRIC_PROMETHEUS, NULL, 2,
		{{"\nanycable_go_clients_num 2", "\nanycable_go_clients_num two",
			 METRIC_NOT_PROMETHEUS},
			{"\nanycable_go_clients_num 2", "\nanycable_go_clients_num 2.5",
				METRIC_NOT_A_COUNT},
			{"\nanycable_go_clients_num 2", "\nanycable_go_clients_num 4294967296",
				METRIC_NOT_A_COUNT}}},
	{"soketi.prom", "soketi", METRIC_PROMETHEUS, NULL, 6,
		{{"port=\"6001\"} 4", "port=\"6001\"} Nan", METRIC_NOT_A_COUNT},
			{"port=\"6001\"} 4", "port=6001} 4", METRIC_NOT_PROMETHEUS},
			{"port=\"6001\"} 4", "port=\"6001\"} 4.5", METRIC_NOT_A_COUNT}}},
	{"prom-client.prom", NULL, METRIC_PROMETHEUS, "ws_connections{app=\"chat\"}", 5,
		{{"app=\"chat\"", "app=\"chats\"", METRIC_NO_KEY},
			{"app=\"chat\"} 5", "app=\"chat\"}", METRIC_NOT_PROMETHEUS},
			{"app=\"chat\"} 5", "app=\"chat\"} 5_0", METRIC_NOT_PROMETHEUS}}},
	{"prom-client.prom", "socketio", METRIC_PROMETHEUS, NULL, 0,
		{{"\nsocket_io_connected 0", "\nsocket_io_connected -1", METRIC_NOT_A_COUNT}}},
	{"prometheus_client.prom", NULL, METRIC_PROMETHEUS, "ws_connections{app=\"chat\"}", 42,
		{{"zone=\"b\"} 2.0", "zone=\"b\"} 2.25", METRIC_NOT_A_COUNT},
			{"zone=\"b\"} 2.0", "zone=\"b} 2.0", METRIC_NOT_PROMETHEUS},
			{"zone=\"b\"} 2.0", "zone=\"b\"} nan(2)", METRIC_NOT_PROMETHEUS}}},
	{"prometheus_client.prom", NULL, METRIC_PROMETHEUS, "ws_opened_total - ws_closed_total", 42,
		{{"ws_closed_total 58.0", "ws_closed_total 158.0", METRIC_NOT_A_COUNT},
			{"\nws_closed_total 58.0", "\nws_close_total 58.0", METRIC_OK}}},
	{"prometheus_client.om", NULL, METRIC_PROMETHEUS, "ws_opened_total - ws_closed_total", 42,
		{{"ws_opened_total 100.0", "ws_opened_total 1.0", METRIC_NOT_A_COUNT}}},
	{"haproxy.prom", NULL, METRIC_PROMETHEUS, "haproxy_frontend_current_sessions{proxy=\"ws\"}",
		3,
		{{"sessions{proxy=\"ws\"} 3", "sessions{proxy=\"ws\"} 3e", METRIC_NOT_PROMETHEUS}}},
	{"prometheus.prom", NULL, METRIC_PROMETHEUS,
		"net_conntrack_listener_conn_accepted_total - net_conntrack_listener_conn_closed_total",
		1,
		{{"closed_total{listener_name=\"http\"} 0",
			"closed_total{listener_name=\"http\"} 2", METRIC_NOT_A_COUNT}}},
	{"nginx.txt", "nginx", METRIC_TEXT, NULL, 1,
		{{"connections: 3", "connections: 1,234", METRIC_NOT_A_COUNT},
			{"connections: 3", "connections: n/a", METRIC_NOT_A_COUNT},
			{"Active connections", "Inactive connections", METRIC_NO_KEY}}},
	/* ---- as their documentation has it ---- */
	{"told/emqx.prom", "emqx", METRIC_PROMETHEUS, NULL, 9,
		{{"\nemqx_live_connections_count 9", "\nemqx_live_connections_count undefined",
			METRIC_NOT_PROMETHEUS}}},
	{"told/emqx-stats.json", NULL, METRIC_JSON, "[][\"live_connections.count\"]", 9,
		{{"\"live_connections.count\"", "\"live_connections\"", METRIC_NO_KEY},
			{"[{", "{", METRIC_NOT_JSON}}},
	{"told/signalr-opentelemetry.prom", "signalr", METRIC_PROMETHEUS, NULL, 42,
		{{"} 45 ", "} 2 ", METRIC_NOT_A_COUNT}, {"} -3 ", "} -3.5 ", METRIC_NOT_A_COUNT}}},
	{"told/signalr-prometheus-net.prom", "signalr", METRIC_PROMETHEUS, NULL, 17,
		{{"} 17", "} 17h", METRIC_NOT_PROMETHEUS}}},
	{"told/kestrel.prom", NULL, METRIC_PROMETHEUS,
		"kestrel_active_connections{server_port=\"8080\",network_type=~\"ipv[46]\"}", 23,
		{{"ipv6", "ipv60", METRIC_OK}}},
	{"told/jvb.json", "jvb", METRIC_JSON, NULL, 12,
		{{"\"local_endpoints\":12", "\"local_endpoints\":\"12\"", METRIC_NOT_A_COUNT}}},
	{"told/vernemq.json", "vernemq", METRIC_JSON, NULL, 14,
		{{"\"num_online\":14", "\"num_online\":true", METRIC_NOT_A_COUNT},
			{"{\"VerneMQ@10.0.0.2\":{\"num", "{\"x\":1,\"y\":{\"num", METRIC_NO_KEY}}},
	{"told/vllm.prom", "vllm", METRIC_PROMETHEUS, NULL, 9,
		{{"\nvllm:num_requests_waiting{", "\nvllm:num_requests_wait{", METRIC_OK},
			{"} 7.0", "} 7.0.0", METRIC_NOT_PROMETHEUS}}},
	{"told/spring-actuator.json", NULL, METRIC_JSON, "measurements[statistic=\"VALUE\"].value",
		42, {{"42.0", "42.5", METRIC_NOT_A_COUNT}, {"VALUE", "COUNT", METRIC_NO_KEY}}},
	{"told/micrometer.prom", NULL, METRIC_PROMETHEUS,
		"tomcat_connections_current_connections{name=~\"http.*\"}", 10000000,
		{{"1.0E7", "1.0E10", METRIC_NOT_A_COUNT},
			{"1.0E7", "1.0D7", METRIC_NOT_PROMETHEUS}}},
	{"told/rabbitmq.prom", NULL, METRIC_PROMETHEUS,
		"rabbitmq_connections_opened_total - rabbitmq_connections_closed_total", 6,
		{{"1e+02", "9e+01", METRIC_NOT_A_COUNT}}},
	{"told/apache.txt", NULL, METRIC_TEXT, "ConnsTotal - ConnsAsyncKeepAlive", 5,
		{{"ConnsTotal: 8", "ConnsTotal: 8.0", METRIC_NOT_A_COUNT},
			{"ConnsTotal", "XConnsTotal", METRIC_NO_KEY}}},
	{"told/mercure-before-0.14.3.prom", "mercure", METRIC_PROMETHEUS, NULL, 21,
		{{"\nmercure_subscribers 21", "\nmercure_subscribers", METRIC_NOT_PROMETHEUS}}},
};

static char *read_answer(const struct server *server, size_t *len)
{
	char path[160];

	snprintf(path, sizeof(path), "tests/data/metric/%s", server->file);
	return data_read(path, len);
}

static struct metric_query query_of(const struct server *server)
{
	const struct metric_preset *preset =
		server->preset ? metric_preset_find(server->preset) : NULL;

	ck_assert(!server->preset || preset);
	return metrics_query(
		preset ? preset->format : server->format, preset ? preset->key : server->key);
}

START_TEST(each_server_is_read_with_the_right_number)
{
	const struct server *server = &servers[_i];
	struct metric_query query = query_of(server);
	size_t len;
	char *answer = read_answer(server, &len);

	for (size_t piece = 0; piece < 3000; piece = piece * 7 + 5) {
		struct metric metric;
		enum metric_outcome outcome =
			metrics_read_pieces(&query, answer, len, piece, NULL, &metric);

		ck_assert_msg(outcome == METRIC_OK, "%s: %s", server->file,
			metric_outcome_label(outcome));
		ck_assert_msg(metric.count == server->count, "%s: %u, not %u", server->file,
			metric.count, server->count);
		ck_assert(!metric.odd_draining && !metric.odd_capacity);
	}
	free(answer);
	metric_query_fini(&query);
}
END_TEST

/* Where the miss is a name that is announced and has no sample, who asks must weigh it. */
static bool is_refused(const struct miss *miss, enum metric_outcome outcome,
	const struct metric *metric, uint32_t count)
{
	if (miss->outcome != METRIC_OK)
		return outcome == miss->outcome;
	return outcome == METRIC_OK && (metric->unsampled != 0 || metric->count != count);
}

START_TEST(its_near_misses_are_refused)
{
	const struct server *server = &servers[_i];
	struct metric_query query = query_of(server);
	size_t len;
	char *answer = read_answer(server, &len);

	for (size_t i = 0; i < N_MISSES && server->misses[i].from; i++) {
		const struct miss *miss = &server->misses[i];
		char *at = strstr(answer, miss->from);
		struct metric metric = {.count = 0};
		enum metric_outcome outcome;
		char *text;
		int size;

		ck_assert_msg(at != NULL, "%s: no '%s'", server->file, miss->from);
		size = asprintf(&text, "%.*s%s%s", (int)(at - answer), answer, miss->to,
			at + strlen(miss->from));
		ck_assert_int_gt(size, 0);
		outcome = metrics_read_pieces(&query, text, (size_t)size, 0, NULL, &metric);
		ck_assert_msg(is_refused(miss, outcome, &metric, server->count), "%s: '%s': %s",
			server->file, miss->to, metric_outcome_label(outcome));
		free(text);
	}
	free(answer);
	metric_query_fini(&query);
}
END_TEST

/* A preset's table says which answer it was tried on: that answer is here. */
START_TEST(what_a_preset_was_tried_on_was_recorded)
{
	size_t n;
	const struct metric_preset *presets = metric_preset_all(&n);

	for (size_t i = 0; i < n; i++) {
		bool recorded = false;
		bool there = false;

		for (size_t s = 0; s < sizeof(servers) / sizeof(servers[0]); s++) {
			if (!servers[s].preset || strcmp(servers[s].preset, presets[i].name) != 0)
				continue;
			there = true;
			recorded |= strncmp(servers[s].file, "told/", 5) != 0;
		}
		ck_assert_msg(there, "no answer for %s", presets[i].name);
		ck_assert_msg(recorded == (presets[i].tried != NULL), "%s", presets[i].name);
	}
}
END_TEST

/* soketi, as prom-client and prometheus.erl, announces what it has no sample of yet. */
START_TEST(before_the_first_client_a_series_is_announced)
{
	struct metric_query query = metrics_query(METRIC_PROMETHEUS, "soketi_connected");
	struct metric metric;
	size_t len;
	char *answer = data_read("tests/data/metric/soketi-fresh.prom", &len);

	ck_assert_int_eq(metrics_read_pieces(&query, answer, len, 0, NULL, &metric), METRIC_OK);
	ck_assert_uint_eq(metric.count, 0);
	ck_assert_uint_eq(metric.sampled, 0);
	ck_assert_uint_eq(metric.unsampled, 1);
	free(answer);
	metric_query_fini(&query);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{each_server_is_read_with_the_right_number, N_OF(servers)},
		{its_near_misses_are_refused, N_OF(servers)},
		{what_a_preset_was_tried_on_was_recorded, ONCE},
		{before_the_first_client_a_series_is_announced, ONCE},
	};

	return run_suite("metric_servers", tests, N_OF(tests));
}
