/* SPDX-License-Identifier: MIT */
/* What is believed of connections that are not this HAProxy's. */
#include <check.h>
#include <stdlib.h>

#include "core/cluster/others.h"
#include "run.h"

/* The pod was heard half way between two readings of HAProxy, in which nothing came and went but
 * what own shows. */
static void hear(struct others *others, unsigned replicas, uint32_t count, uint32_t own_before,
	uint32_t own, double own_then)
{
	struct others_reading reading = {
		.replicas = replicas,
		.stock = true,
		.count = count,
		.own_before = own_before,
		.own = own,
		.own_then = own_then,
		.part = 0.5,
	};

	others_update(others, &reading);
}

START_TEST(the_first_answer_is_taken_as_it_is)
{
	struct others others = {.known = false};

	hear(&others, 1, 70, 50, 50, 50);
	ck_assert(others.known);
	ck_assert_double_eq(others.count, 20.0);
}
END_TEST

START_TEST(one_instance_is_not_moved_by_one_odd_reading)
{
	struct others others = {.known = true, .count = 0.0};

	/* A connection ended and another began between two readings of HAProxy; the pod was asked
	 * in between. */
	hear(&others, 1, 49, 50, 50, 50);
	hear(&others, 1, 50, 50, 50, 50);
	ck_assert_double_eq(others.count, 0.0);
	hear(&others, 1, 51, 50, 50, 50);
	hear(&others, 1, 50, 50, 50, 50);
	ck_assert_double_eq(others.count, 0.0);
}
END_TEST

START_TEST(one_instance_is_moved_by_two_readings_that_agree)
{
	struct others others = {.known = true, .count = 0.0};

	hear(&others, 1, 50, 50, 50, 50);
	hear(&others, 1, 60, 50, 50, 50);
	ck_assert_double_eq(others.count, 0.0);
	hear(&others, 1, 57, 50, 50, 50);
	ck_assert_double_gt(others.count, 3.0);
	hear(&others, 1, 57, 50, 50, 50);
	hear(&others, 1, 57, 50, 50, 50);
	hear(&others, 1, 57, 50, 50, 50);
	ck_assert_double_eq_tol(others.count, 7.0, 0.5);
}
END_TEST

/* Half of all connections breaks between two readings: before or after the pod counted? */
START_TEST(a_storm_does_not_look_like_connections_from_outside)
{
	struct others others = {.known = true, .count = 0.0};

	hear(&others, 1, 100, 100, 50, 75);
	hear(&others, 1, 50, 50, 50, 50);
	ck_assert_double_eq(others.count, 0.0);
}
END_TEST

START_TEST(with_several_instances_each_reading_counts)
{
	struct others others = {.known = true, .count = 0.0};

	hear(&others, 3, 151, 50, 52, 51);
	ck_assert_double_eq_tol(others.count, 100.0, 10.0);
	hear(&others, 3, 140, 52, 52, 52);
	ck_assert_double_eq(others.count, 88.0);
}
END_TEST

/* An old worker ends, or another door closes: what it held is gone from the pod at once. */
START_TEST(one_instance_lets_go_of_what_one_reading_makes_certain)
{
	struct others others = {.known = true, .count = 90.0};

	hear(&others, 1, 11, 10, 12, 11);
	ck_assert_double_eq(others.count, 0.0);
}
END_TEST

/* Where connections live for a second, what a reading is off by is chance. */
START_TEST(turnover_is_not_taken_for_others)
{
	struct others others = {.known = true, .count = 0.0};
	struct others_reading reading = {
		.replicas = 1,
		.stock = true,
		.own_before = 100,
		.own = 100,
		.own_then = 100,
		.part = 0.9,
		.turnover = 200.0,
	};

	for (int i = 0; i < 4; i++) {
		reading.count = 104;
		others_update(&others, &reading);
	}
	ck_assert_double_gt(others.count, 0.0);
	ck_assert_double_lt(others.count, 1.5);
}
END_TEST

/* An empty pod fills here and, unseen, in the other instance; the pod was heard when it had less
 * than both together had given it. */
START_TEST(in_a_rush_instances_are_taken_to_be_alike)
{
	struct others others = {.known = true, .count = 13.0, .at = 14.0};

	hear(&others, 2, 36, 14, 59, 31);
	ck_assert_double_gt(others.count, 15.0);
	ck_assert_double_lt(others.count, 30.0);
}
END_TEST

/* Where weights share out what comes, a burst of it goes to whatever pods each instance took for
 * the lowest, and what one of them did says nothing of the next. */
START_TEST(by_flow_a_reading_is_believed_in_a_rush_too)
{
	struct others others = {.known = true, .count = 13.0, .at = 14.0};
	struct others_reading reading = {
		.replicas = 2,
		.count = 36,
		.own_before = 14,
		.own = 59,
		.own_then = 31,
		.part = 0.5,
	};

	others_update(&others, &reading);
	ck_assert_double_eq(others.count, 5.0);
}
END_TEST

START_TEST(after_an_absence_a_pod_is_empty)
{
	struct others others = {.known = true, .count = 74.0, .at = 80.0};

	others_empty(&others);
	hear(&others, 2, 0, 0, 0, 0);
	ck_assert_double_eq(others.count, 0.0);
	/* But for what a reading makes certain. */
	hear(&others, 2, 80, 0, 0, 0);
	ck_assert_double_eq(others.count, 80.0);
}
END_TEST

START_TEST(after_a_reload_the_old_workers_connections_come_from_outside)
{
	struct others others = {.known = true, .count = 5.0};

	others_reload(&others, 40);
	ck_assert_double_eq(others.count, 45.0);
	hear(&others, 1, 46, 0, 1, 1);
	ck_assert_double_eq(others.count, 45.0);
}
END_TEST

START_TEST(sessions_of_the_pod_before_are_not_the_new_pods)
{
	struct others others = {.known = true, .count = 5.0};

	others_new_pod(&others, 30);
	ck_assert_double_eq(others.count, -30.0);
	hear(&others, 1, 2, 30, 32, 32);
	ck_assert_double_eq(others.count, -30.0);
	hear(&others, 1, 3, 32, 33, 33);
	ck_assert_double_eq(others.count, -30.0);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{the_first_answer_is_taken_as_it_is, ONCE},
		{one_instance_is_not_moved_by_one_odd_reading, ONCE},
		{one_instance_is_moved_by_two_readings_that_agree, ONCE},
		{a_storm_does_not_look_like_connections_from_outside, ONCE},
		{with_several_instances_each_reading_counts, ONCE},
		{one_instance_lets_go_of_what_one_reading_makes_certain, ONCE},
		{turnover_is_not_taken_for_others, ONCE},
		{in_a_rush_instances_are_taken_to_be_alike, ONCE},
		{by_flow_a_reading_is_believed_in_a_rush_too, ONCE},
		{after_an_absence_a_pod_is_empty, ONCE},
		{after_a_reload_the_old_workers_connections_come_from_outside, ONCE},
		{sessions_of_the_pod_before_are_not_the_new_pods, ONCE},
	};

	return run_suite("others", tests, N_OF(tests));
}
