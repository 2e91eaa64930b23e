/* SPDX-License-Identifier: MIT */
/* The smoothed rate of new connections. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/cluster/rate.h"
#include "run.h"

START_TEST(one_sample_is_no_rate_and_the_second_is_one_at_once)
{
	struct rate arrivals = {0};

	rate_update(&arrivals, 5000, 1000);
	ck_assert(arrivals.per_second == 0.0);
	rate_update(&arrivals, 5060, 3000);
	ck_assert_double_eq_tol(arrivals.per_second, 30.0, 1e-9);
}
END_TEST

START_TEST(a_steady_rate_stays_as_it_is_however_long_the_intervals)
{
	static const int64_t steps_ms[] = {1000, 100, 250, 5000, 1, 60000};
	struct rate arrivals = {0};
	int64_t now_ms = 1;
	uint64_t total = 0;

	rate_update(&arrivals, total, now_ms);
	for (size_t i = 0; i < sizeof(steps_ms) / sizeof(*steps_ms); i++) {
		now_ms += steps_ms[i];
		total += (uint64_t)(steps_ms[i] * 2); /* 2,000 a second */
		rate_update(&arrivals, total, now_ms);
		ck_assert_double_eq_tol(arrivals.per_second, 2000.0, 1e-6);
	}
}
END_TEST

START_TEST(a_flood_is_seen_within_a_few_samples_and_forgotten_likewise)
{
	struct rate arrivals = {0};
	int64_t now_ms = 0;
	uint64_t total = 0;

	for (int i = 0; i < 60; i++)
		rate_update(&arrivals, total += 10, now_ms += 1000);
	rate_update(&arrivals, total += 1000, now_ms += 1000);
	/* One lucky second is not taken whole. */
	ck_assert_double_gt(arrivals.per_second, 100.0);
	ck_assert_double_lt(arrivals.per_second, 400.0);
	for (int i = 0; i < 7; i++)
		rate_update(&arrivals, total += 1000, now_ms += 1000);
	ck_assert_double_gt(arrivals.per_second, 800.0);
	for (int i = 0; i < 30; i++)
		rate_update(&arrivals, total, now_ms += 1000);
	ck_assert_double_lt(arrivals.per_second, 2.0);
	ck_assert_double_ge(arrivals.per_second, 0.0);
}
END_TEST

/* What is weighted is time, not samples. */
START_TEST(two_half_steps_are_one_whole_step)
{
	struct rate one = {0};
	struct rate two = {0};

	for (int i = 0; i < 2; i++) {
		rate_update(&one, 0, 1000 * i);
		rate_update(&two, 0, 1000 * i);
	}
	rate_update(&one, 100, 3000);
	rate_update(&two, 50, 2000);
	rate_update(&two, 100, 3000);
	ck_assert_double_eq_tol(one.per_second, two.per_second, 1e-9);
}
END_TEST

START_TEST(a_sum_that_went_down_begins_anew_and_keeps_the_rate)
{
	struct rate arrivals = {0};

	rate_update(&arrivals, 1000, 1000);
	rate_update(&arrivals, 1050, 2000);
	rate_update(&arrivals, 3, 3000);
	ck_assert_double_eq_tol(arrivals.per_second, 50.0, 1e-9);
	rate_update(&arrivals, 53, 4000);
	ck_assert_double_eq_tol(arrivals.per_second, 50.0, 1e-9);
	rate_update(&arrivals, 0, 5000);
	rate_update(&arrivals, 0, 6000);
	ck_assert_double_lt(arrivals.per_second, 50.0);
}
END_TEST

START_TEST(a_clock_that_did_not_move_gives_no_rate)
{
	struct rate arrivals = {0};

	rate_update(&arrivals, 0, 1000);
	rate_update(&arrivals, 50, 1000);
	ck_assert(arrivals.per_second == 0.0);
	rate_update(&arrivals, 60, 2000);
	ck_assert_double_eq_tol(arrivals.per_second, 10.0, 1e-9);
	rate_update(&arrivals, 999, 1500);
	ck_assert_double_eq_tol(arrivals.per_second, 10.0, 1e-9);
}
END_TEST

START_TEST(no_total_makes_the_rate_other_than_a_number_from_0)
{
	static const uint64_t totals[] = {0, UINT64_MAX, 0, UINT64_MAX, 1, UINT64_MAX - 1};
	struct rate arrivals = {0};

	for (size_t i = 0; i < sizeof(totals) / sizeof(*totals); i++) {
		rate_update(&arrivals, totals[i], (int64_t)i);
		ck_assert(isfinite(arrivals.per_second));
		ck_assert_double_ge(arrivals.per_second, 0.0);
	}
	rate_update(&arrivals, UINT64_MAX, INT64_MAX);
	ck_assert(isfinite(arrivals.per_second));
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{one_sample_is_no_rate_and_the_second_is_one_at_once, ONCE},
		{a_steady_rate_stays_as_it_is_however_long_the_intervals, ONCE},
		{a_flood_is_seen_within_a_few_samples_and_forgotten_likewise, ONCE},
		{two_half_steps_are_one_whole_step, ONCE},
		{a_sum_that_went_down_begins_anew_and_keeps_the_rate, ONCE},
		{a_clock_that_did_not_move_gives_no_rate, ONCE},
		{no_total_makes_the_rate_other_than_a_number_from_0, ONCE},
	};

	return run_suite("rate", tests, N_OF(tests));
}
