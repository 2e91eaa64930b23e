/* SPDX-License-Identifier: MIT */
/* Who is asked in each interval, and who once a minute. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/asking.h"
#include "core/cluster/backend.h"
#include "core/cluster/server.h"
#include "run.h"

enum { N = 4 };

struct bench {
	struct pod pods[N];
	struct server servers[N];
	struct server *pointers[N];
	struct backend backend;
	int64_t now_ms;
};

static void setup(struct bench *bench)
{
	*bench = (struct bench){.now_ms = 5000};
	for (int i = 0; i < N; i++) {
		bench->servers[i] = (struct server){.backend = &bench->backend,
			.pod = &bench->pods[i],
			.haproxy = {.port_is_sure = true},
			.state = SERVER_STEERED};
		bench->pointers[i] = &bench->servers[i];
	}
	bench->backend = (struct backend){.servers = bench->pointers, .n_servers = N};
}

/* A round: n pods that are wanted answer so. The number of those that were asked. */
static unsigned round_of(struct bench *bench, bool named, bool news, enum metric_outcome outcome)
{
	struct metric metric = {.count = 1};
	unsigned n = 0;

	for (int i = 0; i < N; i++)
		bench->pods[i].wanted = false;
	asking_update(&bench->backend, named, news, bench->now_ms);
	for (int i = 0; i < N; i++) {
		if (bench->pods[i].wanted)
			pod_observe(&bench->pods[i], outcome, &metric, NULL, bench->now_ms + 1);
		n += bench->pods[i].wanted;
	}
	bench->now_ms += 1000;
	return n;
}

static void make_quiet(struct bench *bench)
{
	for (int i = 0; i < ASKING_STRANGE_MAX; i++)
		ck_assert_uint_eq(round_of(bench, false, false, METRIC_BAD_STATUS), N);
}

START_TEST(strangers_are_asked_once_a_minute_in_turn)
{
	struct bench bench;
	unsigned by_pod[N] = {0};

	setup(&bench);
	make_quiet(&bench);
	for (int minute = 0; minute < 2 * N; minute++) {
		unsigned n = 0;

		for (int second = 0; second < 60; second++) {
			n += round_of(&bench, false, false, METRIC_BAD_STATUS);
			for (int i = 0; i < N; i++)
				by_pod[i] += bench.pods[i].wanted;
		}
		ck_assert_uint_eq(n, 1);
	}
	for (int i = 0; i < N; i++)
		ck_assert_uint_eq(by_pod[i], 2);
}
END_TEST

START_TEST(one_good_answer_and_all_are_asked_again)
{
	struct bench bench;

	setup(&bench);
	make_quiet(&bench);
	ck_assert_uint_eq(round_of(&bench, false, false, METRIC_OK), 1);
	ck_assert(bench.backend.asking.quiet);
	ck_assert_uint_eq(round_of(&bench, false, false, METRIC_OK), N);
	ck_assert(!bench.backend.asking.quiet);
}
END_TEST

START_TEST(news_begins_anew)
{
	struct bench bench;

	setup(&bench);
	make_quiet(&bench);
	ck_assert_uint_eq(round_of(&bench, false, true, METRIC_BAD_STATUS), N);
	for (int i = 1; i < ASKING_STRANGE_MAX; i++)
		ck_assert_uint_eq(round_of(&bench, false, false, METRIC_BAD_STATUS), N);
	ck_assert_uint_le(round_of(&bench, false, false, METRIC_BAD_STATUS), 1);
}
END_TEST

/* HAProxy tells "+1000" as 1000: whose the answers are is not known then. */
START_TEST(a_stranger_at_a_port_that_is_not_sure_is_left_in_peace)
{
	struct bench bench;

	setup(&bench);
	bench.servers[1].haproxy.port_is_sure = false;
	/* The others are pods, so the backend is none that is left in peace whole. */
	for (int i = 0; i < N; i++)
		bench.pods[i].heard = i != 1;
	for (int i = 0; i < ASKING_UNSURE_MAX; i++)
		ck_assert_uint_eq(round_of(&bench, false, false, METRIC_BAD_STATUS), N);
	ck_assert(asking_is_doubtful(&bench.servers[1]));
	ck_assert(!asking_is_doubtful(&bench.servers[0]));
	/* The poll of the third round was 999 ms before this one. */
	for (int second = 1; second < 60; second++)
		ck_assert_uint_eq(round_of(&bench, false, false, METRIC_BAD_STATUS), N - 1);
	while (round_of(&bench, false, false, METRIC_BAD_STATUS) < N)
		ck_assert_int_lt(bench.now_ms, 200000);
	/* A pod after all. */
	bench.now_ms += 60000;
	ck_assert_uint_eq(round_of(&bench, false, false, METRIC_OK), N);
	ck_assert_uint_eq(round_of(&bench, false, false, METRIC_BAD_STATUS), N);
}
END_TEST

