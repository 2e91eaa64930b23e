/* SPDX-License-Identifier: MIT */
/* What the reports say of a cluster, and that nothing foreign becomes markup in them. */
#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonparse.h"
#include "core/base/text.h"
#include "core/report/report.h"
#include "core/report/report_backends.h"
#include "core/report/report_pod.h"
#include "core/report/report_rows.h"
#include "core/steer/reconcile.h"
#include "core/steer/steer.h"
#include "run.h"

enum { N_MAX = 16 };

/* A HAProxy with some backends, what the pods said, and the report on it. */
static struct scene {
	struct hastate_server servers[N_MAX];
	struct hastate_backend backends[4];
	struct hastate_snapshot snapshot;
	struct cluster *cluster;
	struct stats stats;
	struct report_view view;
	int64_t now_ms;
	struct json_object *json; /* the last that read_report has read */
} scene;

static void setup(void)
{
	struct cluster_settings settings = {
		.replicas = 1,
		.poll_interval_ms = 1000,
		.cache_ttl_ms = 30000,
	};

	scene = (struct scene){.now_ms = 1000000};
	scene.snapshot.backends = scene.backends;
	scene.snapshot.info.pid = 42;
	scene.snapshot.info.uptime_s = 100;
	strcpy(scene.snapshot.info.version, "2.6.12");
	scene.cluster = cluster_new(&settings);
	scene.stats.haproxy_reached = true;
	scene.view = (struct report_view){
		.cluster = scene.cluster,
		.stats = &scene.stats,
		.wall_ms = 1700000000123,
		.version = "9.9",
		.ready = true,
		.refresh_s = 5,
	};
}

static void teardown(void)
{
	json_object_put(scene.json);
	cluster_free(scene.cluster);
}

static void set_replicas(unsigned replicas)
{
	struct cluster_settings settings = *cluster_settings(scene.cluster);

	settings.replicas = replicas;
	ck_assert(cluster_configure(scene.cluster, &settings));
}

/* Servers of one backend must be added one after the other. */
static struct hastate_server *add_server(
	const char *backend_name, const char *algo, const char *name, uint16_t port)
{
	struct hastate_snapshot *snapshot = &scene.snapshot;
	struct hastate_backend *backend = &scene.backends[snapshot->n_backends];
	size_t used = 0;

	for (size_t i = 0; i < snapshot->n_backends; i++)
		used += scene.backends[i].n_servers;
	if (snapshot->n_backends > 0 && strcmp(backend[-1].name, backend_name) == 0) {
		backend--;
	} else {
		*backend = (struct hastate_backend){
			.name = backend_name, .algo = algo, .servers = &scene.servers[used]};
		snapshot->n_backends++;
	}
	backend->servers[backend->n_servers] = (struct hastate_server){
		.name = name,
		.address = "10.0.0.1",
		.port = port,
		.fqdn = "",
		.status = "UP",
		.op_state = 2,
		.uweight = 100,
		.iweight = 100,
	};
	return &backend->servers[backend->n_servers++];
}

/* HAProxy's answer now. */
static void update(void)
{
	ck_assert(cluster_update(scene.cluster, &scene.snapshot, scene.now_ms, NULL, NULL));
}

static void plan(void)
{
	ck_assert(steer_plan(scene.cluster, scene.now_ms));
	scene.view.now_ms = scene.now_ms;
}

static struct server *find(const char *backend, const char *server)
{
	struct server *found = cluster_find_server(
		scene.cluster, backend, strlen(backend), server, strlen(server));

	ck_assert_msg(found != NULL, "no %s/%s", backend, server);
	return found;
}

/* The server's pod answers now. The plan knows it from the next update on, which says how many
 * sessions HAProxy held then. */
static void hear(const char *backend, const char *server, uint32_t count, const char *pod_name)
{
	struct metric metric = {.count = count};

	snprintf(metric.pod_name, sizeof(metric.pod_name), "%s", pod_name);
	snprintf(metric.node_name, sizeof(metric.node_name), "node of %s", pod_name);
	pod_observe(find(backend, server)->pod, METRIC_OK, &metric, "", scene.now_ms);
}

/* The text stands in the series of Prometheus. */
static bool series_has(const char *text)
{
	struct buf series = report_write(REPORT_PROMETHEUS, &scene.view);
	bool has = series.bytes && strstr(series.bytes, text);

	free(series.bytes);
	return has;
}

/* The report as it is now, until the next is read. */
static struct json_object *read_report(void)
{
	struct buf text = report_write(REPORT_JSON, &scene.view);

	json_object_put(scene.json);
	scene.json = NULL;
	ck_assert_ptr_nonnull(text.bytes);
	ck_assert_int_eq(jsonparse(text.bytes, text.len, &scene.json), JSONPARSE_OK);
	free(text.bytes);
	return scene.json;
}

