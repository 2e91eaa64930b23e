/* SPDX-License-Identifier: MIT */
/* How long until balance. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "../sim/rng.h"
#include "core/plan/outlook.h"
#include "run.h"

enum { MAX_PODS = 12 };

/* Nothing closes. */
static const struct outlook_params *coming(double arrivals_per_s)
{
	static struct outlook_params params;

	params = (struct outlook_params){.arrivals_per_s = arrivals_per_s};
	return &params;
}

static struct outlook look(const double *counts, size_t n, double arrivals_per_s)
{
	struct planner_pod pods[MAX_PODS];
	struct planner_result results[MAX_PODS];

	for (size_t i = 0; i < n; i++) {
		pods[i] = (struct planner_pod){.capacity = 100};
		results[i] = (struct planner_result){.basis = PLANNER_HEARD, .count = counts[i]};
	}
	return outlook_of(coming(arrivals_per_s), pods, results, n);
}

START_TEST(new_pods_are_full_when_as_many_have_come_as_they_lack)
{
	static const double counts[] = {100, 100, 100, 100, 100, 100, 100, 100, 0, 0};
	struct outlook outlook = look(counts, 10, 8.0);

	ck_assert_int_eq(outlook.verdict, OUTLOOK_FILLING);
	ck_assert_double_eq_tol(outlook.deficit, 160.0, 1e-9);
	/* 8 * t = 2 * 0.95 * (800 + 8 * t) / 10. */
	ck_assert_double_eq_tol(outlook.seconds, 152.0 / 6.48, 0.1);
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

	ck_assert_int_eq(look(counts, 4, 0.01).verdict, OUTLOOK_ONLY_CLOSING);
	/* A few more would do. */
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

	ck_assert_int_eq(outlook_of(coming(1.0), pods, results, 3).verdict, OUTLOOK_BALANCED);
}
END_TEST

/* The new pod may take a quarter of what comes: 2.5 * t = 0.95 * (80 + 2 * t). */
START_TEST(a_limit_on_shares_is_waited_for)
{
	struct outlook_params params = {.arrivals_per_s = 10.0, .max_share = 0.25};
	struct planner_pod pods[5];
	struct planner_result results[5];

	for (int i = 0; i < 5; i++) {
		pods[i] = (struct planner_pod){.capacity = 1.0, .age_ms = 1000000};
		results[i] = (struct planner_result){.count = i < 4 ? 100.0 : 0.0};
	}
	ck_assert_double_eq_tol(outlook_of(&params, pods, results, 5).seconds, 76.0 / 0.6, 0.5);
	/* Of a ramp of a minute: 10 * t * t / 120 = 0.95 * (80 + 2 * t). */
	params = (struct outlook_params){.arrivals_per_s = 10.0, .ramp_ms = 60000};
	pods[4].age_ms = 0;
	ck_assert_double_eq_tol(outlook_of(&params, pods, results, 5).seconds, 43.7, 0.5);
}
END_TEST

START_TEST(what_goes_to_unknown_pods_fills_no_known_one)
{
	struct planner_pod pods[3] = {{.capacity = 1}, {.capacity = 1}, {.capacity = 2}};
	struct planner_result results[3] = {
		{.basis = PLANNER_HEARD, .count = 100},
		{.basis = PLANNER_HEARD, .count = 50},
		{.basis = PLANNER_DISBELIEVED, .count = 50},
	};
	double alone = outlook_of(coming(10.0), pods, results, 2).seconds;

	ck_assert_double_eq_tol(outlook_of(coming(20.0), pods, results, 3).seconds, alone, 0.1);
}
END_TEST

/* ---- what is said, and what comes ---- */

/* Pods behind two instances that are alike, clients that stay for exponential times, and a chooser
 * that sends each to the pod that is lowest. */
static const struct life {
	const char *what;
	size_t n;
	double proxied[MAX_PODS];
	double direct[MAX_PODS]; /* by another door, as many at all times */
	double capacities[MAX_PODS];
	double arrivals_per_s;
	double lives_s;
} lives[] = {
	{"two join", 10, {375, 375, 375, 375, 375, 375, 375, 375, 0, 0}, {0}, {0}, 75, 40},
	{"another door", 8, {375, 375, 375, 375, 375, 375, 375, 375}, {225, 225, 225}, {0}, 75, 40},
	{"short lives", 8, {100, 100, 100, 100, 100, 100, 100, 100}, {60, 60}, {0}, 160, 5},
	{"one twice as full", 6, {600, 300, 300, 300, 300, 300}, {0}, {0}, 7, 300},
	{"capacities", 4, {400, 200, 200, 0}, {0}, {4, 2, 2, 4}, 20, 40},
	{"few", 8, {30, 30, 30, 30, 30, 30, 30, 0}, {0}, {0}, 2, 110},
};

