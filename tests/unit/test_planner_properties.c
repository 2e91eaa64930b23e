/* SPDX-License-Identifier: MIT */
/* What holds for every plan, tried on random input. SEED=N repeats a run. */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sim/rng.h"
#include "core/plan/planner.h"

enum { ROUNDS = 4000, PODS_MAX = 40, MANY_PODS = 10000 };

static uint64_t seed;

struct input {
	struct planner_params params;
	struct planner_pod pods[PODS_MAX];
	size_t n;
};

struct output {
	struct planner_result results[PODS_MAX];
	struct planner_summary summary;
};

static uint32_t any_count(struct rng *rng)
{
	static const uint32_t tops[] = {2, 20, 1000, 100000, UINT32_MAX};

	return (uint32_t)(rng_uniform(rng) * tops[rng_below(rng, 5)]);
}

/* A number near another, mostly. */
static uint32_t near_count(struct rng *rng, uint32_t count)
{
	if (rng_below(rng, 4) == 0)
		return any_count(rng);
	return count > 3 ? count - rng_below(rng, 4) : count + rng_below(rng, 4);
}

static struct planner_pod any_pod(struct rng *rng)
{
	uint32_t own = any_count(rng);
	struct planner_pod pod = {
		.heard = rng_below(rng, 10) > 0,
		.draining = rng_below(rng, 20) == 0,
		.own_exact = rng_below(rng, 5) > 0,
		.count = near_count(rng, own),
		.count_age_ms = rng_below(rng, 40000),
		.own = own,
		.own_then = near_count(rng, own),
		.has_others = rng_below(rng, 2) == 0,
		.others = (double)any_count(rng) - (double)any_count(rng),
		.planned = rng_below(rng, 2) == 0,
		.target_then = (double)near_count(rng, own) * rng_uniform(rng),
		.leaving = rng_uniform(rng) * rng_below(rng, 1000),
		.age_ms = rng_below(rng, 60000),
		.credit = 5.0 * rng_uniform(rng) - 2.0,
		.configured = 1 + (int)rng_below(rng, 256),
	};

	pod.capacity = rng_below(rng, 3) ? pod.configured : 0.01 + 1000.0 * rng_uniform(rng);
	return pod;
}

static void any_input(struct rng *rng, struct input *input)
{
	bool alike = rng_below(rng, 3) == 0;

	input->n = 1 + rng_below(rng, PODS_MAX);
	input->params = (struct planner_params){
		.mode = rng_below(rng, 2) ? PLANNER_STOCK : PLANNER_FLOW,
		.replicas = 1 + rng_below(rng, 12),
		.fresh_ms = 2500,
		.cache_ttl_ms = 30000,
		.arrivals = rng_uniform(rng) * any_count(rng),
		.ramp_ms = rng_below(rng, 2) ? 30000 : 0,
		.max_share = rng_below(rng, 2) ? rng_uniform(rng) : 0.0,
		.own_unknown = rng_below(rng, 8) == 0,
	};
	for (size_t i = 0; i < input->n; i++)
		input->pods[i] = alike && i > 0 ? input->pods[0] : any_pod(rng);
}

static void plan(const struct input *input, struct output *output)
{
	ck_assert(planner_plan(
		&input->params, input->pods, input->n, output->results, &output->summary));
}

static struct rng begin(uint64_t round)
{
	struct rng rng;

	rng_init(&rng, seed, round);
	return rng;
}

#define SAY "SEED=%llu round %d", (unsigned long long)seed, _i

START_TEST(weights_are_in_range_and_one_is_above_0)
{
	struct rng rng = begin((uint64_t)_i);
	struct input input;
	struct output output;
	int largest = 0;
	bool all_drain = true;

	any_input(&rng, &input);
	plan(&input, &output);
	for (size_t i = 0; i < input.n; i++)
		all_drain = all_drain && input.pods[i].draining;
	for (size_t i = 0; i < input.n; i++) {
		const struct planner_result *result = &output.results[i];

		ck_assert_msg(result->weight >= 0 && result->weight <= PLANNER_WEIGHT_MAX, SAY);
		ck_assert_msg((result->weight == 0) == (input.pods[i].draining && !all_drain), SAY);
		ck_assert_msg(isfinite(result->count) && result->count >= 0.0, SAY);
		ck_assert_msg(isfinite(result->deficit) && isfinite(result->target), SAY);
		ck_assert_msg(result->target >= 0.0, SAY);
		ck_assert_msg(result->share_limit >= 0.0 && result->share_limit <= 1.0, SAY);
		largest = result->weight > largest ? result->weight : largest;
	}
	ck_assert_msg(largest > 0, SAY);
	ck_assert_msg(isfinite(output.summary.level) && isfinite(output.summary.imbalance), SAY);
}
END_TEST

START_TEST(equal_pods_get_equal_weights)
{
	struct rng rng = begin((uint64_t)_i);
	struct input input;
	struct output output;

	any_input(&rng, &input);
	if (input.n < 2)
		return;

	size_t a = rng_below(&rng, (uint32_t)input.n);
	size_t b = rng_below(&rng, (uint32_t)input.n);

	input.pods[b] = input.pods[a];
	plan(&input, &output);
	ck_assert_msg(output.results[a].weight == output.results[b].weight, SAY);
}
END_TEST