/* By a path of keys and indices: "podMetrics/ws/0/why". */
static struct json_object *at(struct json_object *object, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/");
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		if (json_object_is_type(object, json_type_array))
			object = json_object_array_get_idx(object, (size_t)strtoul(key, NULL, 10));
		else
			ck_assert_msg(
				json_object_object_get_ex(object, key, &object), "no %s", key);
		path += len + (path[len] == '/');
	}
	return object;
}

static int64_t number_at(struct json_object *object, const char *path)
{
	ck_assert(json_object_is_type(at(object, path), json_type_int));
	return json_object_get_int64(at(object, path));
}

static double real_at(struct json_object *object, const char *path)
{
	ck_assert(json_object_is_type(at(object, path), json_type_int) ||
		  json_object_is_type(at(object, path), json_type_double));
	return json_object_get_double(at(object, path));
}

static const char *string_at(struct json_object *object, const char *path)
{
	ck_assert(json_object_is_type(at(object, path), json_type_string));
	return json_object_get_string(at(object, path));
}

/* s1 with 42 connections, s2 with 18. */
static void play_two(void)
{
	add_server("ws", "leastconn", "s1", 1)->scur = 40;
	add_server("ws", "leastconn", "s2", 2)->scur = 10;
	update();
	hear("ws", "s1", 42, "web-0");
	hear("ws", "s2", 18, "web-1");
	update();
	plan();
}

START_TEST(json_has_the_plugins_keys_and_values)
{
	play_two();
	struct json_object *report = read_report();

	ck_assert_str_eq(string_at(report, "timestamp"), "2023-11-14T22:13:20.123Z");
	ck_assert_str_eq(string_at(report, "services/0/url"), "ws");
	ck_assert_int_eq(number_at(report, "services/0/connections"), 60);
	ck_assert_int_eq(number_at(report, "podMetrics/ws/0/agentsConnections"), 42);
	ck_assert_str_eq(string_at(report, "podMetrics/ws/0/podName"), "web-0");
	ck_assert_str_eq(string_at(report, "podMetrics/ws/0/nodeName"), "node of web-0");
	ck_assert_int_eq(number_at(report, "totalConnections"), 60);
	ck_assert_int_eq(number_at(report, "agentsConnections"), 60);
	/* As the plugin does, what the pod did not say is left out. */
	ck_assert(!json_object_object_get_ex(at(report, "podMetrics/ws/0"), "podIP", NULL));
}
END_TEST

START_TEST(json_says_what_each_weight_is_made_of)
{
	play_two();
	struct json_object *report = read_report();
	struct json_object *pod = at(report, "podMetrics/ws/1");

	ck_assert_double_eq_tol(json_object_get_double(at(pod, "level")), 30.0, 1e-3);
	ck_assert_double_eq_tol(json_object_get_double(at(pod, "deficit")), 12.0, 1e-3);
	ck_assert_double_eq_tol(json_object_get_double(at(pod, "target")), 22.0, 1e-3);
	ck_assert_int_eq(number_at(pod, "own_sessions"), 10);
	ck_assert_int_eq(number_at(pod, "weight"), find("ws", "s2")->plan.weight);
	ck_assert_str_eq(string_at(pod, "why"), "steered");
	ck_assert_double_eq_tol(
		json_object_get_double(at(report, "totals/connections_per_ready_pod")), 30.0, 1e-9);
	ck_assert_double_eq_tol(json_object_get_double(at(report, "totals/imbalance")), 0.4, 1e-3);
}
END_TEST

START_TEST(a_pod_of_two_servers_counts_once_in_the_totals)
{
	add_server("a", "leastconn", "s1", 1);
	add_server("b", "leastconn", "s1", 1);
	add_server("b", "leastconn", "s2", 2);
	update();
	hear("a", "s1", 5, "web-0");
	hear("b", "s2", 7, "web-1");
	plan();
	struct json_object *report = read_report();

	ck_assert_int_eq(number_at(report, "services/0/connections"), 5);
	ck_assert_int_eq(number_at(report, "services/1/connections"), 12);
	ck_assert_int_eq(number_at(report, "totalConnections"), 12);
	ck_assert_int_eq(number_at(report, "totals/pods"), 2);
}
END_TEST

START_TEST(servers_of_one_name_in_dns_are_one_service)
{
	for (uint16_t i = 0; i < 4; i++) {
		static const char *const names[] = {"s1", "s2", "s3", "s4"};
		struct hastate_server *server =
			add_server(i < 2 ? "a" : "b", "leastconn", names[i], (uint16_t)(i + 1));

		server->fqdn = "ws.default.svc";
		server->port = 8100;
		server->address =
			(const char *const[]){"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.2"}[i];
	}
	update();
	hear("a", "s1", 1, "web-0");
	hear("a", "s2", 10, "web-1");
	hear("b", "s3", 100, "web-2");
	plan();
	struct json_object *report = read_report();

	ck_assert_uint_eq(json_object_array_length(at(report, "services")), 1);
	ck_assert_str_eq(string_at(report, "services/0/url"), "http://ws.default.svc:8100");
	ck_assert_int_eq(number_at(report, "services/0/connections"), 111);
}
END_TEST