static double capacity_of(const struct life *life, size_t i)
{
	return life->capacities[i] > 0.0 ? life->capacities[i] : 1.0;
}

static struct outlook foresee(const struct life *life, const double *proxied)
{
	struct outlook_params params = {
		.arrivals_per_s = life->arrivals_per_s,
		.closing = 1.0 / life->lives_s,
	};
	struct planner_pod pods[MAX_PODS];
	struct planner_result results[MAX_PODS];

	for (size_t i = 0; i < life->n; i++) {
		pods[i] = (struct planner_pod){
			.capacity = capacity_of(life, i), .held = floor(proxied[i] / 2.0)};
		results[i] = (struct planner_result){.count = proxied[i] + life->direct[i]};
	}
	return outlook_of(&params, pods, results, life->n);
}

static void send_to_lowest(const struct life *life, double *proxied)
{
	size_t lowest = 0;
	double least = INFINITY;

	for (size_t i = 0; i < life->n; i++) {
		double height = (proxied[i] + life->direct[i] + 1.0) / capacity_of(life, i);

		if (height < least) {
			least = height;
			lowest = i;
		}
	}
	proxied[lowest] += 1.0;
}

static void pass(const struct life *life, double *proxied, double span_s, struct rng *rng)
{
	double gap_s = rng_exponential(rng) / life->arrivals_per_s;

	for (size_t i = 0; i < life->n; i++) {
		double stay = exp(-span_s / life->lives_s);

		for (uint32_t k = (uint32_t)proxied[i]; k > 0; k--)
			proxied[i] -= rng_uniform(rng) > stay;
	}
	for (; gap_s < span_s; gap_s += rng_exponential(rng) / life->arrivals_per_s)
		send_to_lowest(life, proxied);
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Plays one life to its end; what was said over what it took, from step to step. The number of
 * steps. */
static int play(const struct life *life, struct rng *rng, int steps_max, double *ratios)
{
	static const double step_s = 0.25;
	double proxied[MAX_PODS];
	int n = 0;

	for (size_t i = 0; i < life->n; i++)
		proxied[i] = life->proxied[i];
	for (; n < steps_max; n++) {
		struct outlook outlook = foresee(life, proxied);

		if (outlook.verdict == OUTLOOK_BALANCED)
			break;
		ratios[n] = outlook.seconds;
		pass(life, proxied, step_s, rng);
	}
	for (int i = 0; i < n; i++)
		ratios[i] /= step_s * (n - i);
	return n;
}

START_TEST(what_is_said_comes_true_within_a_quarter_in_the_median)
{
	enum { LIVES = 20, STEPS = 2000 };
	static double ratios[LIVES * STEPS];
	struct rng rng;
	int n = 0;

	rng_init(&rng, run_seed(), (uint64_t)_i);
	for (int i = 0; i < LIVES; i++) {
		int steps = play(&lives[_i], &rng, STEPS, ratios + n);

		ck_assert_msg(steps > 2 && steps < STEPS, "%s: %d steps", lives[_i].what, steps);
		n += steps;
	}
	qsort(ratios, (size_t)n, sizeof(*ratios), compare_doubles);
	ck_assert_msg(ratios[n / 2] > 0.75 && ratios[n / 2] < 1.25, "%s: %g", lives[_i].what,
		ratios[n / 2]);
}
END_TEST

START_TEST(every_verdict_has_words)
{
	ck_assert_str_eq(outlook_verdict_label(OUTLOOK_NOT_SENT), "not_sent");
	ck_assert_str_eq(outlook_verdict_label(OUTLOOK_BALANCED), "balanced");
	ck_assert_str_eq(outlook_verdict_label(OUTLOOK_FILLING), "levelling");
	ck_assert_str_eq(outlook_verdict_label(OUTLOOK_ONLY_CLOSING), "cannot_level");
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
		{a_limit_on_shares_is_waited_for, ONCE},
		{what_goes_to_unknown_pods_fills_no_known_one, ONCE},
		{what_is_said_comes_true_within_a_quarter_in_the_median, N_OF(lives)},
		{every_verdict_has_words, ONCE},
	};

	return run_suite("outlook", tests, N_OF(tests));
}
