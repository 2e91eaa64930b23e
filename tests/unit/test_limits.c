/* SPDX-License-Identifier: MIT */
/* Limits on a pod's share of new connections hold for connections in a row. SEED=N repeats a run.
 */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../sim/lb.h"
#include "../sim/rng.h"
#include "core/plan/limits.h"
#include "core/plan/planner.h"

enum { ROUNDS = 300, PODS_MAX = 24, PLANS = 30 };

static uint64_t seed;

START_TEST(a_pod_warms_up_evenly)
{
	ck_assert_double_eq(limits_ramp(0, 30000), 0.0);
	ck_assert_double_eq(limits_ramp(-5, 30000), 0.0);
	ck_assert_double_eq_tol(limits_ramp(12000, 30000), 0.4, 1e-12);
	ck_assert_double_eq(limits_ramp(30000, 30000), 1.0);
	ck_assert_double_eq(limits_ramp(0, 0), 1.0);
}
END_TEST

START_TEST(max_share_is_off_outside_0_and_1)
{
	ck_assert_double_eq(limits_share(0.0, 1.0), 1.0);
	ck_assert_double_eq(limits_share(1.0, 0.5), 0.5);
	ck_assert_double_eq(limits_share(7.0, 1.0), 1.0);
	ck_assert_double_eq(limits_share(0.2, 0.5), 0.1);
}
END_TEST

START_TEST(credit_is_earned_by_what_comes_and_saved_for_one_interval)
{
	/* Half of 10, less the 9 it got. */
	ck_assert_double_eq(limits_credit(0.0, 0.5, 10, 9), -4.0);
	ck_assert_double_eq(limits_credit(-4.0, 0.5, 10, 0), 1.0);
	ck_assert_double_eq(limits_credit(1.0, 0.5, 10, 0), 6.0);
	ck_assert_double_eq(limits_credit(6.0, 0.5, 10, 0), 6.0);
	/* A quiet hour keeps one. */
	ck_assert_double_eq(limits_credit(6.0, 0.5, 0, 0), 1.0);
	ck_assert_double_eq(limits_credit(6.0, 1.0, 10, 0), 0.0);
}
END_TEST

/* A HAProxy with an agent of its own, in small. */
struct bench {
	struct planner_params params;
	struct planner_pod pods[PODS_MAX];
	struct planner_result results[PODS_MAX];
	size_t n;
	struct lb *lb;
	double balance[PODS_MAX]; /* connections got, less the limit's part of those that came */
	double least[PODS_MAX];
	double excess[PODS_MAX];  /* the largest rise of balance */
	double free_of[PODS_MAX]; /* what the least weight, 1, lets the pod take at most */
};

static void setup(struct bench *bench, struct rng *rng, enum lb_algo algo)
{
	int weights[PODS_MAX];
	bool up[PODS_MAX];
	uint32_t usual = 5 + rng_below(rng, rng_below(rng, 2) ? 30 : 1000);
	size_t n_new = 1 + rng_below(rng, 3);

	*bench = (struct bench){.n = 8 + rng_below(rng, PODS_MAX - 8)};
	bench->params = (struct planner_params){
		.mode = algo == LB_LEASTCONN ? PLANNER_STOCK : PLANNER_FLOW,
		.replicas = 1 + rng_below(rng, 4),
		.fresh_ms = 2500,
		.cache_ttl_ms = 30000,
		.ramp_ms = rng_below(rng, 2) ? 30000 : 0,
	};
	if (bench->params.ramp_ms == 0)
		bench->params.max_share = 0.3 + 0.5 * rng_uniform(rng);
	bench->lb = lb_new(algo, bench->n, NULL);
	ck_assert_ptr_nonnull(bench->lb);
	for (size_t i = 0; i < bench->n; i++) {
		weights[i] = 100;
		up[i] = true;
	}
	lb_start(bench->lb, weights, up);
	for (size_t i = 0; i < bench->n; i++) {
		uint32_t own = i < n_new ? 0 : usual + rng_below(rng, 1 + usual / 10);

		lb_put(bench->lb, i, own);
		bench->pods[i] = (struct planner_pod){
			.heard = true,
			.own_exact = true,
			.age_ms = i < n_new ? 0 : 1000000,
			.configured = 100,
			.capacity = 100,
		};
	}
}

static void plan(struct bench *bench)
{
	struct planner_summary summary;
	double key = (double)INFINITY;

	for (size_t i = 0; i < bench->n; i++) {
		struct planner_pod *pod = &bench->pods[i];

		pod->own = pod->own_then = bench->lb->served[i];
		pod->count = pod->own * bench->params.replicas;
		pod->age_ms += 1000;
	}
	ck_assert(planner_plan(&bench->params, bench->pods, bench->n, bench->results, &summary));
	for (size_t i = 0; i < bench->n; i++) {
		lb_set_weight(bench->lb, i, bench->results[i].weight);
		if (bench->results[i].weight > 1)
			key = fmin(key, (bench->pods[i].own + 1.0) / bench->results[i].weight);
	}
	for (size_t i = 0; i < bench->n; i++)
		bench->free_of[i] =
			bench->results[i].weight > 1
				? 0.0
				: fmax(bench->free_of[i], ceil(key) - (double)bench->pods[i].own);
}

