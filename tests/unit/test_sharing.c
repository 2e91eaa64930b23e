/* SPDX-License-Identifier: MIT */
/* Pods to which several servers lead: what they hold together, and whose part a correction is. */
#include <check.h>
#include <stdlib.h>

#include "core/cluster/cluster.h"
#include "core/steer/steer.h"
#include "rows.h"
#include "run.h"

enum { PODS = 2 };

/* Two backends over the same two pods, the first with two lines each. */
struct bench {
	struct cluster *cluster;
	struct hastate_server lines[2 * PODS];
	struct hastate_server others[PODS];
	struct hastate_backend backends[2];
};

static void update_of(struct bench *bench, int64_t pid, int64_t now_ms)
{
	struct hastate_snapshot answer = row_answer(pid, bench->backends, 2);

	ck_assert(cluster_update(bench->cluster, &answer, now_ms, NULL, NULL));
}

static void update(struct bench *bench, int64_t now_ms)
{
	update_of(bench, 7, now_ms);
}

static void setup_with(struct bench *bench, uint32_t own, const struct cluster_settings *settings)
{
	bench->cluster = cluster_new(settings);
	ck_assert_ptr_nonnull(bench->cluster);
	bench->lines[0] = row_up("a1", "10.0.0.1", own);
	bench->lines[1] = row_up("b1", "10.0.0.2", own);
	bench->lines[2] = row_up("a2", "10.0.0.1", own);
	bench->lines[3] = row_up("b2", "10.0.0.2", own);
	bench->others[0] = row_up("a", "10.0.0.1", own);
	bench->others[1] = row_up("b", "10.0.0.2", own);
	bench->backends[0] = row_backend("x", "leastconn", bench->lines, 4);
	bench->backends[1] = row_backend("y", "leastconn", bench->others, 2);
	update(bench, 1000);
}

static void setup(struct bench *bench, uint32_t own)
{
	struct cluster_settings settings = row_settings();

	setup_with(bench, own, &settings);
}

static double part(const struct bench *bench, const char *backend, const char *server)
{
	return row_find(bench->cluster, backend, server)->part;
}

START_TEST(a_correction_is_divided_among_backends_by_what_comes_to_them)
{
	struct bench bench;

	setup(&bench, 100);
	for (int i = 0; i < 2 * PODS; i++)
		bench.lines[i].stot += 3;
	for (int i = 0; i < PODS; i++)
		bench.others[i].stot += 2;
	update(&bench, 2000);
	/* 12 and 4 a second, all but a few of which stay: three parts to one, the three for two
	 * lines. */
	ck_assert_double_eq_tol(part(&bench, "x", "a1"), 0.375, 0.01);
	ck_assert_double_eq_tol(part(&bench, "x", "a2"), 0.375, 0.01);
	ck_assert_double_eq_tol(part(&bench, "y", "a"), 0.25, 0.01);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_backend_of_plain_requests_has_the_least_part)
{
	struct bench bench;

	setup(&bench, 100);
	for (int i = 0; i < 2 * PODS; i++)
		bench.lines[i].stot += 3;
	for (int i = 0; i < PODS; i++) {
		bench.others[i].scur = 2;
		bench.others[i].stot += 1000;
	}
	update(&bench, 2000);
	/* A tenth of an equal part, of 1 and a tenth of the mean: 0.05 in 1.05. */
	ck_assert_double_eq_tol(part(&bench, "y", "a"), 0.05 / 1.05, 0.005);
	cluster_free(bench.cluster);
}
END_TEST

/* Every server has begun so many sessions in its worker, and none has ended. */
static void hold(struct bench *bench, uint32_t own)
{
	for (int i = 0; i < 2 * PODS; i++)
		bench->lines[i].stot = bench->lines[i].scur = own;
	for (int i = 0; i < PODS; i++)
		bench->others[i].stot = bench->others[i].scur = own;
}

