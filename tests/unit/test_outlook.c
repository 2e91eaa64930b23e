/* SPDX-License-Identifier: MIT */
/* How long until balance. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/plan/outlook.h"
#include "run.h"

enum { MAX_PODS = 12 };

static struct outlook look(const double *counts, size_t n, double arrivals_per_s)
{
	struct planner_pod pods[MAX_PODS];
	struct planner_result results[MAX_PODS];

	for (size_t i = 0; i < n; i++) {
		pods[i] = (struct planner_pod){.capacity = 100};
		results[i] = (struct planner_result){.basis = PLANNER_HEARD, .count = counts[i]};
	}
	return outlook_of(pods, results, n, arrivals_per_s);
}

START_TEST(new_pods_are_full_when_as_many_have_come_as_they_lack)
{
	static const double counts[] = {100, 100, 100, 100, 100, 100, 100, 100, 0, 0};
	struct outlook outlook = look(counts, 10, 8.0);

	ck_assert_int_eq(outlook.verdict, OUTLOOK_FILLING);
	ck_assert_double_eq_tol(outlook.deficit, 160.0, 1e-9);
	ck_assert_double_eq_tol(outlook.seconds, 20.0, 1e-9);
}
END_TEST

START_TEST(a_pod_that_sticks_out_only_loses_by_closing)
{
	static const double counts[] = {200, 100, 100, 100, 100, 100, 100, 100, 100, 100};
	struct outlook outlook = look(counts, 10, 10.0);

	ck_assert_int_eq(outlook.verdict, OUTLOOK_ONLY_CLOSING);
	ck_assert_double_eq_tol(outlook.deficit, 90.0, 1e-9);
	/* 200 / 1.05 for each of ten, less the 1,100 that are there. */
	ck_assert_double_eq_tol(outlook.alone, 2000.0 / 1.05 - 1100.0, 1e-9);
}
END_TEST

START_TEST(where_many_come_a_pod_that_sticks_out_is_caught_up_with)
{
	static const double counts[] = {36, 31, 31, 32};

	ck_assert_int_eq(look(counts, 4, 0.1).verdict, OUTLOOK_ONLY_CLOSING);
	/* Seven more would do. */
	ck_assert_int_eq(look(counts, 4, 1.0).verdict, OUTLOOK_FILLING);
}
END_TEST

START_TEST(without_arrivals_only_closing_helps)
{
	static const double counts[] = {100, 100, 0};
	struct outlook outlook = look(counts, 3, 0.0);

	ck_assert_int_eq(outlook.verdict, OUTLOOK_ONLY_CLOSING);
	ck_assert(isinf(outlook.seconds));
}
END_TEST

START_TEST(a_small_difference_is_balance)
{
	static const double counts[] = {102, 100, 98};
	struct outlook outlook = look(counts, 3, 1.0);

	ck_assert_int_eq(outlook.verdict, OUTLOOK_BALANCED);
	ck_assert_double_eq(outlook.alone, 0.0);
}
END_TEST

START_TEST(nothing_at_all_is_balanced)
{
	struct outlook outlook = look(NULL, 0, 1.0);
	static const double counts[] = {0, 0};

	ck_assert_int_eq(outlook.verdict, OUTLOOK_BALANCED);
	ck_assert_double_eq(outlook.seconds, 0.0);
	outlook = look(counts, 2, 0.0);
	ck_assert_int_eq(outlook.verdict, OUTLOOK_BALANCED);
}
END_TEST

START_TEST(draining_pods_are_left_out)
{
	struct planner_pod pods[3] = {{.capacity = 1}, {.capacity = 1}, {.capacity = 1}};
	struct planner_result results[3] = {
		{.basis = PLANNER_HEARD, .count = 10},
		{.basis = PLANNER_HEARD, .count = 10},
		{.basis = PLANNER_DRAINING, .count = 500},
	};

	ck_assert_int_eq(outlook_of(pods, results, 3, 1.0).verdict, OUTLOOK_BALANCED);
}
END_TEST

START_TEST(every_verdict_has_words)
{
	ck_assert_str_eq(outlook_verdict_name(OUTLOOK_BALANCED), "balanced");
	ck_assert_str_eq(outlook_verdict_name(OUTLOOK_FILLING), "filling");
	ck_assert_str_eq(
		outlook_verdict_name(OUTLOOK_ONLY_CLOSING), "only closing connections can help");
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{new_pods_are_full_when_as_many_have_come_as_they_lack, ONCE},
		{a_pod_that_sticks_out_only_loses_by_closing, ONCE},
		{where_many_come_a_pod_that_sticks_out_is_caught_up_with, ONCE},
		{without_arrivals_only_closing_helps, ONCE},
		{a_small_difference_is_balance, ONCE},
		{nothing_at_all_is_balanced, ONCE},
		{draining_pods_are_left_out, ONCE},
		{every_verdict_has_words, ONCE},
	};

	return run_suite("outlook", tests, N_OF(tests));
}
