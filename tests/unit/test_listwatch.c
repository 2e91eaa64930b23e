/* SPDX-License-Identifier: MIT */
/* What list and watch promise about the next request. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kube/listwatch.h"
#include "run.h"

static const struct listwatch_outcome clean = {.end = LISTWATCH_END_CLEAN};
static const struct listwatch_outcome broken = {.end = LISTWATCH_END_TRANSPORT};

static struct listwatch_outcome http(unsigned code)
{
	return (struct listwatch_outcome){.end = LISTWATCH_END_HTTP, .code = code};
}

static struct listwatch_outcome error_event(unsigned code)
{
	return (struct listwatch_outcome){.end = LISTWATCH_END_EVENT, .code = code};
}

/* A watch that has listed version 5 at 1,000,000 ms and watches since then. */
static struct listwatch watching(void)
{
	struct listwatch watch;

	listwatch_init(&watch, LISTWATCH_SILENCE_MS);
	ck_assert(watch.list);
	listwatch_begin(&watch, 1000000);
	ck_assert(listwatch_listed(&watch, "5", 1000000));
	ck_assert(!watch.list);
	ck_assert_str_eq(watch.version, "5");
	listwatch_begin(&watch, 1000000);
	return watch;
}

START_TEST(a_watch_that_ends_cleanly_goes_on_at_once_from_the_last_version)
{
	struct listwatch watch = watching();

	ck_assert(listwatch_heard(&watch, "6", 1000010));
	ck_assert(listwatch_heard(&watch, NULL, 1000010));
	ck_assert_int_eq(listwatch_ended(&watch, &clean, 1000020, 0.5), 0);
	ck_assert(!watch.list);
	ck_assert_str_eq(watch.version, "6");
}
END_TEST

START_TEST(a_second_empty_watch_in_a_row_lists)
{
	struct listwatch watch = watching();

	ck_assert_int_ge(listwatch_ended(&watch, &clean, 1000020, 0), LISTWATCH_DELAY_MIN_MS);
	ck_assert(!watch.list);
	listwatch_begin(&watch, 1001000);
	ck_assert_int_ge(listwatch_ended(&watch, &clean, 1001020, 0), LISTWATCH_DELAY_MIN_MS);
	ck_assert(watch.list);
}
END_TEST

START_TEST(a_forgotten_version_lists_at_once)
{
	struct listwatch watch = watching();
	struct listwatch_outcome gone = _i ? http(410) : error_event(410);

	ck_assert_int_eq(listwatch_ended(&watch, &gone, 1002000, 0.5), 0);
	ck_assert(watch.list);
}
END_TEST

START_TEST(a_version_that_is_always_forgotten_does_not_become_a_storm)
{
	struct listwatch watch = watching();
	struct listwatch_outcome gone = error_event(410);
	int64_t now = 1000000;
	int requests = 0;

	while (now < 1060000) {
		now += 1 + listwatch_ended(&watch, &gone, now, 0);
		requests++;
		listwatch_begin(&watch, now);
		ck_assert(listwatch_listed(&watch, "5", now));
		listwatch_begin(&watch, now);
	}
	ck_assert_int_lt(requests, 22);
}
END_TEST

START_TEST(an_overloaded_server_is_given_time_and_the_version_kept_once)
{
	static const unsigned codes[] = {429, 500, 503, 504};
	struct listwatch watch = watching();
	struct listwatch_outcome busy = _i % 2 ? http(codes[_i / 2]) : error_event(codes[_i / 2]);

	ck_assert_int_ge(listwatch_ended(&watch, &busy, 1000001, 0), LISTWATCH_DELAY_MIN_MS);
	ck_assert(!watch.list);
	listwatch_begin(&watch, 1001000);
	ck_assert_int_ge(listwatch_ended(&watch, &busy, 1001001, 0), LISTWATCH_DELAY_MIN_MS);
	ck_assert(watch.list);
}
END_TEST

START_TEST(retry_after_is_heeded_up_to_a_limit)
{
	struct listwatch watch = watching();
	struct listwatch_outcome busy = http(429);

	busy.retry_after_ms = 7000;
	ck_assert_int_eq(listwatch_ended(&watch, &busy, 1000001, 0), 7000);
	busy.retry_after_ms = 3600000;
	ck_assert_int_eq(listwatch_ended(&watch, &busy, 1000001, 0), LISTWATCH_RETRY_AFTER_MAX_MS);
}
END_TEST

START_TEST(a_refused_token_is_read_again_once_at_once_then_with_delay)
{
	struct listwatch watch = watching();
	struct listwatch_outcome refused = http(401);

	ck_assert_int_eq(listwatch_ended(&watch, &refused, 1000001, 0.5), 0);
	ck_assert(!watch.list);
	for (int i = 0; i < 5; i++)
		ck_assert_int_ge(
			listwatch_ended(&watch, &refused, 1000002 + i, 0), LISTWATCH_DELAY_MIN_MS);
	ck_assert(watch.list);
	ck_assert(listwatch_listed(&watch, "9", 1000100));
	listwatch_begin(&watch, 1000100);
	ck_assert_int_eq(listwatch_ended(&watch, &refused, 1000101, 0.5), 0);
}
END_TEST

START_TEST(a_refused_parameter_is_left_out_from_then_on)
{
	struct listwatch watch = watching();
	struct listwatch_outcome refused = http(_i ? 422 : 400);

	listwatch_ended(&watch, &refused, 1000001, 0);
	ck_assert(watch.list);
	ck_assert(watch.plain);
}
END_TEST