START_TEST(a_count_older_than_the_ttl_is_reckoned)
{
	set_replicas(3);
	add_server("ws", "leastconn", "s1", 1)->scur = 8;
	add_server("ws", "leastconn", "s2", 2)->scur = 8;
	update();
	hear("ws", "s1", 20, "web-0");
	hear("ws", "s2", 20, "web-1");
	update();
	scene.now_ms += 30001;
	hear("ws", "s2", 21, "web-1");
	update();
	plan();
	struct json_object *report = read_report();
	struct json_object *pod = at(report, "podMetrics/ws/0");

	/* Its last word, moved by what has come through this HAProxy since: nothing. */
	ck_assert_int_eq(number_at(pod, "agentsConnections"), 20);
	ck_assert_int_eq(number_at(pod, "reported"), 20);
	ck_assert_int_eq(json_object_get_boolean(at(pod, "known")), 0);
	ck_assert(json_object_get_boolean(at(pod, "reckoned")));
	ck_assert(!json_object_get_boolean(at(report, "podMetrics/ws/1/reckoned")));
	ck_assert_str_eq(string_at(pod, "state"), "silent");
	ck_assert_str_eq(string_at(pod, "why"), "silent for 30 s");
	/* What is reckoned of it is in no comparison. */
	ck_assert(json_object_is_type(at(pod, "deviation"), json_type_null));
	ck_assert_double_eq_tol(real_at(report, "podMetrics/ws/1/deviation"), 0.0, 1e-9);
	ck_assert_double_eq_tol(real_at(report, "podMetrics/ws/1/level"), 21.0, 1e-9);
	ck_assert_int_eq(number_at(report, "totals/connections_reckoned"), 20);
	ck_assert_int_eq(number_at(report, "totals/pods_reckoned"), 1);
	ck_assert_int_eq(number_at(report, "totals/pods_silent"), 1);
	ck_assert_int_eq(number_at(report, "totals/pods_never_heard"), 0);
	ck_assert_int_eq(number_at(report, "totals/pods_known"), 1);
}
END_TEST

START_TEST(a_query_selects_pods_and_totals)
{
	static const struct {
		const char *service;
		const char *pod;
		int64_t pods;
		int64_t connections;
	} queries[] = {
		{NULL, NULL, 2, 60},
		{"ws", NULL, 2, 60},
		{"other", NULL, 0, 0},
		{NULL, "web-1", 1, 18},
		{NULL, "s1", 1, 42},
		{NULL, "10.0.0.1:2", 1, 18},
		{NULL, "10.0.0.1", 2, 60},
		{"ws", "web-0", 1, 42},
		{NULL, "", 0, 0},
		{NULL, "web", 0, 0},
	};

	play_two();
	scene.view.service = queries[_i].service;
	scene.view.pod = queries[_i].pod;
	struct json_object *report = read_report();

	ck_assert_int_eq(number_at(report, "totals/pods"), queries[_i].pods);
	ck_assert_int_eq(number_at(report, "totalConnections"), queries[_i].connections);
}
END_TEST

/* Every reason in words, each with what brings it about. */
START_TEST(why_is_said_in_words)
{
	char why[REPORT_WHY_SIZE];
	/* What cannot be steered is shown when it is named. */
	char *names[] = {(char[]){"ws"}, (char[]){"hash"}, (char[]){"odd"}};
	struct cluster_settings settings = *cluster_settings(scene.cluster);

	settings.selection.backends = names;
	settings.selection.n_backends = 3;
	ck_assert(cluster_configure(scene.cluster, &settings));
	add_server("ws", "leastconn", "heard", 1);
	add_server("ws", "leastconn", "silent", 2);
	add_server("ws", "leastconn", "drains", 3);
	add_server("ws", "leastconn", "liar", 4);
	add_server("ws", "leastconn", "down", 5)->status = "DOWN 1/2";
	scene.servers[4].op_state = 0;
	add_server("ws", "leastconn", "maint", 6)->admin_state = HASTATE_ADMIN_FORCED_MAINT;
	scene.servers[5].status = "MAINT";
	add_server("ws", "leastconn", "drained", 7)->admin_state = HASTATE_ADMIN_FORCED_DRAIN;
	add_server("ws", "leastconn", "spare", 8)->backup = true;
	add_server("ws", "leastconn", "zero", 9)->iweight = 0;
	add_server("ws", "leastconn", "stale", 10);
	add_server("hash", "source", "s1", 11);
	add_server("odd", "", "s1", 12);
	update();
	scene.now_ms += 1000;
	hear("ws", "stale", 10, "web-9");
	update();
	scene.now_ms += 10000;
	scene.servers[0].scur = 10;
	scene.servers[2].scur = 10;
	scene.servers[3].scur = 100;
	hear("ws", "heard", 10, "web-0");
	hear("ws", "drains", 10, "web-2");
	find("ws", "drains")->pod->metric.draining = true;
	hear("ws", "liar", 3, "web-3");
	update();
	plan();

	static const struct {
		const char *backend;
		const char *server;
		const char *why;
	} wanted[] = {
		{"ws", "heard", "steered"},
		{"ws", "silent", "never heard for 11 s"},
		{"ws", "drains", "draining: gets nothing new"},
		{"ws", "liar", "not believed: says 3 connections, HAProxy holds 100"},
		{"ws", "down", "down: DOWN 1/2"},
		{"ws", "maint", "in maintenance: MAINT"},
		{"ws", "drained", "drained in HAProxy"},
		{"ws", "spare", "backup server"},
		{"ws", "zero", "weight 0 in the configuration"},
		{"ws", "stale", "silent for 10 s: its last count stands until 30 s"},
		{"hash", "s1", "left alone: balance source"},
		{"odd", "s1", "left alone: algorithm unknown"},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct server *server = find(wanted[i].backend, wanted[i].server);

		ck_assert_str_eq(report_why(&scene.view, server, why, sizeof(why)), wanted[i].why);
	}
}
END_TEST

