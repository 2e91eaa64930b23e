/* SPDX-License-Identifier: MIT */
/* What is believed of connections that are not this HAProxy's. */
#include <check.h>
#include <stdlib.h>

#include "core/cluster/others.h"
#include "run.h"

START_TEST(the_first_answer_is_taken_as_it_is)
{
	struct others others = {.known = false};

	others_update(&others, 1, 70, 50, 50, 50);
	ck_assert(others.known);
	ck_assert_double_eq(others.count, 20.0);
}
END_TEST

START_TEST(one_instance_is_not_moved_by_one_odd_reading)
{
	struct others others = {.known = true, .count = 0.0};

	/* A connection ended and another began between two readings of HAProxy; the pod was asked
	 * in between. */
	others_update(&others, 1, 49, 50, 50, 50);
	others_update(&others, 1, 50, 50, 50, 50);
	ck_assert_double_eq(others.count, 0.0);
	others_update(&others, 1, 51, 50, 50, 50);
	others_update(&others, 1, 50, 50, 50, 50);
	ck_assert_double_eq(others.count, 0.0);
}
END_TEST

START_TEST(one_instance_is_moved_by_two_readings_that_agree)
{
	struct others others = {.known = true, .count = 0.0};

	others_update(&others, 1, 50, 50, 50, 50);
	others_update(&others, 1, 60, 50, 50, 50);
	ck_assert_double_eq(others.count, 0.0);
	others_update(&others, 1, 57, 50, 50, 50);
	ck_assert_double_eq(others.count, 7.0);
}
END_TEST

/* Half of all connections breaks between two readings: before or after the pod counted? */
START_TEST(a_storm_does_not_look_like_connections_from_outside)
{
	struct others others = {.known = true, .count = 0.0};

	others_update(&others, 1, 100, 100, 50, 75);
	others_update(&others, 1, 50, 50, 50, 50);
	ck_assert_double_eq(others.count, 0.0);
}
END_TEST

START_TEST(with_several_instances_each_reading_counts)
{
	struct others others = {.known = true, .count = 0.0};

	others_update(&others, 3, 151, 50, 52, 51);
	ck_assert_double_eq(others.count, 100.0);
	others_update(&others, 3, 140, 52, 52, 52);
	ck_assert_double_eq(others.count, 88.0);
}
END_TEST

START_TEST(after_a_reload_the_old_workers_connections_come_from_outside)
{
	struct others others = {.known = true, .count = 5.0};

	others_reload(&others, 40);
	ck_assert_double_eq(others.count, 45.0);
	others_update(&others, 1, 46, 0, 1, 1);
	ck_assert_double_eq(others.count, 45.0);
}
END_TEST

START_TEST(sessions_of_the_pod_before_are_not_the_new_pods)
{
	struct others others = {.known = true, .count = 5.0};

	others_new_pod(&others, 30);
	ck_assert_double_eq(others.count, -30.0);
	others_update(&others, 1, 2, 30, 32, 32);
	ck_assert_double_eq(others.count, -30.0);
	others_update(&others, 1, 3, 32, 33, 33);
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
		{after_a_reload_the_old_workers_connections_come_from_outside, ONCE},
		{sessions_of_the_pod_before_are_not_the_new_pods, ONCE},
	};

	return run_suite("others", tests, N_OF(tests));
}