START_TEST(any_other_end_of_a_watch_lists_after_a_delay)
{
	const struct listwatch_outcome others[] = {broken, http(403), http(404), http(302),
		error_event(0), error_event(403), {.end = LISTWATCH_END_MALFORMED}};
	struct listwatch watch = watching();

	ck_assert_int_ge(listwatch_ended(&watch, &others[_i], 1500000, 0), LISTWATCH_DELAY_MIN_MS);
	ck_assert(watch.list);
}
END_TEST

START_TEST(silence_lists_however_it_comes)
{
	struct listwatch watch = watching();
	int64_t now = 1000000;

	ck_assert_int_eq(listwatch_silence_left(&watch, now), LISTWATCH_SILENCE_MS);
	ck_assert_int_eq(listwatch_silence_left(&watch, now + LISTWATCH_SILENCE_MS), 0);
	ck_assert(listwatch_heard(&watch, "8", now + 60000));
	ck_assert_int_eq(listwatch_silence_left(&watch, now + LISTWATCH_SILENCE_MS), 60000);

	struct listwatch_outcome silent = {.end = LISTWATCH_END_SILENT};
	ck_assert_int_eq(listwatch_ended(&watch, &silent, now + 400000, 0.5), 0);
	ck_assert(watch.list);

	/* Watches that end well every 2 s but never bring a thing. */
	watch = watching();
	while (!watch.list && now < 2000000) {
		now += 2000;
		listwatch_ended(&watch, &clean, now, 0);
		listwatch_begin(&watch, now);
	}
	ck_assert_int_le(now, 1000000 + LISTWATCH_SILENCE_MS + 2000);
}
END_TEST

START_TEST(delays_grow_to_their_limit_and_begin_anew_after_health)
{
	struct listwatch watch = watching();
	int64_t now = 1000000, last = 0;

	for (int i = 0; i < 50; i++) {
		int64_t delay = listwatch_ended(&watch, &broken, now, 0.999);

		ck_assert_int_ge(delay, last);
		ck_assert_int_le(delay, LISTWATCH_DELAY_MAX_MS * 3 / 2);
		last = delay;
		now += delay + 10000;
	}
	ck_assert_int_gt(last, LISTWATCH_DELAY_MAX_MS);
	ck_assert_int_eq(listwatch_ended(&watch, &broken, now + 130000, 0), LISTWATCH_DELAY_MIN_MS);
}
END_TEST

START_TEST(a_version_that_cannot_be_kept_is_refused)
{
	struct listwatch watch = watching();
	char text[LISTWATCH_VERSION_SIZE + 1];

	memset(text, '1', sizeof(text));
	text[LISTWATCH_VERSION_SIZE] = '\0';
	ck_assert(!listwatch_heard(&watch, text, 1000000));
	ck_assert(!listwatch_listed(&watch, "", 1000000));
	text[LISTWATCH_VERSION_SIZE - 1] = '\0';
	ck_assert(listwatch_heard(&watch, text, 1000000));
}
END_TEST

/* Whatever the server does, requests stay few and a list comes at least once in each silence. */
START_TEST(any_history_of_ends_stays_within_its_rate_and_lists_in_time)
{
	for (int history = 0; history < 200; history++) {
		struct listwatch watch;
		int64_t now = 5000000, listed = now;
		int requests = 0;

		listwatch_init(&watch, 60000);
		while (now < 5000000 + 600000) {
			double random01 = (double)(rand() % 1000) / 1000.0;
			struct listwatch_outcome outcome = {
				.end = (enum listwatch_end)(rand() % LISTWATCH_ENDS),
				.code = (unsigned[]){0, 401, 403, 410, 429, 500}[rand() % 6],
			};

			listwatch_begin(&watch, now);
			requests++;
			if (watch.list) {
				listed = now;
				if (rand() % 2) {
					ck_assert(listwatch_listed(&watch, "5", now));
					continue;
				}
			} else if (listwatch_silence_left(&watch, now) > 0) {
				now += rand() % 3 ? 1 : rand() % 5000;
				if (rand() % 100 == 0) {
					ck_assert(listwatch_heard(&watch, "6", now));
					listed = now;
				}
			}
			int64_t delay = listwatch_ended(&watch, &outcome, now, random01);
			ck_assert_int_ge(delay, 0);
			ck_assert_int_le(delay, LISTWATCH_DELAY_MAX_MS * 3 / 2);
			now += delay;
			ck_assert_int_le(now - listed, 60000 + 5000 + 6000);
		}
		ck_assert_int_lt(requests, 4000);
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_watch_that_ends_cleanly_goes_on_at_once_from_the_last_version, ONCE},
		{a_second_empty_watch_in_a_row_lists, ONCE},
		{a_forgotten_version_lists_at_once, 2},
		{a_version_that_is_always_forgotten_does_not_become_a_storm, ONCE},
		{an_overloaded_server_is_given_time_and_the_version_kept_once, 8},
		{retry_after_is_heeded_up_to_a_limit, ONCE},
		{a_refused_token_is_read_again_once_at_once_then_with_delay, ONCE},
		{a_refused_parameter_is_left_out_from_then_on, 2},
		{any_other_end_of_a_watch_lists_after_a_delay, 7},
		{silence_lists_however_it_comes, ONCE},
		{delays_grow_to_their_limit_and_begin_anew_after_health, ONCE},
		{a_version_that_cannot_be_kept_is_refused, ONCE},
		{any_history_of_ends_stays_within_its_rate_and_lists_in_time, ONCE},
	};

	run_dice("watch");
	return run_suite("listwatch", tests, N_OF(tests));
}
