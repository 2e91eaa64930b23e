/* SPDX-License-Identifier: MIT */
/* How long connections live. */
#include <check.h>
#include <stdlib.h>

#include "core/cluster/lives.h"
#include "run.h"

START_TEST(nothing_is_known_at_first)
{
	struct lives lives = {.primed = false};

	ck_assert_double_eq(lives_closing(&lives), 0.0);
	lives_update(&lives, 5.0, 100.0, 1000);
	ck_assert_double_eq(lives_closing(&lives), 0.0);
}
END_TEST

/* 100 connections, two of which close in a second. */
static void watch(struct lives *lives, int64_t from_ms, int64_t to_ms)
{
	for (int64_t now_ms = from_ms; now_ms <= to_ms; now_ms += 1000)
		lives_update(lives, 2.0, 99.0, now_ms);
}

START_TEST(it_is_the_part_that_closes_in_a_second)
{
	struct lives lives = {.primed = false};

	watch(&lives, 1000, 20000);
	ck_assert_double_eq_tol(lives_closing(&lives), 0.02, 1e-9);
}
END_TEST

START_TEST(a_new_worker_that_holds_hardly_any_says_little)
{
	struct lives lives = {.primed = false};

	watch(&lives, 1000, 20000);
	lives_update(&lives, 0.0, 0.0, 21000);
	lives_update(&lives, 1.0, 2.0, 22000);
	ck_assert_double_eq_tol(lives_closing(&lives), 0.02, 0.001);
}
END_TEST

START_TEST(lives_that_become_shorter_are_noticed)
{
	struct lives lives = {.primed = false};

	watch(&lives, 1000, 60000);
	for (int64_t now_ms = 61000; now_ms <= 160000; now_ms += 1000)
		lives_update(&lives, 20.0, 90.0, now_ms);
	ck_assert_double_eq_tol(lives_closing(&lives), 0.2, 0.01);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{nothing_is_known_at_first, ONCE},
		{it_is_the_part_that_closes_in_a_second, ONCE},
		{a_new_worker_that_holds_hardly_any_says_little, ONCE},
		{lives_that_become_shorter_are_noticed, ONCE},
	};

	return run_suite("lives", tests, N_OF(tests));
}