/* Some connections come, more or fewer than the planner was told to expect. */
static void let_come(struct bench *bench, uint32_t n)
{
	uint32_t taken[PODS_MAX] = {0};

	for (uint32_t k = 0; k < n; k++) {
		int taker = lb_take(bench->lb, NULL);

		taken[taker]++;
		for (size_t i = 0; i < bench->n; i++) {
			bench->balance[i] += ((int)i == taker) - bench->results[i].share_limit;
			bench->excess[i] =
				fmax(bench->excess[i], bench->balance[i] - bench->least[i]);
			bench->least[i] = fmin(bench->least[i], bench->balance[i]);
		}
	}
	for (size_t i = 0; i < bench->n; i++)
		bench->pods[i].credit = limits_credit(
			bench->pods[i].credit, bench->results[i].share_limit, n, taken[i]);
}

/*
 * Over the limit a pod may have what it earned in one interval, one that it had saved, and three
 * that whole numbers cost: leastconn's keys, a server's first connection, which comes whatever its
 * weight, and roundrobin's places while weights change. And what the least weight lets it take.
 */
static void limits_hold(enum lb_algo algo, uint64_t round)
{
	struct rng rng;
	struct bench bench;
	double most = 0.0;
	double bound;
	size_t worst = 0;

	rng_init(&rng, seed, round);
	setup(&bench, &rng, algo);
	uint32_t usual = rng_below(&rng, 40);

	for (int k = 0; k < PLANS; k++) {
		uint32_t n = rng_below(&rng, 10) ? usual : rng_below(&rng, 400);

		bench.params.arrivals = (double)usual * bench.params.replicas;
		plan(&bench);
		let_come(&bench, n);
		most = fmax(most, n);
	}
	lb_free(bench.lb);
	for (size_t i = 1; i < bench.n; i++) {
		if (bench.excess[i] - bench.free_of[i] > bench.excess[worst] - bench.free_of[worst])
			worst = i;
	}
	bound = bench.params.max_share > 0.0 ? bench.params.max_share * most : most;
	ck_assert_msg(bench.excess[worst] <= bound + 4.0 + bench.free_of[worst],
		"SEED=%llu round %llu pod %zu: %g over its limit, %g in an interval",
		(unsigned long long)seed, (unsigned long long)round, worst, bench.excess[worst],
		most);
}

START_TEST(leastconn_keeps_limits_for_connections_in_a_row)
{
	limits_hold(LB_LEASTCONN, (uint64_t)_i);
}
END_TEST

START_TEST(roundrobin_keeps_limits_for_connections_in_a_row)
{
	limits_hold(LB_ROUNDROBIN, (uint64_t)_i);
}
END_TEST

/* However many come before the next plan, the pod takes what it may and then waits for its turn. */
START_TEST(a_flood_before_the_next_plan_does_not_reach_a_new_pod)
{
	struct rng rng;
	struct bench bench;

	rng_init(&rng, seed, 1000 + (uint64_t)_i);
	setup(&bench, &rng, LB_LEASTCONN);
	bench.params.ramp_ms = 30000;
	bench.params.max_share = 0.0;
	for (size_t i = 0; i < bench.n; i++)
		bench.pods[i].age_ms = i == 0 ? 2000 : 1000000;
	plan(&bench);
	let_come(&bench, 5000);
	/* A tenth is its limit. */
	ck_assert_double_eq_tol(bench.results[0].share_limit, 0.1, 1e-9);
	lb_free(bench.lb);
	ck_assert_msg(bench.excess[0] <= 4.0 + bench.free_of[0], "SEED=%llu round %d: %g",
		(unsigned long long)seed, _i, bench.excess[0]);
}
END_TEST

int main(void)
{
	const char *text = getenv("SEED");

	seed = text ? strtoull(text, NULL, 10) : 1;
	printf("SEED=%llu\n", (unsigned long long)seed);

	Suite *suite = suite_create("share");
	TCase *tcase = tcase_create("share");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_test(tcase, a_pod_warms_up_evenly);
	tcase_add_test(tcase, max_share_is_off_outside_0_and_1);
	tcase_add_test(tcase, credit_is_earned_by_what_comes_and_saved_for_one_interval);
	tcase_add_loop_test(tcase, leastconn_keeps_limits_for_connections_in_a_row, 0, ROUNDS);
	tcase_add_loop_test(tcase, roundrobin_keeps_limits_for_connections_in_a_row, 0, ROUNDS);
	tcase_add_loop_test(
		tcase, a_flood_before_the_next_plan_does_not_reach_a_new_pod, 0, ROUNDS);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
