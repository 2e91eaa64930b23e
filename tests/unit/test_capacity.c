/* SPDX-License-Identifier: MIT */
/* A pod's own word on its capacity, and how far it goes. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/plan/capacity.h"
#include "run.h"

enum { PODS_MAX = 8 };

static const struct {
	const char *what;
	double told[PODS_MAX]; /* 0: none; the first n_pods */
	size_t n;
	unsigned medians;
	double capacities[PODS_MAX];
	double most;
} rows[] = {
	{"nobody tells", {0, 0, 0}, 3, 16, {100, 100, 100}, INFINITY},
	{"within the bound", {4, 2, 1}, 3, 16, {4, 2, 1}, 32},
	{"one is too loud", {1e9, 2, 1, 2}, 4, 16, {32, 2, 1, 2}, 32},
	{"of two the lower is the measure", {1e9, 5}, 2, 16, {80, 5}, 80},
	{"beside pods that tell none", {1e9, 0, 0}, 3, 2, {200, 100, 100}, 200},
	{"too small is no harm", {0.001, 5, 5}, 3, 16, {0.001, 5, 5}, 80},
	{"one pod is its own measure", {1e9}, 1, 16, {1e9}, 16e9},
	{"no bound", {1e9, 1, 1}, 3, 0, {1e9, 1, 1}, INFINITY},
	{"no pods", {0}, 0, 16, {0}, INFINITY},
};

START_TEST(a_pods_word_counts_for_so_many_medians_at_most)
{
	struct planner_pod pods[PODS_MAX];
	double most = 0.0;

	for (size_t i = 0; i < rows[_i].n; i++)
		pods[i] = (struct planner_pod){.told = rows[_i].told[i], .capacity = 100.0};
	ck_assert(capacity_settle(pods, rows[_i].n, rows[_i].medians, &most));
	for (size_t i = 0; i < rows[_i].n; i++)
		ck_assert_msg(pods[i].capacity == rows[_i].capacities[i], "%s: pod %zu has %g",
			rows[_i].what, i, pods[i].capacity);
	ck_assert_msg(most == rows[_i].most, "%s: at most %g", rows[_i].what, most);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_pods_word_counts_for_so_many_medians_at_most, N_OF(rows)},
	};

	return run_suite("capacity", tests, N_OF(tests));
}
