/* SPDX-License-Identifier: MIT */
/* What the planner is told of the cluster, and what becomes of its plans. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/steer/agentcheck.h"
#include "core/steer/percent.h"
#include "core/steer/reconcile.h"
#include "core/steer/steer.h"
#include "rows.h"

enum { N = 3 };

/* Three servers in one backend, heard half a second after the first answer, at 1500. */
struct bench {
	struct cluster *cluster;
	struct hastate_server rows[N];
	struct hastate_backend backend;
	struct server *servers[N];
	struct backend *be;
};

static void update(struct bench *bench, int64_t pid, int64_t now_ms)
{
	struct hastate_snapshot answer = row_answer(pid, &bench->backend, 1);
	struct backend *const *backends;
	size_t n;

	ck_assert(cluster_update(bench->cluster, &answer, now_ms, NULL, NULL));
	backends = cluster_edit_backends(bench->cluster, &n);
	bench->be = n > 0 ? backends[0] : NULL;
	for (size_t i = 0; i < N && n > 0; i++)
		bench->servers[i] = row_find(bench->cluster, "be", bench->rows[i].name);
}

static void setup(
	struct bench *bench, const struct cluster_settings *settings, const uint32_t *counts)
{
	static const char *const names[N] = {"s1", "s2", "s3"};
	static const char *const addresses[N] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};

	bench->cluster = cluster_new(settings);
	ck_assert_ptr_nonnull(bench->cluster);
	for (size_t i = 0; i < N; i++)
		bench->rows[i] = row_up(names[i], addresses[i], counts[i]);
	bench->backend = row_backend("be", "leastconn", bench->rows, N);
	update(bench, 7, 1000);
	for (size_t i = 0; i < N; i++)
		row_hear(bench->servers[i], counts[i], 1500);
	update(bench, 7, 2000);
}

static void plan(struct bench *bench, int64_t now_ms)
{
	ck_assert(steer_plan(bench->cluster, now_ms));
}

/* Planned once, where no pod may take more than half. */
static void setup_limited(struct bench *bench)
{
	struct cluster_settings settings = row_settings();

	settings.max_share = 0.5;
	setup(bench, &settings, (uint32_t[]){50, 50, 50});
	plan(bench, 2000);
}

/* Two instances share the pods. */
static void setup_shared(struct bench *bench, struct cluster_settings *settings)
{
	*settings = row_settings();
	settings->replicas = 2;
	setup(bench, settings, (uint32_t[]){100, 100, 100});
}

static void assert_weights(const struct bench *bench, int a, int b, int c)
{
	ck_assert_int_eq(bench->servers[0]->plan.weight, a);
	ck_assert_int_eq(bench->servers[1]->plan.weight, b);
	ck_assert_int_eq(bench->servers[2]->plan.weight, c);
}

START_TEST(a_pod_that_comes_later_warms_up_and_those_of_the_start_do_not)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	settings.ramp_ms = 10000;
	setup(&bench, &settings, (uint32_t[]){99, 99, 99});
	plan(&bench, 2000);
	for (size_t i = 0; i < N; i++)
		ck_assert(bench.servers[i]->plan.result.ramp == 1.0);
	bench.rows[2].address = "10.0.0.9";
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	ck_assert(bench.servers[2]->plan.result.ramp == 0.0);
	plan(&bench, 5500);
	ck_assert(bench.servers[2]->plan.result.ramp == 0.25);
	ck_assert(bench.servers[2]->plan.result.share_limit == 0.25);
	ck_assert(bench.servers[1]->plan.result.share_limit == 1.0);
	plan(&bench, 13000);
	ck_assert(bench.servers[2]->plan.result.ramp == 1.0);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(every_steered_server_gets_the_planners_weight)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){99, 99, 99});
	plan(&bench, 2000);
	ck_assert(bench.be->planned);
	ck_assert_int_eq(bench.be->planned_ms, 2000);
	ck_assert_uint_eq(bench.be->summary.n_known, 3);
	for (size_t i = 0; i < N; i++) {
		ck_assert(bench.servers[i]->plan.made);
		ck_assert_int_eq(bench.servers[i]->plan.result.basis, PLANNER_HEARD);
		ck_assert_int_eq(
			bench.servers[i]->plan.result.weight, bench.servers[0]->plan.weight);
		ck_assert_int_eq(bench.servers[i]->plan.weight, bench.servers[0]->plan.weight);
	}
	cluster_free(bench.cluster);
}
END_TEST

