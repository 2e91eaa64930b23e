/* SPDX-License-Identifier: MIT */
/* Histograms and the ring of imbalances. */
#include <check.h>
#include <stdlib.h>

#include "core/stats.h"
#include "run.h"

START_TEST(the_ring_spans_ten_minutes_however_often_it_is_fed)
{
	static struct stats stats;

	/* Five times a second for twenty minutes. */
	for (int i = 0; i < 6000; i++)
		stats_add_point(&stats, 1000000 + 200 * i, 0.1);
	ck_assert_uint_eq(stats.history_len, STATS_HISTORY_MAX);
	const struct stats_point *oldest = stats_point_at(&stats, 0);
	const struct stats_point *latest = stats_point_at(&stats, STATS_HISTORY_MAX - 1);

	ck_assert_int_ge(latest->wall_ms - oldest->wall_ms, 540000);
	for (size_t i = 1; i < STATS_HISTORY_MAX; i++)
		ck_assert_int_gt(
			stats_point_at(&stats, i)->wall_ms, stats_point_at(&stats, i - 1)->wall_ms);
}
END_TEST

START_TEST(of_points_in_one_second_the_worst_is_kept)
{
	static struct stats stats;

	stats_add_point(&stats, 5000, 0.1);
	stats_add_point(&stats, 5200, 0.7);
	stats_add_point(&stats, 5400, 0.2);
	stats_add_point(&stats, 6000, 0.3);
	ck_assert_uint_eq(stats.history_len, 2);
	ck_assert_double_eq(stats_point_at(&stats, 0)->imbalance, 0.7);
	ck_assert_double_eq(stats_point_at(&stats, 1)->imbalance, 0.3);
}
END_TEST

/* The wall clock may be set back: that must not stop the history. */
START_TEST(a_clock_set_back_starts_a_new_point)
{
	static struct stats stats;

	stats_add_point(&stats, 5000000, 0.1);
	stats_add_point(&stats, 1000, 0.2);
	ck_assert_uint_eq(stats.history_len, 2);
}
END_TEST

START_TEST(a_duration_on_a_bound_counts_below_it)
{
	struct stats_histogram histogram = {0};

	stats_observe(&histogram, stats_bounds_s[0]);
	stats_observe(&histogram, stats_bounds_s[STATS_N_BUCKETS - 1]);
	stats_observe(&histogram, 60.0);
	ck_assert_uint_eq(histogram.buckets[0], 1);
	ck_assert_uint_eq(histogram.buckets[STATS_N_BUCKETS - 1], 1);
	ck_assert_uint_eq(histogram.buckets[STATS_N_BUCKETS], 1);
	ck_assert_uint_eq(histogram.count, 3);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{the_ring_spans_ten_minutes_however_often_it_is_fed, ONCE},
		{of_points_in_one_second_the_worst_is_kept, ONCE},
		{a_clock_set_back_starts_a_new_point, ONCE},
		{a_duration_on_a_bound_counts_below_it, ONCE},
	};

	return run_suite("stats", tests, N_OF(tests));
}