static void assert_why(const char *backend, const char *server, const char *wanted)
{
	char why[REPORT_WHY_SIZE];

	ck_assert_str_eq(report_why(&scene.view, find(backend, server), why, sizeof(why)), wanted);
}

static void assert_verdict(size_t i, const char *wanted)
{
	struct report_backends backends;

	scene.view.now_ms = scene.now_ms;
	ck_assert(report_backends_init(&backends, &scene.view));
	ck_assert_uint_lt(i, backends.n);
	ck_assert_str_eq(backends.list[i].verdict.text, wanted);
	report_backends_fini(&backends);
}

START_TEST(a_pod_that_warms_up_says_how_far)
{
	struct cluster_settings settings = *cluster_settings(scene.cluster);

	settings.ramp_ms = 20000;
	ck_assert(cluster_configure(scene.cluster, &settings));
	add_server("ws", "leastconn", "old", 1);
	add_server("ws", "leastconn", "new", 2)->address = "";
	update();
	assert_why("ws", "old", "no plan yet");
	assert_why("ws", "new", "no address");
	assert_verdict(0, "Starting: the pods of ws have not all been asked yet");
	hear("ws", "old", 7, "web-0");
	update();
	plan();
	assert_why("ws", "old", "steered");

	scene.servers[1].address = "10.0.0.2";
	scene.now_ms += 1000;
	update();
	plan();
	assert_why("ws", "new", "never heard, ramping 0 %");
	hear("ws", "new", 0, "web-1");
	scene.now_ms += 2000;
	update();
	plan();
	assert_why("ws", "new", "ramping 10 %");
	scene.now_ms += 6000;
	update();
	plan();
	assert_why("ws", "new", "silent for 8 s: its last count stands until 30 s, ramping 40 %");
	hear("ws", "new", 0, "web-1");
	hear("ws", "old", 7, "web-0");
	scene.now_ms += 12000;
	update();
	hear("ws", "new", 0, "web-1");
	hear("ws", "old", 7, "web-0");
	update();
	plan();
	assert_why("ws", "new", "steered");
}
END_TEST

START_TEST(what_falls_back_says_how_many_are_known_and_what_is_too_old_how_old_it_is)
{
	add_server("ws", "leastconn", "s1", 1);
	add_server("ws", "leastconn", "s2", 2);
	add_server("ws", "leastconn", "s3", 3);
	update();
	hear("ws", "s1", 7, "web-0");
	update();
	plan();
	assert_why("ws", "s1", "weight as configured: 1 of 3 pods are known");
	assert_why("ws", "s3", "never heard");
	assert_verdict(0,
		"Not steering ws: fewer than half of the pods are known, all weights are as "
		"configured");
	scene.now_ms += 31000;
	hear("ws", "s2", 7, "web-1");
	hear("ws", "s3", 7, "web-2");
	update();
	plan();
	assert_why("ws", "s1", "silent for 31 s");
}
END_TEST

START_TEST(a_backend_says_what_brings_balance)
{
	struct json_object *report;

	add_server("ws", "leastconn", "s1", 1)->stot = 0;
	add_server("ws", "leastconn", "s2", 2);
	update();
	hear("ws", "s1", 50, "web-0");
	hear("ws", "s2", 50, "web-1");
	update();
	plan();
	assert_verdict(0, "Balanced: every pod of ws is near its level");

	/* A reading by itself may be of another moment than HAProxy's. */
	for (int i = 0; i < 2; i++) {
		scene.now_ms += 1000;
		hear("ws", "s1", 100, "web-0");
		update();
	}
	plan();
	assert_verdict(0, "Cannot level ws: no new connections come");
	report = read_report();
	ck_assert_ptr_null(at(report, "backends/0/outlook/seconds"));
	ck_assert_double_eq_tol(real_at(report, "backends/0/outlook/deficit"), 25.0, 1e-3);

	/* Ten a second come, and all to s2. */
	scene.now_ms += 1000;
	scene.servers[1].stot = scene.servers[1].scur = 10;
	hear("ws", "s1", 100, "web-0");
	hear("ws", "s2", 60, "web-1");
	update();
	plan();
	report = read_report();
	ck_assert_str_eq(string_at(report, "backends/0/outlook/verdict"), "levelling");
	ck_assert_double_gt(real_at(report, "backends/0/outlook/seconds"), 1.0);
	ck_assert_ptr_nonnull(
		strstr(string_at(report, "backends/0/why"), "Levelling: ws is balanced in about "));
	ck_assert(series_has("wsbalancer_backend_balance_seconds{proxy=\"ws\"} "));

	/* Nothing fills by weights that nobody sends. */
	scene.view.dry_run = true;
	report = read_report();
	ck_assert_str_eq(string_at(report, "backends/0/outlook/verdict"), "not_sent");
	ck_assert_ptr_null(at(report, "backends/0/outlook/seconds"));
	ck_assert(!series_has("wsbalancer_backend_balance_seconds{"));
}
END_TEST