START_TEST(the_order_of_servers_does_not_matter)
{
	struct rng rng = begin((uint64_t)_i);
	struct input input;
	struct input turned;
	struct output output;
	struct output turned_output;

	any_input(&rng, &input);

	size_t by = rng_below(&rng, (uint32_t)input.n);

	turned = input;
	for (size_t i = 0; i < input.n; i++)
		turned.pods[(i + by) % input.n] = input.pods[input.n - 1 - i];
	plan(&input, &output);
	plan(&turned, &turned_output);
	for (size_t i = 0; i < input.n; i++) {
		int weight = output.results[input.n - 1 - i].weight;
		int other = turned_output.results[(i + by) % input.n].weight;

		/* Sums of other order differ in the last bit, and a weight that lies between two
		 * whole numbers may fall to either side. */
		ck_assert_msg(abs(weight - other) <= 1, SAY);
	}
}
END_TEST

/* As the pod itself sees it: the same pod with more connections, nothing else changed. Compared is
 * its part of all weights, for the scale is the planner's own. */
static double part_of(const struct output *output, size_t n, size_t pod)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += output->results[i].weight;
	return output->results[pod].weight / sum;
}

START_TEST(more_connections_never_mean_a_higher_weight)
{
	struct rng rng = begin((uint64_t)_i);
	struct input input;
	struct output before;
	struct output after;

	any_input(&rng, &input);
	/* What a limit takes from one pod it gives to others. */
	input.params.ramp_ms = 0;
	input.params.max_share = 0.0;
	/* Pods that are believed, of which one says more. */
	for (size_t i = 0; i < input.n; i++) {
		struct planner_pod *pod = &input.pods[i];

		pod->heard = true;
		pod->count_age_ms = 0;
		pod->own_exact = false;
		pod->has_others = false;
		pod->count %= 100000;
		pod->own %= 100000;
		pod->own_then = pod->own;
	}

	size_t pod = rng_below(&rng, (uint32_t)input.n);

	plan(&input, &before);
	if (before.results[pod].weight == 0)
		return;
	input.pods[pod].count += 1 + rng_below(&rng, 1000);
	plan(&input, &after);

	double was = part_of(&before, input.n, pod);
	double is = part_of(&after, input.n, pod);

	/* Rounding to whole weights may move all by one step of the smallest. */
	double step = 1.0 / before.results[pod].weight + 1.0 / 64.0;

	ck_assert_msg(is <= was * (1.0 + step) + 1e-9, "SEED=%llu round %d: %g then %g",
		(unsigned long long)seed, _i, was, is);
}
END_TEST

START_TEST(ten_thousand_pods_of_2_to_31_do_not_overflow)
{
	struct rng rng = begin((uint64_t)_i);
	struct planner_pod *pods = calloc(MANY_PODS, sizeof(*pods));
	struct planner_result *results = calloc(MANY_PODS, sizeof(*results));
	struct planner_params params = {
		.mode = _i % 2 ? PLANNER_STOCK : PLANNER_FLOW,
		.replicas = 1000,
		.fresh_ms = 2500,
		.cache_ttl_ms = 30000,
		.arrivals = 4e9,
		.max_share = _i / 2 % 2 ? 0.01 : 0.0,
	};
	struct planner_summary summary;

	ck_assert(pods && results);
	for (size_t i = 0; i < MANY_PODS; i++) {
		uint32_t count = (uint32_t)1 << 31 | rng_below(&rng, UINT32_MAX);

		pods[i] = (struct planner_pod){
			.heard = true,
			.count = count,
			.own = i % 3 ? count : 0,
			.own_then = i % 5 ? count : 0,
			.configured = 100,
			.capacity = 100,
		};
	}
	ck_assert(planner_plan(&params, pods, MANY_PODS, results, &summary));
	ck_assert(isfinite(summary.level) && summary.level > 0.0);
	for (size_t i = 0; i < MANY_PODS; i++) {
		ck_assert_int_ge(results[i].weight, 1);
		ck_assert_int_le(results[i].weight, PLANNER_WEIGHT_MAX);
	}
	free(pods);
	free(results);
}
END_TEST

int main(void)
{
	const char *text = getenv("SEED");

	seed = text ? strtoull(text, NULL, 10) : 1;
	printf("SEED=%llu\n", (unsigned long long)seed);

	Suite *suite = suite_create("planner_properties");
	TCase *tcase = tcase_create("planner_properties");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	/* Thousands of rounds in one process: a fork for each would take longer than the plans. */
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_loop_test(tcase, weights_are_in_range_and_one_is_above_0, 0, ROUNDS);
	tcase_add_loop_test(tcase, equal_pods_get_equal_weights, 0, ROUNDS);
	tcase_add_loop_test(tcase, the_order_of_servers_does_not_matter, 0, ROUNDS);
	tcase_add_loop_test(tcase, more_connections_never_mean_a_higher_weight, 0, ROUNDS);
	tcase_add_loop_test(tcase, ten_thousand_pods_of_2_to_31_do_not_overflow, 0, 4);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
