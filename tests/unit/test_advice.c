/* SPDX-License-Identifier: MIT */
/* What a HAProxy's own counts say over some time: readings in, what they come to out. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/advice_words.h"
#include "core/haproxy/procs.h"
#include "run.h"

enum { N_MAX = 4 };

/* A backend of n servers, as HAProxy would show it. */
struct scene {
	struct hastate_server servers[N_MAX];
	struct hastate_backend backend;
	struct hastate_snapshot snapshot;
};

static void scene_set(struct scene *scene, size_t n, const char *algo, int64_t pid)
{
	static const char *const names[N_MAX] = {"s1", "s2", "s3", "s4"};
	static const char *const addresses[N_MAX] = {
		"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"};

	*scene = (struct scene){.backend = {.name = "ws", .algo = algo, .n_servers = n}};
	for (size_t i = 0; i < n; i++)
		scene->servers[i] = (struct hastate_server){.name = names[i],
			.address = addresses[i],
			.port = 80,
			.fqdn = "",
			.status = "UP",
			.op_state = 2,
			.iweight = 100};
	scene->snapshot.info =
		(struct hastate_info){.version = "2.6.12", .pid = pid, .start_time_s = pid};
	scene->snapshot.n_backends = 1;
}

/* Its pointers are set here, so that it may be copied. */
static const struct hastate_snapshot *shown(struct scene *scene)
{
	scene->backend.servers = scene->servers;
	scene->snapshot.backends = &scene->backend;
	return &scene->snapshot;
}

/* So many more came and so many stand now. */
static void move(struct scene *scene, size_t server, uint64_t came, uint32_t stand)
{
	scene->servers[server].stot += came;
	scene->servers[server].scur = stand;
}

static const struct advice_workers blind = {.sight = ADVICE_BLIND};

static void take(struct advice *advice, struct scene *scene, int64_t now_ms)
{
	ck_assert(advice_observe(advice, shown(scene), &blind, now_ms));
}

static enum advice_result judge(const struct advice *advice, double *points)
{
	ck_assert_uint_eq(advice->n_backends, 1);
	return advice_judge(&advice->backends[0], points);
}

START_TEST(level_by_leastconn_needs_nothing_else)
{
	struct advice advice = {.n_readings = 0};
	struct scene scene;
	double points;

	scene_set(&scene, 2, "leastconn", 7);
	move(&scene, 0, 10, 10);
	move(&scene, 1, 10, 10);
	for (int i = 0; i < 60; i++) {
		take(&advice, &scene, 1000 * i);
		move(&scene, 0, 1, 10);
		move(&scene, 1, 1, 10);
	}
	ck_assert_int_eq(judge(&advice, &points), ADVICE_LEASTCONN);
	ck_assert_double_eq(points, 0.0);
	/* 20 stand, 2 come and go each second: by Little's law each lives 10 s. */
	ck_assert_double_eq_tol(
		advice.backends[0].held_ms / advice.backends[0].ended, 10000.0, 1.0);
	advice_fini(&advice);
}
END_TEST

/* The new worker counts from 0. Where nobody tells what the old one holds, it is what it was. */
START_TEST(a_reload_is_seen_by_the_pid_and_its_connections_still_count)
{
	struct advice advice = {.n_readings = 0};
	struct scene old;
	struct scene now;
	double points;

	scene_set(&old, 2, "leastconn", 7);
	move(&old, 0, 100, 100);
	move(&old, 1, 100, 100);
	take(&advice, &old, 0);
	take(&advice, &old, 1000);
	scene_set(&now, 3, "leastconn", 8);
	take(&advice, &now, 2000);
	ck_assert_uint_eq(advice.n_reloads, 1);
	for (int i = 0; i < 3; i++)
		move(&now, (size_t)i, 30, 30);
	take(&advice, &now, 3000);
	ck_assert_double_eq_tol(
		hindsight_seen(advice.backends[0].pods, 3), 130.0 / (290.0 / 3.0) - 1.0, 1e-9);
	/* By all that the pods hold the 90 go to the third. */
	ck_assert_double_eq_tol(hindsight_reckoned(advice.backends[0].pods, 3, HINDSIGHT_TOLD),
		100.0 / (290.0 / 3.0) - 1.0, 1e-9);
	ck_assert_double_eq_tol(hindsight_reckoned(advice.backends[0].pods, 3, HINDSIGHT_LEASTCONN),
		130.0 / (290.0 / 3.0) - 1.0, 1e-9);
	ck_assert_int_eq(judge(&advice, &points), ADVICE_AGENT);
	/* (34.48 - 3.45) points in one reading of four. */
	ck_assert_double_eq_tol(points, (130.0 - 100.0) / (290.0 / 3.0) * 100.0 / 4.0, 1e-9);
	ck_assert(advice.old_reckoned);
	advice_fini(&advice);
}
END_TEST

/* Of what the master tells nothing is reckoned; a worker that has ended holds nothing. */
START_TEST(what_old_workers_hold_is_taken_as_it_is_read)
{
	struct advice advice = {.n_readings = 0};
	struct scene old;
	struct scene now;
	const int64_t pids[] = {7};
	struct advice_workers workers = {.sight = ADVICE_READ};

	scene_set(&old, 2, "leastconn", 7);
	move(&old, 0, 60, 60);
	move(&old, 1, 60, 60);
	ck_assert(advice_observe(&advice, shown(&old), &workers, 0));
	move(&old, 0, 0, 20);
	scene_set(&now, 2, "leastconn", 8);
	workers.pids = pids;
	workers.n = 1;
	workers.snapshots = shown(&old);
	ck_assert(advice_observe(&advice, shown(&now), &workers, 1000));
	ck_assert_double_eq_tol(
		hindsight_seen(advice.backends[0].pods, 2), 60.0 / 40.0 - 1.0, 1e-9);
	ck_assert(!advice.old_reckoned);
	workers.n = 0;
	ck_assert(advice_observe(&advice, shown(&now), &workers, 2000));
	ck_assert_double_eq(advice.backends[0].standing, 0.0);
	advice_fini(&advice);
}
END_TEST