/* HAProxy gone is no state in which anything is steered, level or known of weights. */
START_TEST(without_haproxy_nothing_is_said_to_be_steered)
{
	struct json_object *report;

	play_two();
	scene.stats.haproxy_reached = false;
	strcpy(scene.stats.haproxy_error, "Connection refused");
	scene.now_ms += 25000;
	assert_verdict(0, "Not steering ws: HAProxy has not answered for 25 s");
	assert_why("ws", "s1", "not steered: HAProxy does not answer");
	report = read_report();
	ck_assert_str_eq(string_at(report, "verdict/state"), "not_steering");
	ck_assert_str_eq(string_at(report, "verdict/why"), "Connection refused");
	ck_assert_str_eq(string_at(report, "podMetrics/ws/0/state"), "unreached");
	ck_assert_str_ne(string_at(report, "podMetrics/ws/0/look"), "good");
	ck_assert(json_object_is_type(at(report, "totals/imbalance"), json_type_null));
	ck_assert(json_object_is_type(at(report, "backends/0/imbalance"), json_type_null));
	ck_assert(json_object_is_type(at(report, "podMetrics/ws/0/share_next"), json_type_null));
	ck_assert_double_eq_tol(
		real_at(report, "written_at") - real_at(report, "haproxy/read_at"), 25.0, 1e-3);
	scene.view.draining = true;
	assert_verdict(0, "Not steering ws: HAProxy stops, as it was told to");
}
END_TEST

/* What HAProxy has is what is shown; a weight that it did not take is a fault. */
START_TEST(a_weight_that_haproxy_does_not_take_is_a_fault)
{
	struct commands lines = {.n_lines = 0};
	struct json_object *report;

	play_two();
	ck_assert(reconcile_plan(scene.cluster, 0, &lines));
	commands_fini(&lines);
	/* Sent, and not yet read back: nothing is amiss. */
	assert_verdict(0, "Cannot level ws: no new connections come");
	strcpy(scene.stats.push_complaint, "Permission denied");
	assert_verdict(0, "Cannot level ws: no new connections come");
	scene.now_ms += 1000;
	update();
	plan();
	assert_verdict(0, "Not steering ws: HAProxy refuses the weights");
	report = read_report();
	ck_assert_str_eq(string_at(report, "verdict/why"), "Permission denied");
	ck_assert_ptr_nonnull(strstr(string_at(report, "verdict/you"), "level admin"));
	ck_assert_str_eq(string_at(report, "podMetrics/ws/0/state"), "refused");
	ck_assert_int_eq(number_at(report, "podMetrics/ws/0/haproxy_weight"), 100);
	ck_assert_int_eq(number_at(report, "podMetrics/ws/0/trouble"), 2);
	/* It takes them: all is well. */
	scene.stats.push_complaint[0] = '\0';
	for (size_t i = 0; i < 2; i++)
		scene.servers[i].uweight = find("ws", scene.servers[i].name)->sent.weight;
	scene.now_ms += 1000;
	update();
	plan();
	assert_why("ws", "s1", "steered");
}
END_TEST

/* One line that got lost is sent again; one that is lost again and again is a fault too. */
START_TEST(a_weight_that_is_never_there_is_a_fault_without_a_complaint)
{
	play_two();
	for (int i = 0; i < 3; i++) {
		struct commands lines = {.n_lines = 0};

		ck_assert(reconcile_plan(scene.cluster, 0, &lines));
		commands_fini(&lines);
		assert_why("ws", "s1", "steered");
		scene.now_ms += 1000;
		hear("ws", "s1", 42, "web-0");
		update();
		plan();
	}
	ck_assert_int_eq(report_state_of(&scene.view, find("ws", "s1")), REPORT_REFUSED);
}
END_TEST

