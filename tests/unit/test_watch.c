/* SPDX-License-Identifier: MIT */
/* When a plan is overtaken by what comes. */
#include <check.h>
#include <stdio.h>

#include "core/haproxy/hasessions.h"
#include "core/steer/reconcile.h"
#include "core/steer/steer.h"
#include "core/steer/watch.h"
#include "rows.h"
#include "run.h"

enum { N = 4, PER_S = 20, FILLING_ROUNDS = 8, EVERY_MS = 250 };

static const char *const names[N] = {"s1", "s2", "s3", "s4"};
static const char *const addresses[N] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"};

static struct cluster *cluster;
static struct hastate_server rows[N];
static struct backend *backend;
static int64_t now_ms;
static uint64_t total; /* sessions that HAProxy says the backend has */

static void answer(const char *algo)
{
	struct hastate_backend one = row_backend("be", algo, rows, N);
	struct hastate_snapshot snapshot = row_answer(7, &one, 1);
	size_t n;

	ck_assert(cluster_update(cluster, &snapshot, now_ms, NULL, NULL));
	backend = cluster_edit_backends(cluster, &n)[0];
}

/* Old workers have 100 on each pod but the last; what comes goes there. */
static void fill(const char *algo, double max_share)
{
	struct cluster_settings settings = row_settings();

	settings.max_share = max_share;
	cluster = cluster_new(&settings);
	ck_assert_ptr_nonnull(cluster);
	now_ms = 1000;
	for (int i = 0; i < N; i++)
		rows[i] = row_up(names[i], addresses[i], 0);
	answer(algo);
	for (int i = 0; i < 3; i++)
		backend->servers[i]->sessions.left = 100.0;
	now_ms += EVERY_MS;
	for (int round = 0; round < FILLING_ROUNDS; round++) {
		rows[3].scur += PER_S * EVERY_MS / 1000;
		rows[3].stot = rows[3].scur;
		for (int i = 0; i < N; i++)
			row_hear(backend->servers[i], i < 3 ? 100 : rows[3].scur, now_ms - 1);
		answer(algo);
		ck_assert(steer_plan(cluster, now_ms));
		for (int i = 0; i < N; i++)
			rows[i].uweight = backend->servers[i]->plan.weight;
		now_ms += EVERY_MS;
	}
	total = rows[3].stot;
}

static void finish(void)
{
	cluster_free(cluster);
}

/* So many come until the next look. */
static bool look(uint64_t n)
{
	now_ms += WATCH_MS;
	total += n;
	return watch_see(backend, total, now_ms);
}

static bool is_as_configured(void)
{
	bool so = true;

	for (int i = 0; i < N; i++)
		so = so && backend->servers[i]->plan.weight == 100;
	return so;
}

START_TEST(what_was_expected_overtakes_nothing)
{
	fill("leastconn", 1.0);
	ck_assert(backend->watch.on && !is_as_configured());
	for (int i = 0; i < 100; i++)
		ck_assert(!look(PER_S * WATCH_MS / 1000));
	ck_assert(!is_as_configured());
	finish();
}
END_TEST

START_TEST(more_puts_the_configured_weights_back_once)
{
	fill("leastconn", 1.0);
	ck_assert(!look(0));
	ck_assert(look(30));
	ck_assert(is_as_configured());
	ck_assert(!look(30));
	/* The next plan is watched from the last look on. */
	ck_assert(steer_plan(cluster, now_ms));
	ck_assert(!is_as_configured());
	ck_assert(look(30));
	finish();
}
END_TEST

START_TEST(what_was_quiet_before_does_not_make_up_for_it)
{
	fill("leastconn", 1.0);
	for (int i = 0; i < 200; i++)
		ck_assert(!look(0));
	ck_assert(look(30));
	finish();
}
END_TEST

START_TEST(another_process_begins_anew)
{
	fill("leastconn", 1.0);
	ck_assert(!look(1000000));
	total = 0;
	ck_assert(!look(0));
	ck_assert(look(30));
	finish();
}
END_TEST

START_TEST(only_weights_that_favour_a_pod_by_stock_are_watched)
{
	fill("roundrobin", 1.0);
	ck_assert(!backend->watch.on && !look(0) && !look(1000));
	finish();
	fill("leastconn", 0.5);
	ck_assert(!backend->watch.on && !look(0) && !look(1000));
	finish();
	/* As many on each, and all of them this HAProxy's. */
	fill("leastconn", 1.0);
	ck_assert(backend->watch.on);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < N; i++) {
			rows[i].scur = 100;
			rows[i].stot = 100;
			row_hear(backend->servers[i], 100, now_ms - 1);
		}
		answer("leastconn");
		ck_assert(steer_plan(cluster, now_ms));
		now_ms += EVERY_MS;
	}
	ck_assert(!backend->watch.on);
	finish();
}
END_TEST

