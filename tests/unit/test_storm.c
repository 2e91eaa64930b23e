/* SPDX-License-Identifier: MIT */
/* Which sets of counts are torn. */
#include <check.h>
#include <math.h>

#include "core/plan/storm.h"
#include "run.h"

enum { N_PODS_MAX = 1000 };

static const struct {
	const char *what;
	unsigned pods;
	unsigned before;
	double lost_first; /* of each pod of the first part, how much is lost */
	double lost_last;
	unsigned n_first;
	bool torn;
} cases[] = {
	{"nothing happens", 8, 100, 0.0, 0.0, 4, false},
	{"half of the pods before the storm, half after", 8, 100, 0.0, 0.5, 4, true},
	{"one before, all others after", 8, 100, 0.0, 0.5, 1, true},
	{"one after, all others before", 8, 100, 0.0, 0.5, 7, true},
	{"all after", 8, 100, 0.5, 0.5, 4, false},
	{"in the middle of it", 8, 100, 0.3, 0.5, 4, true},
	{"two pods", 2, 100, 0.0, 0.5, 1, true},
	{"a single pod", 1, 100, 0.5, 0.5, 1, false},
	{"few connections", 8, 20, 0.0, 0.5, 4, true},
	{"so few that it may be chance", 8, 4, 0.0, 0.5, 4, false},
	{"a small storm", 8, 1000, 0.0, 0.2, 4, true},
	{"less than a twentieth of all", 8, 10000, 0.0, 0.09, 4, false},
	{"many pods, one of which ends", 100, 1000, 0.0, 1.0, 99, false},
	{"many pods", 1000, 50, 0.0, 0.5, 500, true},
	{"a crowd comes", 8, 100, 0.0, -1.0, 4, false},
	{"pods without connections", 8, 0, 0.0, 0.0, 4, false},
	{"some end, as many begin elsewhere", 8, 100, -0.5, 0.5, 4, false},
};

START_TEST(counts_are_torn_when_a_storm_comes_while_pods_are_asked)
{
	struct storm storm = {.n = 0.0};

	for (unsigned i = 0; i < cases[_i].pods; i++) {
		double lost = i < cases[_i].n_first ? cases[_i].lost_first : cases[_i].lost_last;

		storm_add(&storm, cases[_i].before,
			(uint32_t)lround(cases[_i].before * (1.0 - lost)));
	}
	ck_assert_msg(storm_is_torn(&storm) == cases[_i].torn, "%s", cases[_i].what);
}
END_TEST

START_TEST(no_counts_are_not_torn)
{
	struct storm storm = {.n = 0.0};

	ck_assert(!storm_is_torn(&storm));
	storm_add(&storm, 0, 0);
	storm_add(&storm, 0, UINT32_MAX);
	ck_assert(!storm_is_torn(&storm));
}
END_TEST

/* So many of so many connections close, each by chance. */
static unsigned closed(unsigned n, double part)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < n; i++)
		lost += (double)rand() < part * (double)RAND_MAX;
	return lost;
}

/* A storm between two rounds leaves pods as uneven as chance makes them: that is no reason to ask
 * again, however many pods there are and however few connections. */
START_TEST(a_storm_that_all_pods_have_behind_them_does_not_tear)
{
	static const unsigned befores[] = {5, 20, 100, 1000};
	static const unsigned pods[] = {2, 8, 100};
	unsigned n_torn = 0;
	unsigned n = 0;

	for (int round = 0; round < 200; round++) {
		for (size_t b = 0; b < 4; b++) {
			for (size_t p = 0; p < 3; p++, n++) {
				struct storm storm = {.n = 0.0};

				for (unsigned i = 0; i < pods[p]; i++)
					storm_add(&storm, befores[b],
						befores[b] - closed(befores[b], 0.5));
				n_torn += storm_is_torn(&storm);
			}
		}
	}
	/* Of two pods one may differ by chance: twice its standard deviation, 1 in 20. */
	ck_assert_msg(n_torn * 50 < n, "%u of %u", n_torn, n);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{counts_are_torn_when_a_storm_comes_while_pods_are_asked, N_OF(cases)},
		{no_counts_are_not_torn, ONCE},
		{a_storm_that_all_pods_have_behind_them_does_not_tear, ONCE},
	};

	run_dice("storm");
	return run_suite("storm", tests, N_OF(tests));
}