START_TEST(events_tell_why_and_stand_in_the_report)
{
	struct json_object *report;

	play_two();
	events_add(&scene.stats.events, scene.view.wall_ms - 700000, EVENT_LEFT, "old");
	events_add(&scene.stats.events, scene.view.wall_ms - 41000, EVENT_RELOADED, "");
	events_add(&scene.stats.events, scene.view.wall_ms - 30000, EVENT_SILENT, "web-1");
	events_add(&scene.stats.events, scene.view.wall_ms - 12000, EVENT_JOINED, "web-1");
	report = read_report();
	ck_assert_str_eq(string_at(report, "verdict/why"),
		"web-1 joined 12 s ago; HAProxy was reloaded or restarted 41 s ago");
	ck_assert_uint_eq(json_object_array_length(at(report, "events")), 4);
	ck_assert_str_eq(string_at(report, "events/1/kind"), "reloaded");
	ck_assert_double_eq_tol(real_at(report, "events/1/at"), 1699999959.123, 1e-3);
	ck_assert_str_eq(string_at(report, "events/3/text"), "web-1 joined");
}
END_TEST

/* Where the pods are even, each bar ends at its level, whatever is expected to come. */
START_TEST(in_perfect_balance_every_pod_is_at_its_level)
{
	struct json_object *report;

	add_server("ws", "leastconn", "s1", 1)->scur = 50;
	add_server("ws", "leastconn", "s2", 2)->scur = 50;
	update();
	for (int i = 0; i < 5; i++) {
		scene.now_ms += 1000;
		scene.servers[0].stot += 20;
		scene.servers[1].stot += 20;
		hear("ws", "s1", 50, "web-0");
		hear("ws", "s2", 50, "web-1");
		update();
		plan();
	}
	report = read_report();
	ck_assert_double_gt(real_at(report, "backends/0/arrivals_per_s"), 10.0);
	ck_assert_double_eq_tol(real_at(report, "podMetrics/ws/0/level"), 50.0, 1e-9);
	ck_assert_double_eq_tol(real_at(report, "podMetrics/ws/0/deviation"), 0.0, 1e-9);
	ck_assert_str_eq(string_at(report, "verdict/state"), "balanced");
}
END_TEST

START_TEST(a_pod_that_is_not_believed_is_not_known)
{
	struct json_object *report;

	for (uint16_t i = 1; i <= 3; i++)
		add_server("ws", "leastconn", (const char *const[]){"s1", "s2", "s3"}[i - 1], i)
			->scur = 100;
	update();
	for (int i = 0; i < 3; i++) {
		scene.now_ms += 1000;
		hear("ws", "s1", 100, "web-0");
		hear("ws", "s2", 100, "web-1");
		hear("ws", "s3", 3, "liar");
		update();
		plan();
	}
	report = read_report();
	ck_assert_int_eq(number_at(report, "totals/pods_disbelieved"), 1);
	ck_assert_int_eq(number_at(report, "totals/pods_known"), 2);
	ck_assert(json_object_get_boolean(at(report, "podMetrics/ws/2/reckoned")));
	ck_assert_str_eq(string_at(report, "podMetrics/ws/2/remedy"),
		"its /metric must count all connections, and those of this pod alone");
	ck_assert_str_eq(string_at(report, "verdict/state"), "balanced");
}
END_TEST

START_TEST(plans_are_counted_by_what_they_rest_on_and_weights_by_size)
{
	size_t n;
	const struct backend_tally *tally;
	struct buf text;

	add_server("ws", "leastconn", "s1", 1);
	add_server("ws", "leastconn", "s2", 2);
	add_server("ws", "leastconn", "s3", 3);
	update();
	plan();
	hear("ws", "s1", 1000, "web-0");
	hear("ws", "s2", 0, "web-1");
	update();
	plan();
	find("ws", "s2")->pod->metric.draining = true;
	update();
	plan();
	tally = &cluster_backends(scene.cluster, &n)[0]->tally;
	ck_assert_uint_eq(tally->fallbacks, 1);
	ck_assert_uint_eq(tally->weights, 9);
	ck_assert_uint_eq(tally->by_basis[PLANNER_HEARD], 3);
	ck_assert_uint_eq(tally->by_basis[PLANNER_NEVER_HEARD], 5);
	ck_assert_uint_eq(tally->by_basis[PLANNER_DRAINING], 1);
	ck_assert_uint_eq(tally->by_size[0], 1);

	text = report_write(REPORT_OPENMETRICS, &scene.view);
	ck_assert_ptr_nonnull(strstr(text.bytes,
		"wsbalancer_backend_planned_weight_bucket{proxy=\"ws\",le=\"0.0\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text.bytes,
		"wsbalancer_backend_planned_weight_bucket{proxy=\"ws\",le=\"256.0\"} 9\n"
		"wsbalancer_backend_planned_weight_bucket{proxy=\"ws\",le=\"+Inf\"} 9\n"));
	ck_assert_ptr_nonnull(
		strstr(text.bytes, "wsbalancer_backend_planned_weight_count{proxy=\"ws\"} 9\n"));
	ck_assert_ptr_nonnull(strstr(text.bytes,
		"wsbalancer_backend_server_plans_total{proxy=\"ws\",state=\"never_heard\"} 5\n"));
	ck_assert_ptr_nonnull(
		strstr(text.bytes, "wsbalancer_backend_fallback_plans_total{proxy=\"ws\"} 1\n"));
	free(text.bytes);
}
END_TEST

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