/* All servers have begun so many sessions in this worker, and none has ended. */
static void hold(struct bench *bench, int64_t pid, uint32_t own, int64_t now_ms)
{
	for (size_t i = 0; i < N; i++) {
		bench->rows[i].scur = own;
		bench->rows[i].stot = own;
	}
	update(bench, pid, now_ms);
}

/* Servers of 50 sessions each; the first one's pod says so many, and HAProxy reloads. */
static int64_t setup_caught(
	struct bench *bench, const struct cluster_settings *settings, uint32_t says)
{
	setup(bench, settings, (uint32_t[]){50, 50, 50});
	row_hear(bench->servers[0], says, 2500);
	hold(bench, 7, 50, 3000);
	plan(bench, 3000);
	ck_assert_int_eq(bench->servers[0]->plan.result.basis, PLANNER_DISBELIEVED);
	hold(bench, 8, 0, 4000);
	plan(bench, 4000);
	return 4000;
}

/* A worker of several tells of a fourth, say: enough for all that the new worker holds. */
START_TEST(who_was_caught_is_measured_by_what_the_old_worker_holds_too)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;
	int64_t now_ms = setup_caught(&bench, &settings, 12);

	for (uint32_t own = 0; own <= 40; own += 4, now_ms += 1000) {
		for (size_t i = 0; i < N; i++)
			row_hear(bench.servers[i], i == 0 ? 12 + own / 4 : 50 + own, now_ms + 500);
		hold(&bench, 8, own, now_ms + 1000);
		plan(&bench, now_ms + 1000);
		ck_assert_msg(
			bench.servers[0]->plan.result.basis == PLANNER_DISBELIEVED, "own %u", own);
		ck_assert_int_eq(bench.servers[1]->plan.result.basis, PLANNER_HEARD);
		ck_assert_int_eq(bench.servers[0]->plan.weight, bench.servers[1]->plan.weight);
	}
	/* Mended, it is believed at once. */
	row_hear(bench.servers[0], 90, now_ms + 500);
	hold(&bench, 8, 40, now_ms + 1000);
	plan(&bench, now_ms + 1000);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_HEARD);
	cluster_free(bench.cluster);
}
END_TEST

/* The new worker has begun so many more on each pod, all in force; the first pod says what it
 * likes. */
static void say(struct bench *bench, uint32_t own, uint32_t says, int64_t now_ms)
{
	for (size_t i = 0; i < N; i++) {
		struct hastate_server *row = &bench->rows[i];

		row->stot += own > row->scur ? own - row->scur : 0;
		row->scur = own;
		row_hear(bench->servers[i], i == 0 ? says : 50 + own, now_ms - 500);
	}
	update(bench, 8, now_ms);
	plan(bench, now_ms);
}

/* Its connections have ended with it, the old worker's too. HAProxy sees it down, or it is back
 * before a health check, but all that HAProxy held on it has closed at once. */
START_TEST(who_was_caught_is_not_measured_by_what_ended_with_it)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;
	int64_t now_ms = setup_caught(&bench, &settings, 3);

	say(&bench, 20, 20, now_ms += 1000);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_DISBELIEVED);
	bench.rows[0].status = _i == 0 ? "DOWN" : "UP";
	say(&bench, 0, 0, now_ms += 1000);
	bench.rows[0].status = "UP";
	say(&bench, 20, 3, now_ms += 1000);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_DISBELIEVED);
	say(&bench, 20, 20, now_ms += 1000);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_HEARD);
	cluster_free(bench.cluster);
}
END_TEST