START_TEST(what_an_old_worker_holds_is_of_all_servers_of_a_pod)
{
	struct bench bench;
	struct server *server;

	setup(&bench, 20);
	server = row_find(bench.cluster, "x", "a1");
	row_hear(server, 32, 1500);
	row_hear(row_find(bench.cluster, "x", "b1"), 60, 1500);
	update(&bench, 2000);
	ck_assert(steer_plan(bench.cluster, 2000));
	ck_assert_int_eq(server->plan.result.basis, PLANNER_DISBELIEVED);
	/* 32 would do for its 18 and what one of the three has left behind. */
	hold(&bench, 6);
	row_hear(server, 32, 2500);
	row_hear(row_find(bench.cluster, "x", "b1"), 78, 2500);
	update_of(&bench, 8, 3000);
	ck_assert(steer_plan(bench.cluster, 3000));
	ck_assert_int_eq(server->plan.result.basis, PLANNER_DISBELIEVED);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(lines_divide_by_their_configured_weights)
{
	struct bench bench;

	setup(&bench, 100);
	bench.lines[2].iweight = 50;
	update(&bench, 2000);
	ck_assert_double_eq_tol(part(&bench, "x", "a1"), 2.0 * part(&bench, "x", "a2"), 1e-9);
	ck_assert_double_eq_tol(part(&bench, "x", "b1"), part(&bench, "x", "b2"), 1e-9);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(what_one_server_holds_of_a_pod_is_nobody_elses)
{
	struct bench bench;

	setup(&bench, 100);
	row_hear(row_find(bench.cluster, "x", "a1"), 310, 1500);
	row_hear(row_find(bench.cluster, "x", "b1"), 300, 1500);
	update(&bench, 2000);
	ck_assert_double_eq_tol(
		row_find(bench.cluster, "y", "a")->pod->sharing.others.count, 10.0, 1e-9);
	ck_assert(steer_plan(bench.cluster, 2000));
	/* 10 too many in all: the level is 305, and each server has a third of the pod. */
	const struct planner_result *result = &row_find(bench.cluster, "y", "a")->plan.result;

	ck_assert_double_eq_tol(result->count, 310.0, 1e-9);
	ck_assert_double_eq_tol(result->deficit, -5.0, 1e-9);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_pod_of_one_server_is_all_its_own)
{
	struct bench bench;

	setup(&bench, 100);
	bench.backends[0].n_servers = 1;
	bench.backends[1].n_servers = 0;
	update(&bench, 2000);
	ck_assert_double_eq(part(&bench, "x", "a1"), 1.0);
	cluster_free(bench.cluster);
}
END_TEST

static double share_limit(const struct bench *bench, const char *backend, const char *server)
{
	return row_find(bench->cluster, backend, server)->plan.result.share_limit;
}

/* maxShare is of a pod: its lines have it together. */
START_TEST(lines_divide_the_limit_of_their_pod)
{
	struct cluster_settings settings = row_settings();
	struct bench bench;

	settings.max_share = 0.6;
	setup_with(&bench, 100, &settings);
	/* 2 to 1 for the lines of one pod, 1 to 1 for the other's. */
	bench.lines[0].iweight = 200;
	bench.lines[2].iweight = 100;
	update(&bench, 2000);
	ck_assert(steer_plan(bench.cluster, 2000));
	ck_assert_double_eq_tol(share_limit(&bench, "x", "a1"), 0.4, 1e-9);
	ck_assert_double_eq_tol(share_limit(&bench, "x", "a2"), 0.2, 1e-9);
	ck_assert_double_eq_tol(share_limit(&bench, "x", "b1"), 0.3, 1e-9);
	ck_assert_double_eq_tol(share_limit(&bench, "x", "b2"), 0.3, 1e-9);
	/* Another backend has the limit for itself. */
	ck_assert_double_eq_tol(share_limit(&bench, "y", "a"), 0.6, 1e-9);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(without_a_limit_lines_have_none)
{
	struct bench bench;

	setup(&bench, 100);
	ck_assert(steer_plan(bench.cluster, 2000));
	ck_assert_double_eq(share_limit(&bench, "x", "a1"), 1.0);
	ck_assert_double_eq(share_limit(&bench, "y", "a"), 1.0);
	cluster_free(bench.cluster);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_correction_is_divided_among_backends_by_what_comes_to_them, ONCE},
		{a_backend_of_plain_requests_has_the_least_part, ONCE},
		{what_an_old_worker_holds_is_of_all_servers_of_a_pod, ONCE},
		{lines_divide_by_their_configured_weights, ONCE},
		{what_one_server_holds_of_a_pod_is_nobody_elses, ONCE},
		{a_pod_of_one_server_is_all_its_own, ONCE},
		{lines_divide_the_limit_of_their_pod, ONCE},
		{without_a_limit_lines_have_none, ONCE},
	};

	return run_suite("sharing", tests, N_OF(tests));
}