static char *html_of(void)
{
	struct buf text = report_write(REPORT_PAGE, &scene.view);

	ck_assert_ptr_nonnull(text.bytes);
	ck_assert_uint_eq(strlen(text.bytes), text.len);
	return text.bytes;
}

START_TEST(the_page_has_every_placeholder_filled)
{
	play_two();
	char *page = html_of();

	/* Two braces stand nowhere in the sources but around a placeholder. */
	ck_assert_ptr_null(strstr(page, "{{"));
	ck_assert_ptr_nonnull(strstr(page, "<b>60</b> connections"));
	ck_assert_ptr_nonnull(strstr(page, "data-refresh=\"5\""));
	ck_assert_ptr_nonnull(strstr(page, "<b>2</b> pods, 2 known"));
	/* The policy forbids both. */
	ck_assert_ptr_null(strstr(page, " style="));
	ck_assert_ptr_null(strstr(page, " onclick="));
	free(page);
}
END_TEST

/* The page where s1's pod is called name, and the errors are it. To be freed. */
static char *html_with(const char *name, const char *error)
{
	teardown();
	setup();
	play_two();
	hear("ws", "s1", 42, name);
	snprintf(find("ws", "s1")->pod->error, 100, "%s", error);
	snprintf(scene.stats.haproxy_error, sizeof(scene.stats.haproxy_error), "%s", error);
	scene.stats.haproxy_reached = false;
	return html_of();
}

/* Names of random bytes change nothing in the page but text: it has as many tags, quotes and
 * entities' beginnings as with plain names. */
START_TEST(no_name_becomes_markup)
{
	static const char spice[] = "<>&\"'{}/=\\\n\r\t \x80\xff\xc3\xa9\xe2\x80\xae-]!";
	static const char *const marks[] = {"<", ">", "\"", "'"};
	unsigned seed = run_seed() + (unsigned)_i;
	char name[40];

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = spice[(size_t)rand_r(&seed) % (sizeof(spice) - 1)];
	name[sizeof(name) - 1] = '\0';

	char *plain = html_with("web-0", "x");
	char *spiced = html_with(name, name);

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		ck_assert_msg(count_of(plain, marks[i]) == count_of(spiced, marks[i]),
			"%s, SEED=%u", marks[i], run_seed());
	ck_assert(text_is_utf8(spiced, strlen(spiced)));
	free(plain);
	free(spiced);

	struct json_object *report = read_report();

	if (text_is_utf8(name, strlen(name)))
		ck_assert_str_eq(string_at(report, "podMetrics/ws/0/podName"), name);

	struct buf text =
		report_write(_i % 2 == 0 ? REPORT_OPENMETRICS : REPORT_PROMETHEUS, &scene.view);

	ck_assert(text_is_utf8(text.bytes, text.len));
	free(text.bytes);
}
END_TEST

START_TEST(every_writer_manages_before_haproxy_has_answered)
{
	scene.stats.haproxy_reached = false;
	scene.view.now_ms = scene.now_ms;
	struct json_object *report = read_report();

	ck_assert_int_eq(number_at(report, "totalConnections"), 0);
	ck_assert(json_object_is_type(at(report, "haproxy/version"), json_type_null));
	free(html_of());
	for (int openmetrics = 0; openmetrics < 2; openmetrics++) {
		struct buf text = report_write(
			openmetrics ? REPORT_OPENMETRICS : REPORT_PROMETHEUS, &scene.view);

		ck_assert_ptr_nonnull(strstr(text.bytes, "wsbalancer_haproxy_up 0\n"));
		ck_assert_ptr_null(strstr(text.bytes, "wsbalancer_server_connections{"));
		free(text.bytes);
	}
}
END_TEST

START_TEST(series_of_a_pod_end_with_it)
{
	play_two();
	struct buf text = report_write(REPORT_PROMETHEUS, &scene.view);

	ck_assert_ptr_nonnull(strstr(text.bytes,
		"wsbalancer_server_connections{proxy=\"ws\",server=\"s2\",pod=\"web-1\","
		"node=\"node of web-1\"} 18\n"));
	free(text.bytes);
	scene.backends[0].n_servers = 1;
	scene.now_ms += 1000;
	update();
	plan();
	text = report_write(REPORT_PROMETHEUS, &scene.view);
	ck_assert_ptr_null(strstr(text.bytes, "web-1"));
	ck_assert_ptr_nonnull(strstr(text.bytes, "web-0"));
	free(text.bytes);
}
END_TEST