/* The old worker's sessions have ended, which nobody tells. */
START_TEST(what_an_old_worker_holds_is_forgotten_in_time)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;
	int64_t now_ms = setup_caught(&bench, &settings, 3);

	for (int minute = 0; minute < 10; minute++, now_ms += 60000)
		hold(&bench, 8, 40, now_ms + 1000);
	row_hear(bench.servers[0], 40, now_ms);
	hold(&bench, 8, 40, now_ms);
	plan(&bench, now_ms);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_HEARD);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_count_is_fresh_for_two_and_a_half_intervals_then_stale_then_gone)
{
	static const struct {
		int64_t age_ms;
		enum planner_basis basis;
	} ages[] = {
		{0, PLANNER_HEARD},
		{2500, PLANNER_HEARD},
		{2501, PLANNER_STALE},
		{30000, PLANNER_STALE},
		{30001, PLANNER_NEVER_HEARD},
	};
	struct cluster_settings settings = row_settings();

	for (size_t i = 0; i < sizeof(ages) / sizeof(*ages); i++) {
		struct bench bench;

		setup(&bench, &settings, (uint32_t[]){9, 9, 9});
		plan(&bench, 1500 + ages[i].age_ms);
		for (size_t s = 0; s < N; s++)
			ck_assert_int_eq(bench.servers[s]->plan.result.basis, ages[i].basis);
		cluster_free(bench.cluster);
	}
}
END_TEST

START_TEST(fewer_than_half_known_means_the_configured_weights)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){9, 5, 1});
	for (size_t i = 0; i < N; i++)
		bench.rows[i].iweight = 10 * (int)i + 10;
	update(&bench, 7, 3000);
	plan(&bench, 40000);
	ck_assert(bench.be->summary.fallback);
	assert_weights(&bench, 10, 20, 30);
	ck_assert_uint_eq(bench.be->tally.fallbacks, 1);
	ck_assert_uint_eq(bench.be->tally.by_basis[PLANNER_NEVER_HEARD], N);
	plan(&bench, 3000);
	ck_assert_uint_eq(bench.be->tally.fallbacks, 1);
	ck_assert_uint_eq(bench.be->tally.by_basis[PLANNER_HEARD], N);
	ck_assert_uint_eq(bench.be->tally.weights, 2 * N);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_count_newer_than_haproxys_answer_waits_for_the_next_one)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){9, 9, 9});
	row_hear(bench.servers[0], 50, 2400);
	plan(&bench, 2400);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_NEVER_HEARD);
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_HEARD);
	/* With one instance a second answer must say so too. */
	row_hear(bench.servers[0], 50, 3400);
	update(&bench, 7, 4000);
	plan(&bench, 4000);
	ck_assert_double_eq_tol(bench.servers[0]->plan.result.count, 50.0, 1e-9);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_pod_says_draining_and_capacity)
{
	struct cluster_settings settings = row_settings();
	struct metric draining = {.count = 10, .draining = true};
	struct metric large = {.count = 10, .capacity = 300.0};
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){10, 10, 10});
	pod_observe(bench.servers[0]->pod, METRIC_OK, &draining, NULL, 2500);
	pod_observe(bench.servers[1]->pod, METRIC_OK, &large, NULL, 2500);
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	ck_assert_int_eq(bench.servers[0]->plan.weight, 0);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_DRAINING);
	ck_assert_uint_eq(bench.be->summary.n_draining, 1);
	/* 20 connections on a capacity of 400: targets 15 and 5. */
	ck_assert_double_eq_tol(bench.servers[1]->plan.result.target, 15.0, 1e-9);
	ck_assert_double_eq_tol(bench.servers[2]->plan.result.target, 5.0, 1e-9);
	ck_assert_int_gt(bench.servers[1]->plan.weight, bench.servers[2]->plan.weight);
	/* A drain that was said stands while the pod is silent. */
	pod_observe(bench.servers[0]->pod, METRIC_TIMED_OUT, NULL, NULL, 3500);
	update(&bench, 7, 4000);
	plan(&bench, 4000);
	ck_assert_int_eq(bench.servers[0]->plan.weight, 0);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(the_correction_is_divided_by_replicas)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	settings.replicas = 2;
	setup(&bench, &settings, (uint32_t[]){20, 20, 20});
	row_hear(bench.servers[0], 50, 2500);
	update(&bench, 7, 3000);
	/* This HAProxy is to hold six more until the next plan, the other one too: 102 over three
	 * pods. */
	bench.be->growth.per_second = 6.0;
	plan(&bench, 3000);
	ck_assert_double_eq_tol(bench.be->summary.level, 90.0 / 300.0, 1e-9);
	/* 14 too few, half of it ours; the first has 16 too many. */
	ck_assert_double_eq_tol(bench.servers[1]->plan.result.target, 20.0 + 7.0, 1e-9);
	ck_assert_double_eq_tol(bench.servers[0]->plan.result.target, 20.0 - 8.0, 1e-9);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(servers_out_of_use_are_neither_planned_nor_counted)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){50, 50, 5});
	plan(&bench, 2000);
	bench.rows[2].status = "DRAIN";
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	ck_assert(!bench.servers[2]->plan.made);
	ck_assert_int_eq(bench.servers[0]->plan.weight, bench.servers[1]->plan.weight);
	ck_assert_double_eq_tol(bench.be->summary.imbalance, 0.0, 1e-9);
	ck_assert_uint_eq(bench.be->summary.n_known, 2);
	/* Nobody left: no plan at all, and nothing of the last one. */
	bench.rows[2].status = "UP";
	update(&bench, 7, 3500);
	plan(&bench, 3500);
	ck_assert_double_gt(steer_imbalance(bench.cluster), 0.0);
	bench.rows[2].status = "DOWN";
	bench.rows[0].status = "DOWN";
	bench.rows[1].status = "MAINT";
	update(&bench, 7, 4000);
	plan(&bench, 4000);
	ck_assert(!bench.be->planned);
	for (size_t i = 0; i < N; i++)
		ck_assert(!bench.servers[i]->plan.made);
	ck_assert(steer_imbalance(bench.cluster) == 0.0);
	cluster_free(bench.cluster);
}
END_TEST

