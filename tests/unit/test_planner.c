/* SPDX-License-Identifier: MIT */
/* The planner's promises. */
#include <check.h>
#include <stdlib.h>

#include "core/planner.h"

static struct planner_params params_stock(void)
{
	return (struct planner_params){
		.mode = PLANNER_STOCK,
		.replicas = 1,
		.fresh_ms = 2500,
		.cache_ttl_ms = 30000,
		.arrivals = 0,
	};
}

static struct planner_pod pod_heard(uint32_t count, uint32_t own)
{
	return (struct planner_pod){
		.heard = true,
		.own_exact = true,
		.count = count,
		.own = own,
		.own_then = own,
		.configured = 100,
		.capacity = 100,
	};
}

START_TEST(equal_pods_get_equal_weights)
{
	struct planner_params params = params_stock();
	struct planner_pod pods[3] = {pod_heard(50, 50), pod_heard(50, 50), pod_heard(50, 50)};
	struct planner_result results[3];
	struct planner_summary summary;

	ck_assert(planner_plan(&params, pods, 3, results, &summary));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(results[i].weight, 256);
	ck_assert_double_eq_tol(summary.imbalance, 0.0, 1e-9);
}
END_TEST

/* A reload after a scale-out: own is 0 everywhere, the pods know better. */
START_TEST(after_a_reload_the_empty_pod_gets_the_largest_weight)
{
	struct planner_params params = params_stock();
	struct planner_pod pods[3] = {pod_heard(100, 0), pod_heard(100, 0), pod_heard(10, 0)};
	struct planner_result results[3];
	struct planner_summary summary;

	ck_assert(planner_plan(&params, pods, 3, results, &summary));
	ck_assert_int_eq(results[2].weight, 256);
	/* Level 70: the full pods' target is 0, the empty one's 60; (0 + 1) / (60 + 1) * 256. */
	ck_assert_int_eq(results[0].weight, 4);
	ck_assert_double_eq_tol(results[2].target, 60.0, 1e-9);
}
END_TEST

START_TEST(a_draining_pod_gets_weight_0_unless_all_drain)
{
	struct planner_params params = params_stock();
	struct planner_pod pods[2] = {pod_heard(5, 5), pod_heard(5, 5)};
	struct planner_result results[2];
	struct planner_summary summary;

	pods[0].draining = true;
	ck_assert(planner_plan(&params, pods, 2, results, &summary));
	ck_assert_int_eq(results[0].weight, 0);
	ck_assert_int_gt(results[1].weight, 0);
	pods[1].draining = true;
	ck_assert(planner_plan(&params, pods, 2, results, &summary));
	ck_assert_int_gt(results[0].weight, 0);
	ck_assert_int_gt(results[1].weight, 0);
}
END_TEST

START_TEST(fewer_than_half_known_means_configured_weights)
{
	struct planner_params params = params_stock();
	struct planner_pod pods[3] = {pod_heard(5, 5), pod_heard(5, 5), pod_heard(5, 5)};
	struct planner_result results[3];
	struct planner_summary summary;

	pods[0].heard = false;
	pods[1].heard = false;
	ck_assert(planner_plan(&params, pods, 3, results, &summary));
	ck_assert(summary.fallback);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(results[i].weight, 100);
	pods[1].heard = true;
	ck_assert(planner_plan(&params, pods, 3, results, &summary));
	ck_assert(!summary.fallback);
}
END_TEST

START_TEST(a_liar_is_disbelieved_but_not_where_plain_requests_explain_it)
{
	struct planner_params params = params_stock();
	struct planner_pod pods[3] = {pod_heard(0, 100), pod_heard(100, 100), pod_heard(90, 90)};
	struct planner_result results[3];
	struct planner_summary summary;

	ck_assert(planner_plan(&params, pods, 3, results, &summary));
	ck_assert_int_eq(results[0].basis, PLANNER_DISBELIEVED);
	ck_assert_int_eq(results[1].basis, PLANNER_HEARD);
	/* Every pod reports half of what HAProxy holds: plain requests, not lies. */
	pods[0].count = 50;
	pods[1].count = 50;
	pods[2].count = 45;
	ck_assert(planner_plan(&params, pods, 3, results, &summary));
	ck_assert_int_eq(results[0].basis, PLANNER_HEARD);
}
END_TEST

START_TEST(a_stale_count_moves_with_own_and_ends_at_the_ttl)
{
	struct planner_params params = params_stock();
	struct planner_pod pods[2] = {pod_heard(50, 50), pod_heard(50, 50)};
	struct planner_result results[2];
	struct planner_summary summary;

	params.replicas = 2;
	pods[0].count_age_ms = 20000;
	pods[0].own = 60;
	ck_assert(planner_plan(&params, pods, 2, results, &summary));
	ck_assert_int_eq(results[0].basis, PLANNER_STALE);
	ck_assert_double_eq_tol(results[0].count, 60.0, 1e-9);
	pods[0].count_age_ms = 30001;
	ck_assert(planner_plan(&params, pods, 2, results, &summary));
	ck_assert_int_eq(results[0].basis, PLANNER_NEVER_HEARD);
	ck_assert_double_eq_tol(results[0].count, 120.0, 1e-9);
}
END_TEST

START_TEST(flow_fills_the_lowest_pod_first)
{
	struct planner_params params = params_stock();
	struct planner_pod pods[3] = {pod_heard(100, 0), pod_heard(100, 0), pod_heard(10, 0)};
	struct planner_result results[3];
	struct planner_summary summary;

	params.mode = PLANNER_FLOW;
	params.arrivals = 10;
	ck_assert(planner_plan(&params, pods, 3, results, &summary));
	ck_assert_int_eq(results[2].weight, 256);
	ck_assert_int_eq(results[0].weight, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("planner");
	TCase *tcase = tcase_create("planner");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, equal_pods_get_equal_weights);
	tcase_add_test(tcase, after_a_reload_the_empty_pod_gets_the_largest_weight);
	tcase_add_test(tcase, a_draining_pod_gets_weight_0_unless_all_drain);
	tcase_add_test(tcase, fewer_than_half_known_means_configured_weights);
	tcase_add_test(tcase, a_liar_is_disbelieved_but_not_where_plain_requests_explain_it);
	tcase_add_test(tcase, a_stale_count_moves_with_own_and_ends_at_the_ttl);
	tcase_add_test(tcase, flow_fills_the_lowest_pod_first);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