START_TEST(openmetrics_differs_where_it_must)
{
	play_two();
	struct buf plain = report_write(REPORT_PROMETHEUS, &scene.view);
	struct buf open = report_write(REPORT_OPENMETRICS, &scene.view);

	ck_assert_ptr_nonnull(strstr(plain.bytes, "# TYPE wsbalancer_rounds_total counter\n"));
	ck_assert_ptr_nonnull(strstr(open.bytes, "# TYPE wsbalancer_rounds counter\n"));
	ck_assert_ptr_nonnull(strstr(plain.bytes, "# TYPE wsbalancer_build_info gauge\n"));
	ck_assert_ptr_nonnull(strstr(open.bytes, "# TYPE wsbalancer_build info\n"));
	ck_assert_ptr_null(strstr(plain.bytes, "# EOF"));
	ck_assert_str_eq(open.bytes + open.len - 6, "# EOF\n");
	free(plain.bytes);
	free(open.bytes);
}
END_TEST

/* ---- in pieces ---- */

static void set_up_many(void)
{
	static const char *const names[] = {"s1", "s2", "s3", "s4", "s5"};

	for (size_t i = 0; i < 5; i++)
		add_server(i < 3 ? "ws" : "api", "leastconn", names[i], (uint16_t)(80 + i));
	update();
	for (size_t i = 0; i < 4; i++)
		hear(i < 3 ? "ws" : "api", names[i], 10, names[i]);
	update();
	plan();
}

START_TEST(a_report_in_pieces_is_the_whole_one)
{
	enum report_format format = (enum report_format)(_i / 3);
	size_t n = (size_t[]){1, 2, 7}[_i % 3];
	struct report_writer *writer;
	enum report_progress progress = REPORT_GOES_ON;
	struct buf pieces = {0};
	struct buf whole;
	size_t n_pieces = 0;

	set_up_many();
	whole = report_write(format, &scene.view);
	writer = report_writer_new(format, &scene.view);
	for (; progress == REPORT_GOES_ON; n_pieces++)
		progress = report_writer_go_on(writer, &pieces, n);
	ck_assert_int_eq(progress, REPORT_WRITTEN);
	ck_assert_uint_ge(n_pieces, 5 / n);
	ck_assert_str_eq(buf_text(&pieces), buf_text(&whole));
	report_writer_free(writer);
	buf_fini(&pieces);
	buf_fini(&whole);
}
END_TEST

START_TEST(a_report_is_overtaken_when_haproxy_is_read_and_not_by_an_answer)
{
	struct report_writer *writer;
	struct buf text = {0};

	set_up_many();
	writer = report_writer_new((enum report_format)_i, &scene.view);
	ck_assert_int_eq(report_writer_go_on(writer, &text, 1), REPORT_GOES_ON);
	hear("ws", "s2", 77, "s2");
	ck_assert_int_eq(report_writer_go_on(writer, &text, 1), REPORT_GOES_ON);
	/* What it points to may be gone. */
	scene.snapshot.n_backends = 1;
	update();
	ck_assert_int_eq(report_writer_go_on(writer, &text, 1), REPORT_OVERTAKEN);
	report_writer_free(writer);
	buf_fini(&text);
}
END_TEST

START_TEST(without_a_pod_a_report_is_whole_too)
{
	struct buf text = report_write((enum report_format)_i, &scene.view);

	ck_assert_uint_gt(text.len, 100);
	ck_assert_ptr_null(strstr(text.bytes, "{{"));
	buf_fini(&text);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_report_in_pieces_is_the_whole_one, 3 * REPORT_N_FORMATS},
		{a_report_is_overtaken_when_haproxy_is_read_and_not_by_an_answer, REPORT_N_FORMATS},
		{without_a_pod_a_report_is_whole_too, REPORT_N_FORMATS},
		{json_has_the_plugins_keys_and_values, ONCE},
		{json_says_what_each_weight_is_made_of, ONCE},
		{a_pod_of_two_servers_counts_once_in_the_totals, ONCE},
		{servers_of_one_name_in_dns_are_one_service, ONCE},
		{a_count_older_than_the_ttl_is_reckoned, ONCE},
		{a_query_selects_pods_and_totals, 10},
		{why_is_said_in_words, ONCE},
		{a_pod_that_warms_up_says_how_far, ONCE},
		{what_falls_back_says_how_many_are_known_and_what_is_too_old_how_old_it_is, ONCE},
		{a_backend_says_what_brings_balance, ONCE},
		{without_haproxy_nothing_is_said_to_be_steered, ONCE},
		{a_weight_that_haproxy_does_not_take_is_a_fault, ONCE},
		{a_weight_that_is_never_there_is_a_fault_without_a_complaint, ONCE},
		{events_tell_why_and_stand_in_the_report, ONCE},
		{in_perfect_balance_every_pod_is_at_its_level, ONCE},
		{a_pod_that_is_not_believed_is_not_known, ONCE},
		{plans_are_counted_by_what_they_rest_on_and_weights_by_size, ONCE},
		{the_page_has_every_placeholder_filled, ONCE},
		{no_name_becomes_markup, 50},
		{every_writer_manages_before_haproxy_has_answered, ONCE},
		{series_of_a_pod_end_with_it, ONCE},
		{openmetrics_differs_where_it_must, ONCE},
	};

	return run_suite_with("report", setup, teardown, tests, N_OF(tests));
}
