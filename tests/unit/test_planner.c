/* SPDX-License-Identifier: MIT */
/* The planner's promises. */
#include <check.h>
#include <stdlib.h>

#include "core/plan/planner.h"
#include "run.h"

enum { PODS_MAX = 10 };

/* What one call of the planner is given, and what it says. */
static struct planner_params params;
static struct planner_pod pods[PODS_MAX];
static size_t n_pods;
static struct planner_result results[PODS_MAX];
static struct planner_summary summary;

static void setup(void)
{
	params = (struct planner_params){
		.mode = PLANNER_STOCK,
		.replicas = 1,
		.fresh_ms = 2500,
		.cache_ttl_ms = 30000,
		.arrivals = 0,
	};
	n_pods = 0;
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

static void add_heard(uint32_t count, uint32_t own)
{
	pods[n_pods++] = pod_heard(count, own);
}

static void plan(void)
{
	ck_assert(planner_plan(&params, pods, n_pods, results, &summary));
}

START_TEST(equal_pods_get_equal_weights)
{
	add_heard(50, 50);
	add_heard(50, 50);
	add_heard(50, 50);
	plan();
	ck_assert_int_gt(results[0].weight, 16);
	for (int i = 1; i < 3; i++)
		ck_assert_int_eq(results[i].weight, results[0].weight);
	ck_assert_double_eq_tol(summary.imbalance, 0.0, 1e-9);
}
END_TEST

/* HAProxy has reloaded: three pods are level, of the fourth nobody knows anything. */
START_TEST(a_pod_that_is_not_heard_gets_what_the_others_get)
{
	add_heard(100, 3);
	add_heard(100, 3);
	add_heard(100, 3);
	add_heard(100, 3);
	pods[3].heard = false;
	params.growth = 6.0;
	for (int mode = PLANNER_STOCK; mode <= PLANNER_FLOW; mode++) {
		params.mode = (enum planner_mode)mode;
		params.arrivals = 6.0;
		plan();
		ck_assert_int_eq(results[3].basis, PLANNER_NEVER_HEARD);
		ck_assert(results[3].reckoned);
		ck_assert_double_eq_tol(results[3].count, 3.0, 1e-9);
		ck_assert_int_eq(results[3].weight, results[0].weight);
	}
	/* One that has more here than the others gets less, as leastconn would have it. */
	pods[3].own = 9;
	params.mode = PLANNER_STOCK;
	plan();
	ck_assert_double_eq_tol(results[3].target, results[0].target, 1e-9);
	params.mode = PLANNER_FLOW;
	plan();
	ck_assert_int_lt(results[3].weight, results[0].weight);
	/* It says nothing about balance. */
	ck_assert_double_eq_tol(summary.imbalance, 0.0, 1e-9);
	ck_assert_double_eq_tol(summary.level, 1.0, 1e-9);
}
END_TEST

START_TEST(a_loud_voice_takes_only_itself_out)
{
	add_heard(100, 100);
	add_heard(100, 100);
	add_heard(300, 100);
	add_heard(2147483647, 100);
	plan();
	/* 400 are this HAProxy's; 200 of the third pod's are not. */
	ck_assert_double_eq_tol(results[0].target, 200.0, 1e-6);
	ck_assert_double_eq_tol(results[2].target, 0.0, 1e-6);
	ck_assert_double_eq_tol(results[3].target, 0.0, 1e-6);
	params.mode = PLANNER_FLOW;
	plan();
	ck_assert_int_eq(results[0].weight, 256);
	ck_assert_int_eq(results[2].weight, 1);
}
END_TEST

/* With agent-check alone: nobody knows whether it is true that a pod has none. */
START_TEST(without_haproxys_word_no_pod_gets_more_than_three_shares)
{
	double sum = 0.0;

	params.mode = PLANNER_FLOW;
	params.own_unknown = true;
	for (int i = 0; i < 10; i++)
		add_heard(i == 0 ? 0 : 100, 0);
	plan();
	for (int i = 0; i < 10; i++)
		sum += results[i].weight;
	ck_assert_double_eq_tol(results[0].weight / sum, 0.3, 0.02);
	/* maxShare may set it lower. */
	params.max_share = 0.2;
	plan();
	sum = 0.0;
	for (int i = 0; i < 10; i++)
		sum += results[i].weight;
	ck_assert_double_eq_tol(results[0].weight / sum, 0.2, 0.02);
}
END_TEST

/* Two lines of this HAProxy's lead to each pod, and hold half of what it has; one pod lacks 60. */
START_TEST(lines_of_one_pod_share_what_it_lacks)
{
	for (int i = 0; i < 4; i++) {
		add_heard(i < 2 ? 100 : 40, i < 2 ? 50 : 20);
		pods[i].part = 0.5;
		pods[i].has_others = true;
		/* What the pod's other line holds. */
		pods[i].others = pods[i].own;
	}
	plan();
	ck_assert_double_eq_tol(summary.level, 0.7, 1e-9);
	for (int i = 0; i < 4; i++)
		ck_assert_double_eq_tol(results[i].target, 35.0, 1e-9);
}
END_TEST

/* It joined before a reload, and most of what came since is its own: should the old workers end
 * now, it must not get all that they held. */
START_TEST(a_pod_that_lacks_nothing_claims_no_more_than_others)
{
	for (int i = 0; i < 5; i++)
		add_heard(100, 3);
	add_heard(100, 60);
	plan();
	ck_assert_int_eq(results[5].weight, results[0].weight);
	/* What it lacks it gets, with the weight that this takes. */
	pods[5].count = 90;
	plan();
	ck_assert_int_ge(results[5].weight, 10 * results[0].weight);
}
END_TEST

/* A reload after a scale-out: own is 0 everywhere, the pods know better. */
START_TEST(after_a_reload_the_empty_pod_gets_the_largest_weight)
{
	add_heard(100, 0);
	add_heard(100, 0);
	add_heard(10, 0);
	plan();
	ck_assert_double_eq_tol(summary.level, 70.0 / 100.0, 1e-9);
	ck_assert_double_eq_tol(results[2].deficit, 60.0, 1e-9);
	/* While nothing comes it would get some ten before a full one gets its second. */
	ck_assert_int_ge(results[2].weight, 5 * results[0].weight);
	/* All that comes until the next plan is the empty one's. */
	params.growth = 20.0;
	plan();
	ck_assert_double_eq_tol(results[2].target, 20.0, 1e-9);
	ck_assert_double_eq_tol(results[0].target, 0.0, 1e-9);
	ck_assert_int_ge(results[2].weight, 30 * results[0].weight);
}
END_TEST

START_TEST(a_draining_pod_gets_weight_0_unless_all_drain)
{
	add_heard(5, 5);
	add_heard(5, 5);
	pods[0].draining = true;
	plan();
	ck_assert_int_eq(results[0].weight, 0);
	ck_assert_int_gt(results[1].weight, 0);
	pods[1].draining = true;
	plan();
	ck_assert_int_gt(results[0].weight, 0);
	ck_assert_int_gt(results[1].weight, 0);
}
END_TEST

START_TEST(fewer_than_half_known_means_configured_weights)
{
	add_heard(5, 5);
	add_heard(5, 5);
	add_heard(5, 5);
	pods[0].heard = false;
	pods[1].heard = false;
	plan();
	ck_assert(summary.fallback);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(results[i].weight, 100);
	pods[1].heard = true;
	plan();
	ck_assert(!summary.fallback);
}
END_TEST

START_TEST(a_liar_is_disbelieved_but_not_where_plain_requests_explain_it)
{
	add_heard(0, 100);
	add_heard(100, 100);
	add_heard(90, 90);
	plan();
	ck_assert_int_eq(results[0].basis, PLANNER_DISBELIEVED);
	ck_assert_int_eq(results[1].basis, PLANNER_HEARD);
	/* Every pod reports half of what HAProxy holds: plain requests, not lies. */
	pods[0].count = 50;
	pods[1].count = 50;
	pods[2].count = 45;
	plan();
	ck_assert_int_eq(results[0].basis, PLANNER_HEARD);
}
END_TEST

/* A pod says 3 and was caught; HAProxy reloads, and holds nothing on it to catch it by. */
START_TEST(a_liar_is_not_believed_again_because_haproxy_has_reloaded)
{
	add_heard(3, 0);
	add_heard(50, 0);
	add_heard(50, 0);
	pods[0].doubted = true;
	plan();
	ck_assert_int_eq(results[0].basis, PLANNER_DISBELIEVED);
	/* It says what is true once there is enough to tell. */
	for (int i = 0; i < 3; i++)
		pods[i].own = pods[i].own_then = 10;
	pods[0].count = 9;
	plan();
	ck_assert_int_eq(results[0].basis, PLANNER_HEARD);
}
END_TEST

/* Own at the moment of its count is known the less the faster it fills, which is no proof of a lie
 * to start with, and none of the truth either. */
START_TEST(a_rush_makes_no_liar_believed_that_was_caught)
{
	static const uint32_t rush[] = {0, 5, 10, 15, 30, 60, 10, 8};

	add_heard(3, 0);
	add_heard(50, 0);
	add_heard(50, 0);
	pods[0].doubted = true;
	for (int i = 1; i < N_OF(rush); i++) {
		for (size_t k = 0; k < 3; k++) {
			pods[k].own_then = rush[i - 1];
			pods[k].own = rush[i];
			pods[k].count = k == 0 ? 3 : 50 + rush[i - 1];
		}
		plan();
		ck_assert_msg(results[0].basis == PLANNER_DISBELIEVED, "%u", rush[i]);
		ck_assert_int_eq(results[1].basis, PLANNER_HEARD);
		ck_assert_int_le(results[0].weight, results[1].weight);
	}
}
END_TEST

START_TEST(a_stale_count_moves_with_own_and_ends_at_the_ttl)
{
	add_heard(50, 50);
	add_heard(50, 50);
	params.replicas = 2;
	pods[0].count_age_ms = 20000;
	pods[0].own = 60;
	plan();
	ck_assert_int_eq(results[0].basis, PLANNER_STALE);
	/* 10 more here; the other instance has done as much, as far as that is beyond chance:
	 * 10 * (1 - ((sqrt(10) + 1) / 2 / 10)^2). */
	ck_assert_double_eq_tol(results[0].count, 69.5669, 1e-3);
	pods[0].count_age_ms = 30001;
	plan();
	ck_assert_int_eq(results[0].basis, PLANNER_NEVER_HEARD);
	/* Its last count, and what is more here. */
	ck_assert_double_eq_tol(results[0].count, 60.0, 1e-9);
	ck_assert(results[0].reckoned);
}
END_TEST

START_TEST(flow_fills_the_lowest_pod_first)
{
	add_heard(100, 0);
	add_heard(100, 0);
	add_heard(10, 0);
	params.mode = PLANNER_FLOW;
	params.arrivals = 10;
	plan();
	ck_assert_int_eq(results[2].weight, 256);
	ck_assert_int_eq(results[0].weight, 1);
}
END_TEST

/* Nobody tells what comes, so what comes may be anything: the lowest pod must not get it all. */
START_TEST(with_agent_check_alone_flow_pours_by_what_the_pods_have)
{
	int sum = 0;

	add_heard(100, 0);
	add_heard(101, 0);
	add_heard(99, 0);
	add_heard(96, 0);
	params.mode = PLANNER_FLOW;
	params.own_unknown = true;
	plan();
	for (int i = 0; i < 4; i++)
		sum += results[i].weight;
	ck_assert_int_eq(results[3].weight, 256);
	ck_assert_int_lt(results[3].weight, sum / 2);
}
END_TEST

START_TEST(what_came_by_other_doors_counts_as_believed)
{
	add_heard(50, 50);
	add_heard(50, 50);
	/* The reading says 51, and is not believed yet. */
	pods[0].count = 51;
	pods[0].has_others = true;
	pods[0].others = 0.0;
	plan();
	ck_assert_double_eq_tol(results[0].count, 50.0, 1e-9);
	ck_assert_int_eq(results[0].weight, results[1].weight);
}
END_TEST

START_TEST(a_connection_lost_and_not_replaced_is_remembered)
{
	add_heard(100, 10);
	add_heard(101, 11);
	params.replicas = 10;
	pods[0].planned = pods[1].planned = true;
	pods[0].target_then = pods[1].target_then = 11.0;
	plan();
	/* By the deficit alone it would be a tenth of half a connection. */
	ck_assert_double_gt(results[0].target, 10.4);
	ck_assert_double_lt(results[0].target, 11.0);
	/* A single instance sees all of it in the deficit. */
	params.replicas = 1;
	plan();
	ck_assert_double_eq_tol(results[0].target, 10.5, 1e-9);
}
END_TEST

START_TEST(a_small_liar_is_disbelieved_too)
{
	add_heard(0, 6);
	add_heard(60, 6);
	add_heard(60, 6);
	params.replicas = 10;
	plan();
	ck_assert_int_eq(results[0].basis, PLANNER_DISBELIEVED);
	/* Nothing is planned with it: what it is shown to have is what is certain. */
	ck_assert_double_eq_tol(results[0].count, 6.0, 1e-9);
	ck_assert(results[0].reckoned && !results[1].reckoned);
	/* Six that came a moment ago may not be in its count yet. */
	pods[0].own_then = 2;
	plan();
	ck_assert_int_eq(results[0].basis, PLANNER_HEARD);
}
END_TEST

START_TEST(at_the_level_weights_are_in_the_ratio_of_capacities)
{
	add_heard(50, 50);
	add_heard(100, 100);
	add_heard(150, 150);
	pods[0].capacity = 50;
	pods[1].capacity = 100;
	pods[2].capacity = 150;
	plan();
	ck_assert_int_eq(results[1].weight, 2 * results[0].weight);
	ck_assert_int_eq(results[2].weight, 3 * results[0].weight);
	ck_assert_double_eq_tol(summary.imbalance, 0.0, 1e-9);
}
END_TEST

START_TEST(flow_makes_up_for_a_pod_whose_connections_close_sooner)
{
	add_heard(100, 100);
	add_heard(100, 100);
	params.mode = PLANNER_FLOW;
	params.arrivals = 20;
	pods[0].leaving = 18;
	pods[1].leaving = 2;
	plan();
	ck_assert_int_eq(results[0].weight, 256);
	ck_assert_int_lt(results[1].weight, 128);
}
END_TEST

START_TEST(a_pod_that_warms_up_has_the_part_of_its_age)
{
	add_heard(50, 50);
	add_heard(50, 50);
	add_heard(0, 0);
	params.ramp_ms = 30000;
	params.max_share = 0.8;
	pods[0].age_ms = pods[1].age_ms = 1000000;
	pods[2].age_ms = 12000;
	plan();
	ck_assert_double_eq_tol(results[2].ramp, 0.4, 1e-9);
	ck_assert_double_eq_tol(results[2].share_limit, 0.32, 1e-9);
	ck_assert_double_eq_tol(results[0].share_limit, 0.8, 1e-9);
}
END_TEST

START_TEST(limits_that_leave_connections_without_a_pod_are_raised)
{
	add_heard(0, 0);
	add_heard(0, 0);
	params.ramp_ms = 30000;
	for (int age_ms = 0; age_ms <= 3000; age_ms += 1500) {
		pods[0].age_ms = pods[1].age_ms = age_ms;
		plan();
		ck_assert_double_ge(results[0].share_limit + results[1].share_limit, 1.0 - 1e-9);
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{equal_pods_get_equal_weights, ONCE},
		{a_pod_that_lacks_nothing_claims_no_more_than_others, ONCE},
		{after_a_reload_the_empty_pod_gets_the_largest_weight, ONCE},
		{a_pod_that_is_not_heard_gets_what_the_others_get, ONCE},
		{a_loud_voice_takes_only_itself_out, ONCE},
		{a_liar_is_not_believed_again_because_haproxy_has_reloaded, ONCE},
		{a_rush_makes_no_liar_believed_that_was_caught, ONCE},
		{without_haproxys_word_no_pod_gets_more_than_three_shares, ONCE},
		{lines_of_one_pod_share_what_it_lacks, ONCE},
		{a_draining_pod_gets_weight_0_unless_all_drain, ONCE},
		{fewer_than_half_known_means_configured_weights, ONCE},
		{a_liar_is_disbelieved_but_not_where_plain_requests_explain_it, ONCE},
		{a_stale_count_moves_with_own_and_ends_at_the_ttl, ONCE},
		{flow_fills_the_lowest_pod_first, ONCE},
		{with_agent_check_alone_flow_pours_by_what_the_pods_have, ONCE},
		{what_came_by_other_doors_counts_as_believed, ONCE},
		{a_connection_lost_and_not_replaced_is_remembered, ONCE},
		{a_small_liar_is_disbelieved_too, ONCE},
		{at_the_level_weights_are_in_the_ratio_of_capacities, ONCE},
		{flow_makes_up_for_a_pod_whose_connections_close_sooner, ONCE},
		{a_pod_that_warms_up_has_the_part_of_its_age, ONCE},
		{limits_that_leave_connections_without_a_pod_are_raised, ONCE},
	};

	return run_suite_with("planner", setup, NULL, tests, N_OF(tests));
}