/* A backend named in the settings stays when a reload gives it an algorithm with fixed weights. */
/* A server that is away, the settings' limits, and the weight it waits with; 0: its own. */
static const struct {
	const char *status;
	const char *address;
	int64_t ramp_ms;
	double max_share;
	bool percent_steps;
	int iweight;
	int weight;
} waits[] = {
	{"DOWN", "10.0.0.2", 0, 1.0, false, 100, 0},
	{"DOWN", "10.0.0.2", 30000, 1.0, false, 100, 1},
	{"DOWN", "10.0.0.2", 0, 0.5, false, 100, 1},
	{"MAINT", "10.0.0.2", 30000, 1.0, false, 100, 1},
	{"MAINT (resolution)", "", 30000, 1.0, false, 100, 1},
	{"DOWN", "10.0.0.2", 30000, 1.0, true, 200, 2},
	{"DOWN", "10.0.0.2", 30000, 1.0, false, 0, 0},
	{"DRAIN", "10.0.0.2", 30000, 1.0, false, 100, 0},
	{"UP", "10.0.0.2", 30000, 1.0, false, 100, 0},
};

START_TEST(where_there_are_limits_a_server_that_is_away_waits_with_the_least_weight)
{
	struct cluster_settings settings = row_settings();
	struct commands lines = {.n_lines = 0};
	struct server *server;
	struct bench bench;

	settings.ramp_ms = waits[_i].ramp_ms;
	settings.max_share = waits[_i].max_share;
	settings.percent_steps = waits[_i].percent_steps;
	setup(&bench, &settings, (uint32_t[]){50, 50, 50});
	bench.rows[1].status = waits[_i].status;
	bench.rows[1].address = waits[_i].address;
	bench.rows[1].iweight = waits[_i].iweight;
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	server = bench.servers[1];
	ck_assert_int_eq(server->plan.held, waits[_i].weight > 0);
	ck_assert(reconcile_plan(bench.cluster, 0, &lines));
	if (server->plan.held) {
		char command[64];

		ck_assert(!server->plan.made);
		ck_assert_int_eq(server->plan.weight, waits[_i].weight);
		snprintf(command, sizeof(command), "set server be/s2 weight %d", waits[_i].weight);
		ck_assert_ptr_nonnull(strstr(lines.lines[0], command));
		commands_fini(&lines);
		steer_release(bench.cluster);
		ck_assert(reconcile_restore(bench.cluster, &lines));
		ck_assert_ptr_nonnull(strstr(lines.lines[0], "set server be/s2 weight "));
	}
	commands_fini(&lines);
	/* And when it is back it is planned. */
	bench.rows[1].status = "UP";
	bench.rows[1].address = "10.0.0.2";
	update(&bench, 7, 4000);
	plan(&bench, 4000);
	ck_assert(!server->plan.held);
	ck_assert_int_eq(server->plan.made, waits[_i].iweight > 0);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_backend_that_is_steered_no_longer_has_no_plan_left)
{
	struct cluster_settings settings = row_settings();
	char name[] = "be";
	char *names[] = {name};
	struct bench bench;

	settings.selection.backends = names;
	settings.selection.n_backends = 1;
	settings.max_share = 0.5;
	setup(&bench, &settings, (uint32_t[]){50, 50, 5});
	bench.rows[2].status = "DOWN";
	bench.rows[0].scur = 10;
	update(&bench, 7, 2500);
	plan(&bench, 2500);
	ck_assert(bench.servers[0]->plan.made);
	ck_assert(bench.servers[2]->plan.held);
	ck_assert_double_gt(steer_imbalance(bench.cluster), 0.0);
	bench.backend.algo = "source";
	update(&bench, 8, 3000);
	plan(&bench, 3000);
	ck_assert_int_eq(bench.be->mode, BACKEND_NOT_STEERED);
	ck_assert(!bench.be->planned);
	for (size_t i = 0; i < N; i++)
		ck_assert(!bench.servers[i]->plan.made && !bench.servers[i]->plan.held);
	ck_assert(steer_imbalance(bench.cluster) == 0.0);
	bench.backend.algo = "leastconn";
	update(&bench, 9, 4000);
	plan(&bench, 4000);
	ck_assert(bench.servers[0]->plan.made);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(roundrobin_is_planned_as_a_flow)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){100, 100, 10});
	bench.backend.algo = "roundrobin";
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	assert_weights(&bench, 1, 1, 256);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(credit_is_what_the_last_plans_limit_leaves_of_what_came)
{
	struct bench bench;

	setup_limited(&bench);
	for (size_t i = 0; i < N; i++) {
		ck_assert(bench.servers[i]->sessions.credit == 0.0);
		ck_assert_double_eq_tol(bench.servers[i]->plan.result.share_limit, 0.5, 1e-9);
	}
	bench.rows[0].stot += 9;
	bench.rows[1].stot += 1;
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	/* Half of 10, less what each has got. */
	ck_assert_double_eq_tol(bench.servers[0]->sessions.credit, -4.0, 1e-9);
	ck_assert_double_eq_tol(bench.servers[1]->sessions.credit, 4.0, 1e-9);
	ck_assert_double_eq_tol(bench.servers[2]->sessions.credit, 5.0, 1e-9);
	/* Planned again on the same answer: it is not counted twice. */
	plan(&bench, 3000);
	ck_assert_double_eq_tol(bench.servers[0]->sessions.credit, -4.0, 1e-9);
	/* Another pod has no debts. */
	bench.rows[0].address = "10.0.0.9";
	update(&bench, 7, 4000);
	plan(&bench, 4000);
	ck_assert(bench.servers[0]->sessions.credit == 0.0);
	cluster_free(bench.cluster);
}
END_TEST

