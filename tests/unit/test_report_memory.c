/* SPDX-License-Identifier: MIT */
/* Each allocation of a report fails in turn: there is no report then, and nothing leaks. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/report/report.h"
#include "core/steer/steer.h"
#include "run.h"

/* ---- allocations that fail (the linker leads the core's calls here, see tests/tests.mk) ---- */

/* volatile: a compiler knows that malloc and its like change none of a program's variables, and
 * with -flto it sees that nothing else does between arm() and disarm(). */
static volatile int countdown; /* the allocation that fails, counted from now on; 0: none */
static volatile bool failed;

static bool fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	failed = true;
	return true;
}

/* A function that returns a pointer or NULL. */
#define WRAP(type, name, parameters, arguments)                  \
	type __real_##name parameters;                           \
	type __wrap_##name parameters;                           \
	type __wrap_##name parameters                            \
	{                                                        \
		return fails() ? NULL : __real_##name arguments; \
	}

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(char *, strdup, (const char *s), (s))
WRAP(char *, strndup, (const char *s, size_t n), (s, n))
WRAP(void *, realloc, (void *old, size_t size), (old, size))
WRAP(void *, reallocarray, (void *old, size_t n, size_t size), (old, n, size))
/* ---- the reports ---- */

static const enum report_format formats[] = {REPORT_JSON, REPORT_OPENMETRICS, REPORT_PAGE};

enum { ALLOCATIONS_MIN = 8 };

/* Two servers, one of which has a name that is no UTF-8. */
static struct cluster *cluster_of_two(void)
{
	struct hastate_server servers[2] = {
		{.name = "s1", .address = "10.0.0.1", .port = 1},
		{.name = "s\xff", .address = "10.0.0.2", .port = 1},
	};
	struct hastate_backend backend = {
		.name = "ws", .algo = "leastconn", .servers = servers, .n_servers = 2};
	struct hastate_snapshot snapshot = {.backends = &backend, .n_backends = 1};
	struct cluster_settings settings = {
		.replicas = 1, .poll_interval_ms = 1000, .cache_ttl_ms = 30000};
	struct cluster *cluster = cluster_new(&settings);
	struct metric metric = {.count = 5, .pod_name = "web-0", .node_name = "node"};

	for (size_t i = 0; i < 2; i++) {
		servers[i].fqdn = "";
		servers[i].status = "UP";
		servers[i].op_state = 2;
		servers[i].iweight = servers[i].uweight = 100;
	}
	ck_assert(cluster_update(cluster, &snapshot, 1000, NULL, NULL));
	pod_observe(
		cluster_find_server(cluster, "ws", 2, "s1", 2)->pod, METRIC_OK, &metric, "", 1000);
	ck_assert(cluster_update(cluster, &snapshot, 1100, NULL, NULL));
	ck_assert(steer_plan(cluster, 1100));
	return cluster;
}

START_TEST(a_report_is_whole_or_none)
{
	static struct stats stats;
	struct cluster *cluster = cluster_of_two();
	struct report_view view = {
		.cluster = cluster, .stats = &stats, .now_ms = 1200, .version = "1"};
	int n = 0;

	stats_add_point(&stats, 1000, 0.1);
	do {
		countdown = ++n;
		failed = false;
		struct buf text = report_write(formats[_i], &view);

		countdown = 0;
		ck_assert_msg((text.bytes != NULL) == !failed, "allocation %d", n);
		ck_assert(text.bytes || text.len == 0);
		free(text.bytes);
	} while (failed);
	ck_assert_int_gt(n, ALLOCATIONS_MIN);
	cluster_free(cluster);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_report_is_whole_or_none, N_OF(formats)},
	};

	return run_suite("report memory", tests, N_OF(tests));
}
