/* SPDX-License-Identifier: MIT */
/* How a test program runs: its tests in a table, and dice that can be thrown again. */
#ifndef WSB_TEST_RUN_H
#define WSB_TEST_RUN_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum {
	ONCE = 1,
	RUN_TIMEOUT_S = 120, /* for each test: only one that hangs takes so long */
};

/* A test of START_TEST, and for how many values of _i it runs, from 0: ONCE, or the rows of its
 * table. */
struct run_test {
	const TTest *test;
	int n;
};

/* The seed of random tests: SEED, 1 unless set. */
static inline unsigned run_seed(void)
{
	const char *text = getenv("SEED");

	return text ? (unsigned)strtoul(text, NULL, 10) : 1;
}

/* Seeds rand() with it. */
static inline void run_dice(const char *suite)
{
	printf("%s: SEED=%u\n", suite, run_seed());
	fflush(stdout);
	srand(run_seed());
}

/* All rounds of the tests that take long are wanted (make test-long). */
static inline bool run_is_long(void)
{
	return getenv("LONG") != NULL;
}

/* Rounds of a random test that takes long: all of them, or a tenth. */
static inline int run_rounds(int all)
{
	return run_is_long() ? all : all / 10;
}

/* Runs all tests, each between setup and teardown (NULL: nothing to do); what main returns. */
static inline int run_suite_with(
	const char *name, SFun setup, SFun teardown, const struct run_test *tests, int n_tests)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, RUN_TIMEOUT_S);
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (int i = 0; i < n_tests; i++)
		tcase_add_loop_test(tcase, tests[i].test, 0, tests[i].n);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int run_suite(const char *name, const struct run_test *tests, int n_tests)
{
	return run_suite_with(name, NULL, NULL, tests, n_tests);
}

#endif
