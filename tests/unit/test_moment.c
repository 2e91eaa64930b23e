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
	uint32_t by = count > trial->count ? count - trial->count : trial->count - count;

	if (trial->now_ms == 0)
		by = 0;
	trial->now_ms += 1000;
	trial->count = count;
	moment_observe(&trial->moment, by, held, trial->now_ms);
}

/* It counts every 5 s, and has jumped once. Its count is of now, 60, and HAProxy holds 30. */
static void setup_jumper(struct trial *trial)
{
	*trial = (struct trial){.now_ms = 0};
	answer(trial, 40, 20);
	for (uint32_t i = 1; i < 5; i++)
		answer(trial, 40, 20 + 2 * i);
	answer(trial, 60, 30);
	ck_assert_int_eq(trial->moment.ms, trial->now_ms);
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
	struct trial trial;

	setup_jumper(&trial);
	for (int i = 0; i < 5; i++) {
		answer(&trial, 60, 30);
		ck_assert_int_eq(trial.moment.ms, trial.now_ms);
	}
}
END_TEST

START_TEST(one_that_stands_while_sessions_move_is_of_when_it_was_new)
{
	struct trial trial;
	int64_t new_ms;

	setup_jumper(&trial);
	new_ms = trial.now_ms;
	answer(&trial, 60, 34);
	answer(&trial, 60, 28);
	answer(&trial, 60, 33);
	ck_assert_int_eq(trial.moment.ms, new_ms);
	ck_assert_uint_eq(trial.moment.held, 30);
	answer(&trial, 67, 35);
	new_ms = trial.now_ms;
	ck_assert_int_eq(trial.moment.ms, new_ms);
	answer(&trial, 67, 37);
	ck_assert_int_eq(trial.moment.ms, new_ms);
	/* As many as then: nothing says that it is old. */
	answer(&trial, 67, 35);
	ck_assert_int_eq(trial.moment.ms, trial.now_ms);
}
END_TEST

/* Sessions were read a moment before the answer, and have come to rest since. */
START_TEST(one_that_stands_while_sessions_have_come_to_rest_is_right)
{
	struct trial trial;

	setup_jumper(&trial);
	for (int i = 0; i < 6; i++)
		answer(&trial, 60, 33);
	ck_assert_int_eq(trial.moment.ms, trial.now_ms);
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

/* Plain requests move HAProxy's sessions; WebSockets come one by one. */
START_TEST(so_is_one_that_moves_by_small_steps)
{
	struct trial trial;

	setup_jumper(&trial);
	for (uint32_t i = 0; i < 40; i++)
		answer(&trial, 60 + i / 4, 30 + i % 4);
	ck_assert_uint_eq(trial.moment.weight, 0);
	for (uint32_t i = 40; i < 80; i++) {
		answer(&trial, 60 + i / 4, 30 + i % 4);
		ck_assert_int_eq(trial.moment.ms, trial.now_ms);
	}
}
END_TEST

START_TEST(so_is_one_that_has_stood_for_long)
{
	struct trial trial;
	int64_t new_ms;

	setup_jumper(&trial);
	new_ms = trial.now_ms;
	for (uint32_t i = 0; trial.now_ms + 1000 < new_ms + LONG_MS; i++) {
		answer(&trial, 60, 50 + i % 2);
		ck_assert_int_eq(trial.moment.ms, new_ms);
	}
	answer(&trial, 60, 52);
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
		{one_that_stands_while_sessions_have_come_to_rest_is_right, ONCE},
		{one_that_never_moved_is_held_to_its_word, ONCE},
		{so_is_one_that_moves_by_small_steps, ONCE},
		{so_is_one_that_has_stood_for_long, ONCE},
		{what_a_pod_says_that_has_joined_is_news_and_may_stand, ONCE},
	};

	return run_suite("moment", tests, N_OF(tests));
}
