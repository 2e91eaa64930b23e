/* SPDX-License-Identifier: MIT */
/* The moment that a pod's count is of. */
#include <check.h>

#include "core/cluster/moment.h"
#include "run.h"

enum { LONG_MS = 30000 }; /* a count that has stood for so long is taken at its word */

/* A pod that is asked each second, from second 1 on. */
struct trial {
	struct moment moment;
	uint32_t count;
	int64_t now_ms;
};

static void answer(struct trial *trial, uint32_t count, uint32_t held)
{
	bool same = trial->now_ms > 0 && count == trial->count;

	trial->now_ms += 1000;
	trial->count = count;
	moment_observe(&trial->moment, same, held, trial->now_ms);
}

START_TEST(a_count_that_moves_is_of_its_answer)
{
	struct trial trial = {.now_ms = 0};

	for (uint32_t i = 0; i < 5; i++) {
		answer(&trial, 40 + i, 20 + i);
		ck_assert_int_eq(trial.moment.ms, trial.now_ms);
	}
}
END_TEST

START_TEST(so_is_one_that_stands_while_sessions_do)
{
	struct trial trial = {.now_ms = 0};

	answer(&trial, 40, 20);
	answer(&trial, 41, 21);
	for (int i = 0; i < 5; i++) {
		answer(&trial, 41, 21);
		ck_assert_int_eq(trial.moment.ms, trial.now_ms);
	}
}
END_TEST

START_TEST(one_that_stands_while_sessions_move_is_of_when_it_was_new)
{
	struct trial trial = {.now_ms = 0};

	answer(&trial, 40, 20);
	answer(&trial, 41, 21); /* second 2 */
	answer(&trial, 41, 25);
	answer(&trial, 41, 19);
	ck_assert_int_eq(trial.moment.ms, 2000);
	ck_assert_uint_eq(trial.moment.held, 21);
	answer(&trial, 47, 27);
	ck_assert_int_eq(trial.moment.ms, 5000);
	answer(&trial, 47, 29);
	ck_assert_int_eq(trial.moment.ms, 5000);
	/* As many as then: nothing says that it is old. */
	answer(&trial, 47, 27);
	ck_assert_int_eq(trial.moment.ms, 7000);
}
END_TEST

/* It may be a liar, and what it says is to be held against what HAProxy has now. */
START_TEST(one_that_never_moved_is_held_to_its_word)
{
	struct trial trial = {.now_ms = 0};

	for (uint32_t i = 0; i < 20; i++) {
		answer(&trial, 3, 10 * i);
		ck_assert_int_eq(trial.moment.ms, trial.now_ms);
	}
}
END_TEST

START_TEST(so_is_one_that_has_stood_for_long)
{
	struct trial trial = {.now_ms = 0};

	answer(&trial, 40, 20);
	answer(&trial, 41, 21); /* second 2 */
	while (trial.now_ms + 1000 < 2000 + LONG_MS) {
		answer(&trial, 41, 50);
		ck_assert_int_eq(trial.moment.ms, 2000);
	}
	answer(&trial, 41, 50);
	ck_assert_int_eq(trial.moment.ms, trial.now_ms);
}
END_TEST

START_TEST(what_a_pod_says_that_has_joined_is_news_and_may_stand)
{
	struct trial trial = {.now_ms = 0};

	answer(&trial, 40, 20);
	answer(&trial, 0, 0);
	moment_join(&trial.moment);
	answer(&trial, 0, 1); /* second 3 */
	answer(&trial, 0, 30);
	ck_assert_int_eq(trial.moment.ms, 3000);
	answer(&trial, 60, 30);
	ck_assert_int_eq(trial.moment.ms, 5000);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_count_that_moves_is_of_its_answer, ONCE},
		{so_is_one_that_stands_while_sessions_do, ONCE},
		{one_that_stands_while_sessions_move_is_of_when_it_was_new, ONCE},
		{one_that_never_moved_is_held_to_its_word, ONCE},
		{so_is_one_that_has_stood_for_long, ONCE},
		{what_a_pod_says_that_has_joined_is_news_and_may_stand, ONCE},
	};

	return run_suite("moment", tests, N_OF(tests));
}