/* A round may plan more than once between two answers of HAProxy's. */
START_TEST(sessions_are_held_against_a_limit_once_however_often_it_is_planned)
{
	struct bench bench;

	setup_limited(&bench);
	bench.rows[0].stot += 9;
	bench.rows[1].stot += 1;
	update(&bench, 7, 3000);
	for (int i = 0; i < 3; i++) {
		plan(&bench, 3000 + i);
		ck_assert_double_eq_tol(bench.servers[0]->sessions.credit, -4.0, 1e-9);
	}
	cluster_free(bench.cluster);
}
END_TEST

/* With one instance a reading moves what is known of outside only as far as it must. */
START_TEST(what_a_pod_has_from_outside_is_remembered)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){10, 10, 10});
	bench.rows[0].scur = 14;
	row_hear(bench.servers[0], 12, 2750);
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	/* At 2750 this HAProxy had 13, it seems: 1 more than the pod. It may as well have had 12.
	 */
	ck_assert_uint_eq(bench.servers[0]->sessions.own_then, 13);
	ck_assert_double_eq_tol(bench.servers[0]->plan.result.count, 14.0, 1e-9);
	cluster_free(bench.cluster);
}
END_TEST

static void hold_and_plan(struct bench *bench, uint32_t own, uint32_t says, int64_t now_ms)
{
	for (size_t i = 0; i < N; i++) {
		bench->rows[i].scur = own;
		row_hear(bench->servers[i], i == 0 ? says : own, now_ms - 500);
	}
	update(bench, 7, now_ms);
	plan(bench, now_ms);
}