/* What has ended for good cannot come back. */
START_TEST(where_old_workers_hold_next_to_nothing_nothing_is_watched)
{
	fill("leastconn", 1.0);
	for (int i = 0; i < 3; i++)
		backend->servers[i]->sessions.left = 1.0;
	ck_assert(steer_plan(cluster, now_ms));
	ck_assert(!backend->watch.on && !look(0) && !look(1000));
	finish();
}
END_TEST

/* What the round has sent HAProxy has not shown yet. */
START_TEST(what_was_sent_last_is_taken_back)
{
	struct commands sent = {.n_lines = 0};
	struct commands back = {.n_lines = 0};

	fill("leastconn", 1.0);
	for (int i = 0; i < N; i++)
		rows[i].uweight = 100;
	answer("leastconn");
	ck_assert(steer_plan(cluster, now_ms));
	backend->servers[0]->plan.weight = 0; /* it drains */
	ck_assert(reconcile_plan(cluster, 0, &sent));
	ck_assert_uint_eq(sent.n_weights, N);
	ck_assert(!look(0));
	ck_assert(look(30));
	ck_assert(reconcile_overtaken(backend, &back));
	ck_assert_uint_eq(back.n_lines, 1);
	ck_assert_str_eq(back.lines[0], "set server be/s2 weight 100;set server be/s3 weight 100;"
					"set server be/s4 weight 100\n");
	commands_fini(&sent);
	commands_fini(&back);
	finish();
}
END_TEST

START_TEST(backends_are_asked_for_by_number)
{
	const uint32_t ids[] = {3, 4294967295};
	char *line = hasessions_write(ids, 2);

	ck_assert_str_eq(line, "show stat 3 2 -1;show stat 4294967295 2 -1\n");
	free(line);
}
END_TEST

START_TEST(sessions_are_read_from_the_backends_own_rows)
{
	static const char reply[] = "# pxname,svname,stot,scur,\nweb,s1,1,5,\nweb,BACKEND,2,12,\n\n"
				    "# pxname,svname,scur,\napi,BACKEND,18446744073709551615,\n"
				    "api2,BACKEND,7,\nlast,BACKEND,8";
	uint64_t found = 0;

	ck_assert(hasessions_find(reply, strlen(reply), "web", &found));
	ck_assert_uint_eq(found, 12);
	ck_assert(hasessions_find(reply, strlen(reply), "api2", &found));
	ck_assert_uint_eq(found, 7);
	found = 1;
	ck_assert(!hasessions_find(reply, strlen(reply), "api", &found));
	ck_assert(!hasessions_find(reply, strlen(reply), "last", &found));
	ck_assert(!hasessions_find(reply, strlen(reply), "other", &found));
	ck_assert(!hasessions_find("web,BACKEND,1,1\n", 16, "web", &found));
	ck_assert(!hasessions_find("# pxname,\nweb\n", 14, "web", &found));
	ck_assert(!hasessions_find(NULL, 0, "web", &found));
	ck_assert_uint_eq(found, 1);
}
END_TEST

/* Twice the capacity is no favour, and what is put back keeps it. */
START_TEST(capacities_that_pods_tell_are_the_measure)
{
	static const double capacities[N] = {200, 100, 100, 100};

	struct commands even = {.n_lines = 0};

	fill("leastconn", 1.0);
	for (int i = 0; i < N; i++) {
		backend->servers[i]->plan.input.told = capacities[i];
		backend->servers[i]->plan.input.capacity = capacities[i];
		backend->servers[i]->plan.weight = (int)capacities[i];
	}
	watch_begin(backend);
	ck_assert(!backend->watch.on);
	backend->servers[3]->plan.weight = 250;
	watch_begin(backend);
	ck_assert(backend->watch.on);
	ck_assert(!look(0) && look(1000));
	ck_assert_int_eq(backend->servers[0]->plan.weight, 256);
	for (int i = 1; i < N; i++)
		ck_assert_int_eq(backend->servers[i]->plan.weight, 128);
	ck_assert(reconcile_overtaken(backend, &even));
	ck_assert_uint_eq(even.n_weights, N);
	commands_fini(&even);
	finish();
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{what_was_expected_overtakes_nothing, ONCE},
		{more_puts_the_configured_weights_back_once, ONCE},
		{what_was_quiet_before_does_not_make_up_for_it, ONCE},
		{another_process_begins_anew, ONCE},
		{capacities_that_pods_tell_are_the_measure, ONCE},
		{only_weights_that_favour_a_pod_by_stock_are_watched, ONCE},
		{where_old_workers_hold_next_to_nothing_nothing_is_watched, ONCE},
		{what_was_sent_last_is_taken_back, ONCE},
		{backends_are_asked_for_by_number, ONCE},
		{sessions_are_read_from_the_backends_own_rows, ONCE},
	};

	return run_suite("watch", tests, N_OF(tests));
}
