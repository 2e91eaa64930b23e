/* SPDX-License-Identifier: MIT */
/* Whether a pod is told to be several workers, each of which answers for itself. */
#include <check.h>
#include <stdlib.h>

#include "core/cluster/workers.h"
#include "run.h"

enum { WORKERS = 4 };

/* A pod: each new connection is answered by the next worker, the kept one by the first. */
struct trial {
	struct workers workers;
	uint32_t counts[WORKERS];
	unsigned n; /* of them */
	unsigned next;
	unsigned n_fresh; /* polls over a new connection */
};

static void poll(struct trial *trial, uint32_t held)
{
	unsigned who = 0;

	if (workers_wants_fresh(&trial->workers)) {
		who = trial->next++ % trial->n;
		trial->n_fresh++;
	}
	workers_observe(&trial->workers, trial->counts[who], held);
}

static void poll_many(struct trial *trial, unsigned n, uint32_t held)
{
	for (unsigned i = 0; i < n; i++)
		poll(trial, held);
}

START_TEST(workers_that_answer_for_themselves_are_found_out)
{
	struct trial trial = {.counts = {20, 31, 24, 25}, .n = WORKERS};

	poll_many(&trial, 20, 100);
	ck_assert(trial.workers.several);
}
END_TEST

START_TEST(so_are_those_of_a_pod_that_others_fill_too)
{
	/* A quarter of it is ours: what one worker tells of looks like enough. */
	struct trial trial = {.counts = {20, 64, 24, 70}, .n = WORKERS};

	poll_many(&trial, 600, 44);
	ck_assert(trial.workers.several);
}
END_TEST

/* Plain requests are sessions of HAProxy's too, and no connections of the pod's. */
START_TEST(plain_requests_are_no_workers)
{
	struct trial trial = {.counts = {25}, .n = 1};

	poll_many(&trial, 100, 100);
	ck_assert(!trial.workers.several);
	ck_assert(!trial.workers.suspect);
	/* And from then on it is asked as others are. */
	trial.n_fresh = 0;
	poll_many(&trial, 480, 100);
	ck_assert_uint_le(trial.n_fresh, 4);
}
END_TEST

START_TEST(a_busy_pod_is_no_workers)
{
	struct trial trial = {.counts = {100}, .n = 1};
	unsigned dice = 1;

	/* Others come and go by up to ten in each interval. */
	for (int i = 0; i < 5000; i++) {
		dice = dice * 1103515245u + 12345u;
		trial.counts[0] += (dice >> 16) % 21;
		trial.counts[0] -= 10;
		trial.counts[0] =
			trial.counts[0] < 20 || trial.counts[0] > 10000 ? 100 : trial.counts[0];
		poll(&trial, i % 2 == 0 ? 300 : 20);
		ck_assert(!trial.workers.several);
	}
}
END_TEST

/* Clients that come by another door all at once are no worker's, whichever poll hears of them
 * first. */
START_TEST(a_jump_is_no_workers)
{
	for (unsigned at = 2; at < 60; at++) {
		struct trial trial = {.counts = {0}, .n = 1};

		/* HAProxy's own sessions have closed, and were read before that: a suspect. */
		poll(&trial, 20);
		ck_assert(trial.workers.suspect);
		for (unsigned i = 0; i < 60; i++) {
			if (i == at)
				trial.counts[0] += 12;
			if (i == at + 9)
				trial.counts[0] -= 12;
			poll(&trial, 0);
			ck_assert_msg(!trial.workers.several, "jump at %u, poll %u", at, i);
		}
	}
}
END_TEST

START_TEST(an_honest_pod_is_asked_over_a_new_connection_seldom)
{
	struct trial trial = {.counts = {100}, .n = 1};

	poll_many(&trial, 1200, 100);
	ck_assert_uint_ge(trial.n_fresh, 9);
	ck_assert_uint_le(trial.n_fresh, 10);
	ck_assert(!trial.workers.suspect);
}
END_TEST

START_TEST(a_pod_that_has_become_one_process_is_believed_again)
{
	struct trial trial = {.counts = {20, 31, 24, 25}, .n = WORKERS};

	poll_many(&trial, 20, 100);
	ck_assert(trial.workers.several);
	trial.counts[0] = 100;
	trial.n = 1;
	poll_many(&trial, 60, 100);
	ck_assert(!trial.workers.several);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{workers_that_answer_for_themselves_are_found_out, ONCE},
		{so_are_those_of_a_pod_that_others_fill_too, ONCE},
		{plain_requests_are_no_workers, ONCE},
		{a_busy_pod_is_no_workers, ONCE},
		{a_jump_is_no_workers, ONCE},
		{an_honest_pod_is_asked_over_a_new_connection_seldom, ONCE},
		{a_pod_that_has_become_one_process_is_believed_again, ONCE},
	};

	return run_suite("workers", tests, N_OF(tests));
}