/* HAProxy holds too few on it to prove that a pod is honest, and will for hours. */
START_TEST(who_was_caught_is_believed_when_its_word_has_fitted_for_a_minute)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;
	int64_t now_ms = 3000;

	setup(&bench, &settings, (uint32_t[]){50, 50, 50});
	hold_and_plan(&bench, 50, 3, now_ms);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_DISBELIEVED);
	for (; now_ms < 50000; now_ms += 1000) {
		hold_and_plan(&bench, 2, 2, now_ms);
		ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_DISBELIEVED);
	}
	/* A word that does not fit begins the minute anew. */
	hold_and_plan(&bench, 5, 3, now_ms);
	for (int i = 0; i < 59; i++) {
		hold_and_plan(&bench, 5, 5, now_ms += 1000);
		ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_DISBELIEVED);
	}
	hold_and_plan(&bench, 5, 5, now_ms += 1000);
	hold_and_plan(&bench, 5, 5, now_ms += 1000);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_HEARD);
	cluster_free(bench.cluster);
}
END_TEST

/* One worker of several is no liar: once its answers agree it is believed. */
START_TEST(several_workers_leave_no_doubt_behind)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){5, 5, 5});
	bench.servers[0]->pod->workers.several = true;
	hold_and_plan(&bench, 5, 5, 3000);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_DISBELIEVED);
	bench.servers[0]->pod->workers.several = false;
	hold_and_plan(&bench, 5, 5, 4000);
	ck_assert_int_eq(bench.servers[0]->plan.result.basis, PLANNER_HEARD);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(the_last_target_is_remembered_until_another_worker_or_another_pod_comes)
{
	struct cluster_settings settings = row_settings();
	double targets[2];
	struct bench bench;

	settings.replicas = 2;
	for (int remembered = 0; remembered < 2; remembered++) {
		setup(&bench, &settings, (uint32_t[]){40, 40, 40});
		plan(&bench, 2000);
		for (size_t i = 0; i < N; i++)
			ck_assert(bench.servers[i]->sessions.target_stands);
		bench.rows[0].scur = 38;
		row_hear(bench.servers[0], 40, 3000);
		update(&bench, 7, 3000);
		bench.servers[0]->sessions.target_stands = remembered == 1;
		plan(&bench, 3000);
		targets[remembered] = bench.servers[0]->plan.result.target;
		if (remembered == 0)
			cluster_free(bench.cluster);
	}
	/* Two have closed here, and the other instance has filled the pod: it stands at the level,
	 * but this one's part of it is still to be made up for. */
	ck_assert_double_gt(targets[1], targets[0]);
	update(&bench, 8, 4000);
	for (size_t i = 0; i < N; i++)
		ck_assert(!bench.servers[i]->sessions.target_stands);
	plan(&bench, 4000);
	bench.rows[0].address = "10.0.0.9";
	update(&bench, 8, 5000);
	ck_assert(!bench.servers[0]->sessions.target_stands);
	ck_assert(bench.servers[1]->sessions.target_stands);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(in_percent_steps_the_weight_is_one_that_agent_check_can_say)
{
	struct cluster_settings settings = row_settings();
	static const uint32_t counts[N] = {22, 20, 10};
	struct bench bench;
	bool differs = false;

	setup(&bench, &settings, counts);
	for (size_t i = 0; i < N; i++) {
		bench.rows[i].iweight = 256;
		bench.rows[i].scur = 0;
	}
	update(&bench, 8, 2200);
	for (size_t i = 0; i < N; i++)
		row_hear(bench.servers[i], counts[i], 2500);
	update(&bench, 8, 3000);
	plan(&bench, 3000);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(
			bench.servers[i]->plan.weight, bench.servers[i]->plan.result.weight);
	settings.percent_steps = true;
	ck_assert(cluster_configure(bench.cluster, &settings));
	plan(&bench, 3000);
	/* 2.56 a percent: most weights cannot be had, and the nearest is at most 2 away. */
	for (size_t i = 0; i < N; i++) {
		int wanted = bench.servers[i]->plan.result.weight;

		ck_assert_int_eq(bench.servers[i]->plan.weight, percent_reachable(256, wanted));
		ck_assert_int_le(abs(bench.servers[i]->plan.weight - wanted), 2);
		differs = differs || bench.servers[i]->plan.weight != wanted;
	}
	ck_assert(differs);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(release_wants_the_configured_weight_of_every_server)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	setup(&bench, &settings, (uint32_t[]){100, 50, 1});
	bench.rows[1].iweight = 30;
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	ck_assert_int_ne(bench.servers[1]->plan.weight, 30);
	steer_release(bench.cluster);
	assert_weights(&bench, 100, 30, 100);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(the_imbalance_is_that_of_the_worst_planned_backend)
{
	struct hastate_server one[] = {row_up("s1", "10.0.0.1", 10), row_up("s2", "10.0.0.2", 30)};
	struct hastate_server two[] = {row_up("s1", "10.0.0.3", 10), row_up("s2", "10.0.0.4", 20)};
	struct hastate_backend backends[] = {
		row_backend("a", "leastconn", two, 2), row_backend("b", "roundrobin", one, 2)};
	struct hastate_snapshot answer = row_answer(7, backends, 2);
	struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);

	ck_assert(steer_imbalance(cluster) == 0.0);
	ck_assert(cluster_update(cluster, &answer, 1000, NULL, NULL));
	for (size_t i = 0; i < 2; i++) {
		row_hear(row_find(cluster, "a", two[i].name), two[i].scur, 1500);
		row_hear(row_find(cluster, "b", one[i].name), one[i].scur, 1500);
	}
	ck_assert(cluster_update(cluster, &answer, 2000, NULL, NULL));
	ck_assert(steer_imbalance(cluster) == 0.0);
	ck_assert(steer_plan(cluster, 2000));
	ck_assert_double_eq_tol(steer_imbalance(cluster), 0.5, 1e-9);
	answer.n_backends = 1;
	ck_assert(cluster_update(cluster, &answer, 3000, NULL, NULL));
	ck_assert_double_eq_tol(steer_imbalance(cluster), 1.0 / 3.0, 1e-9);
	cluster_free(cluster);
}
END_TEST

/* All pods answer, those from first_after on after a storm that took half of their connections. */
static void hear_storm(struct bench *bench, size_t first_after, int64_t now_ms)
{
	for (size_t i = 0; i < N; i++)
		row_hear(bench->servers[i], i < first_after ? 100 : 50, now_ms);
}

START_TEST(counts_of_before_and_after_a_storm_are_torn)
{
	struct cluster_settings settings;
	struct bench bench;

	setup_shared(&bench, &settings);
	/* Without a plan there is none to go on with. */
	hear_storm(&bench, 1, 2500);
	ck_assert(!steer_is_torn(bench.cluster));
	hear_storm(&bench, N, 2600);
	plan(&bench, 3000);
	hear_storm(&bench, 1, 3500);
	ck_assert(steer_is_torn(bench.cluster));
	settings.replicas = 1;
	ck_assert(cluster_configure(bench.cluster, &settings));
	ck_assert(!steer_is_torn(bench.cluster));
	settings.replicas = 2;
	ck_assert(cluster_configure(bench.cluster, &settings));
	/* They were planned with all the same: what they were then does not count any more. */
	plan(&bench, 4000);
	ck_assert(!steer_is_torn(bench.cluster));
	/* All of before, and all of after. */
	hear_storm(&bench, N, 4500);
	plan(&bench, 5000);
	hear_storm(&bench, N, 5500);
	ck_assert(!steer_is_torn(bench.cluster));
	hear_storm(&bench, 0, 5600);
	ck_assert(!steer_is_torn(bench.cluster));
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_backend_by_flow_is_never_torn)
{
	struct cluster_settings settings;
	struct bench bench;

	setup_shared(&bench, &settings);
	bench.backend.algo = "roundrobin";
	update(&bench, 7, 3000);
	plan(&bench, 3000);
	hear_storm(&bench, 1, 3500);
	ck_assert(!steer_is_torn(bench.cluster));
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_pod_that_drains_tears_nothing)
{
	struct cluster_settings settings;
	struct bench bench;

	setup_shared(&bench, &settings);
	plan(&bench, 3000);
	hear_storm(&bench, 2, 3500);
	ck_assert(steer_is_torn(bench.cluster));
	bench.servers[2]->pod->metric.draining = true;
	ck_assert(!steer_is_torn(bench.cluster));
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(another_pod_at_the_same_address_tears_nothing)
{
	struct cluster_settings settings;
	struct bench bench;

	struct endpoint first = {.uid = "a"};
	struct endpoint second = {.uid = "b"};

	setup_shared(&bench, &settings);
	ck_assert(pod_identify(bench.servers[2]->pod, &first, 2000));
	plan(&bench, 3000);
	hear_storm(&bench, N, 3300);
	ck_assert(pod_identify(bench.servers[2]->pod, &second, 3400));
	row_hear(bench.servers[2], 0, 3500);
	ck_assert(!steer_is_torn(bench.cluster));
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(sessions_of_a_round_that_was_put_off_count_against_a_limit_too)
{
	struct bench bench;

	setup_limited(&bench);
	bench.rows[0].stot += 9;
	update(&bench, 7, 3000);
	bench.rows[1].stot += 1;
	update(&bench, 7, 3150);
	plan(&bench, 3150);
	ck_assert_double_eq_tol(bench.servers[0]->sessions.credit, -4.0, 1e-9);
	ck_assert_double_eq_tol(bench.servers[1]->sessions.credit, 4.0, 1e-9);
	/* Not those that a server got while it was not steered: nobody else is owed a part of them.
	 */
	bench.rows[0].stot += 1000;
	bench.rows[0].admin_state = HASTATE_ADMIN_FORCED_DRAIN;
	update(&bench, 7, 4000);
	plan(&bench, 4000);
	bench.rows[0].admin_state = 0;
	update(&bench, 7, 5000);
	plan(&bench, 5000);
	ck_assert_double_le(bench.servers[1]->sessions.credit, 4.0);
	cluster_free(bench.cluster);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, counts_of_before_and_after_a_storm_are_torn);
	tcase_add_test(tcase, a_backend_by_flow_is_never_torn);
	tcase_add_test(tcase, a_pod_that_drains_tears_nothing);
	tcase_add_test(tcase, another_pod_at_the_same_address_tears_nothing);
	tcase_add_test(tcase, sessions_of_a_round_that_was_put_off_count_against_a_limit_too);
	tcase_add_test(tcase, a_pod_that_comes_later_warms_up_and_those_of_the_start_do_not);
	tcase_add_test(tcase, every_steered_server_gets_the_planners_weight);
	tcase_add_test(tcase, who_was_caught_is_measured_by_what_the_old_worker_holds_too);
	tcase_add_loop_test(tcase, who_was_caught_is_not_measured_by_what_ended_with_it, 0, 2);
	tcase_add_test(tcase, what_an_old_worker_holds_is_forgotten_in_time);
	tcase_add_test(tcase, a_count_is_fresh_for_two_and_a_half_intervals_then_stale_then_gone);
	tcase_add_test(tcase, fewer_than_half_known_means_the_configured_weights);
	tcase_add_test(tcase, a_count_newer_than_haproxys_answer_waits_for_the_next_one);
	tcase_add_test(tcase, a_pod_says_draining_and_capacity);
	tcase_add_test(tcase, the_correction_is_divided_by_replicas);
	tcase_add_test(tcase, servers_out_of_use_are_neither_planned_nor_counted);
	tcase_add_loop_test(tcase,
		where_there_are_limits_a_server_that_is_away_waits_with_the_least_weight, 0,
		(int)(sizeof(waits) / sizeof(waits[0])));
	tcase_add_test(tcase, a_backend_that_is_steered_no_longer_has_no_plan_left);
	tcase_add_test(tcase, roundrobin_is_planned_as_a_flow);
	tcase_add_test(tcase, credit_is_what_the_last_plans_limit_leaves_of_what_came);
	tcase_add_test(tcase, sessions_are_held_against_a_limit_once_however_often_it_is_planned);
	tcase_add_test(tcase, what_a_pod_has_from_outside_is_remembered);
	tcase_add_test(tcase, who_was_caught_is_believed_when_its_word_has_fitted_for_a_minute);
	tcase_add_test(tcase, several_workers_leave_no_doubt_behind);
	tcase_add_test(
		tcase, the_last_target_is_remembered_until_another_worker_or_another_pod_comes);
	tcase_add_test(tcase, in_percent_steps_the_weight_is_one_that_agent_check_can_say);
	tcase_add_test(tcase, release_wants_the_configured_weight_of_every_server);
	tcase_add_test(tcase, the_imbalance_is_that_of_the_worst_planned_backend);
}

int main(void)
{
	Suite *suite = suite_create("steer");
	TCase *tcase = tcase_create("steer");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	add_tests(tcase);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