/* Whoever named it has been told, and says where it is to be asked. */
START_TEST(what_is_named_is_asked_in_each_interval)
{
	struct bench bench;

	setup(&bench);
	bench.servers[1].haproxy.port_is_sure = false;
	for (int i = 0; i < 4 * ASKING_STRANGE_MAX; i++)
		ck_assert_uint_eq(round_of(&bench, true, false, METRIC_BAD_STATUS), N);
	ck_assert(asking_is_doubtful(&bench.servers[1]));
	ck_assert(!bench.backend.asking.quiet);
}
END_TEST

START_TEST(a_port_that_refuses_is_asked_on)
{
	struct bench bench;

	setup(&bench);
	bench.servers[1].haproxy.port_is_sure = false;
	for (int i = 0; i < 4 * ASKING_UNSURE_MAX; i++)
		ck_assert_uint_eq(round_of(&bench, false, false, METRIC_CONNECT_FAILED), N);
}
END_TEST

START_TEST(who_is_named_or_may_recover_is_asked_always)
{
	static const struct {
		bool named;
		enum metric_outcome outcome;
		bool quiet;
	} rows[] = {
		{true, METRIC_BAD_STATUS, false},
		{false, METRIC_CONNECT_FAILED, false},
		{false, METRIC_TIMED_OUT, false},
		{false, METRIC_SERVER_ERROR, false},
		{false, METRIC_BROKEN, false},
		{false, METRIC_NO_SAMPLE, false},
		{false, METRIC_REDIRECT, true},
		{false, METRIC_NOT_HTTP, true},
		{false, METRIC_NO_KEY, true},
		{false, METRIC_NOT_A_COUNT, true},
		{false, METRIC_NOT_JSON, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench bench;

		setup(&bench);
		for (int n = 0; n < 30; n++)
			round_of(&bench, rows[i].named, false, rows[i].outcome);
		ck_assert_msg(bench.backend.asking.quiet == rows[i].quiet, "row %zu", i);
	}
}
END_TEST

START_TEST(three_strangers_are_enough_and_one_that_was_heard_vouches_for_all)
{
	struct bench bench;

	setup(&bench);
	bench.pods[3].outcome = METRIC_TIMED_OUT;
	for (int i = 0; i < 3; i++)
		bench.pods[i].n_strange = ASKING_STRANGE_MAX;
	round_of(&bench, false, false, METRIC_TIMED_OUT);
	ck_assert(bench.backend.asking.quiet);
	bench.pods[3].heard = true;
	round_of(&bench, false, false, METRIC_TIMED_OUT);
	ck_assert(!bench.backend.asking.quiet);
	bench.pods[3].heard = false;
	bench.pods[0].n_strange = 9;
	round_of(&bench, false, false, METRIC_TIMED_OUT);
	ck_assert(!bench.backend.asking.quiet);
	/* Two are all where the others are down. */
	bench.servers[0].state = SERVER_DOWN;
	bench.servers[3].state = SERVER_MAINT;
	round_of(&bench, false, false, METRIC_TIMED_OUT);
	ck_assert(bench.backend.asking.quiet);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{strangers_are_asked_once_a_minute_in_turn, ONCE},
		{one_good_answer_and_all_are_asked_again, ONCE},
		{news_begins_anew, ONCE},
		{a_stranger_at_a_port_that_is_not_sure_is_left_in_peace, ONCE},
		{what_is_named_is_asked_in_each_interval, ONCE},
		{a_port_that_refuses_is_asked_on, ONCE},
		{who_is_named_or_may_recover_is_asked_always, ONCE},
		{three_strangers_are_enough_and_one_that_was_heard_vouches_for_all, ONCE},
	};

	return run_suite("asking", tests, N_OF(tests));
}