/* HAProxy goes on to count them for the server; the new pod has none. */
START_TEST(connections_of_the_pod_before_are_not_the_new_ones)
{
	struct advice advice = {.n_readings = 0};
	struct scene scene;

	scene_set(&scene, 2, "leastconn", 7);
	move(&scene, 0, 50, 50);
	move(&scene, 1, 50, 50);
	take(&advice, &scene, 0);
	scene.servers[1].address = "10.0.0.9";
	take(&advice, &scene, 1000);
	ck_assert_uint_eq(advice.backends[0].n_moved, 1);
	ck_assert_double_eq_tol(hindsight_seen(advice.backends[0].pods, 2), 1.0, 1e-9);
	ck_assert_double_eq_tol(hindsight_counted(advice.backends[0].pods, 2), 0.0, 1e-9);
	advice_fini(&advice);
}
END_TEST

START_TEST(who_cannot_be_used_does_not_count)
{
	struct advice advice = {.n_readings = 0};
	struct scene scene;
	double points;

	scene_set(&scene, 4, "leastconn", 7);
	move(&scene, 0, 10, 10);
	scene.servers[1].status = "DOWN 1/2";
	scene.servers[1].op_state = 0;
	scene.servers[2].address = "";
	scene.servers[3].backup = true;
	take(&advice, &scene, 0);
	ck_assert_uint_eq(advice.backends[0].n_used, 1);
	ck_assert_uint_eq(advice.backends[0].n_free, 1);
	ck_assert_int_eq(judge(&advice, &points), ADVICE_NOTHING);
	advice_fini(&advice);
}
END_TEST

/* Another algorithm's unevenness is leastconn's to mend, not the agent's. */
START_TEST(another_algorithm_is_compared_with_leastconn)
{
	struct advice advice = {.n_readings = 0};
	struct scene scene;
	double points;

	scene_set(&scene, 2, "roundrobin", 7);
	take(&advice, &scene, 0);
	for (int i = 1; i < 50; i++) {
		move(&scene, 0, 2, scene.servers[0].scur + 2);
		move(&scene, 1, 0, 0);
		take(&advice, &scene, 1000 * i);
	}
	ck_assert_int_eq(judge(&advice, &points), ADVICE_ANOTHER);
	/* 100 points in all readings but the first. */
	ck_assert_double_eq_tol(points, 98.0, 1e-9);
	advice_fini(&advice);
}
END_TEST

static void keep_last(const char *line, void *arg)
{
	snprintf(arg, 512, "%s", line);
}

START_TEST(the_last_line_is_the_verdict_and_says_what_was_not_seen)
{
	struct advice advice = {.n_readings = 0};
	struct advice_workers counted = {.sight = ADVICE_COUNTED};
	const int64_t pids[] = {3};
	struct scene scene;
	char last[512];

	counted.pids = pids;
	counted.n = 1;
	scene_set(&scene, 2, "leastconn", 7);
	ck_assert(advice_observe(&advice, shown(&scene), &counted, 0));
	advice_tell(&advice, keep_last, last);
	ck_assert_str_eq(last, "verdict: leastconn is all you need, but for what old workers hold, "
			       "which was not seen");
	advice_fini(&advice);
}
END_TEST

START_TEST(the_masters_list_names_workers_and_old_ones)
{
	/* HAProxy 2.6.12. */
	static const char reply[] =
		"#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
		"21343           master          1 [failed: 0]   0d00h00m03s     2.6.12\n"
		"# workers\n"
		"21608           worker          0               0d00h00m01s     2.6.12\n"
		"# old workers\n"
		"21351           worker          1               0d00h00m03s     2.6.12\n"
		"# programs\n"
		"99              some            0               0d00h00m03s     -\n\n";
	struct procs procs;

	ck_assert(procs_read(reply, sizeof(reply) - 1, &procs));
	ck_assert_uint_eq(procs.n, 2);
	ck_assert(!procs.workers[0].old && procs.workers[0].pid == 21608);
	ck_assert(procs.workers[1].old && procs.workers[1].pid == 21351);
	ck_assert(procs_has(&procs, 21608) && !procs_has(&procs, 21343) && !procs_has(&procs, 99));
	procs_fini(&procs);
	ck_assert(!procs_read("Unknown command\n", 16, &procs));
	ck_assert(!procs_read("", 0, &procs));
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{level_by_leastconn_needs_nothing_else, ONCE},
		{a_reload_is_seen_by_the_pid_and_its_connections_still_count, ONCE},
		{what_old_workers_hold_is_taken_as_it_is_read, ONCE},
		{connections_of_the_pod_before_are_not_the_new_ones, ONCE},
		{who_cannot_be_used_does_not_count, ONCE},
		{another_algorithm_is_compared_with_leastconn, ONCE},
		{the_last_line_is_the_verdict_and_says_what_was_not_seen, ONCE},
		{the_masters_list_names_workers_and_old_ones, ONCE},
	};

	return run_suite("advice", tests, N_OF(tests));
}
