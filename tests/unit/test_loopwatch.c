/* SPDX-License-Identifier: MIT */
/* What keeps the event loop is told apart: work, and waiting for a turn of the processor or a disk.
 */
#include <check.h>
#include <ev.h>
#include <stdlib.h>
#include <time.h>

#include "io/loopwatch.h"
#include "run.h"

static const double LONG_S = 0.05;

/* What the turns were. */
static double longest_s;
static double busiest_s;

static void on_turn(double seconds, double busy_s, void *arg)
{
	(void)arg;
	ck_assert_double_ge(busy_s, 0.0);
	ck_assert_double_le(busy_s, seconds);
	if (seconds > longest_s)
		longest_s = seconds;
	if (busy_s > busiest_s)
		busiest_s = busy_s;
}

static double processor_s(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void work(struct ev_loop *loop, ev_timer *timer, int events)
{
	double until_s = processor_s() + LONG_S;

	(void)loop;
	(void)timer;
	(void)events;
	while (processor_s() < until_s)
		;
}

/* What a process sees of a busy machine: its clock goes on, and its work does not. */
static void sleep_on(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct timespec nap = {.tv_nsec = (long)(1e9 * LONG_S)};

	(void)loop;
	(void)timer;
	(void)events;
	nanosleep(&nap, NULL);
}

static void nothing(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

static void run(void (*callback)(struct ev_loop *, ev_timer *, int))
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct loopwatch watch;
	ev_timer first;
	ev_timer last;

	ck_assert_ptr_nonnull(loop);
	longest_s = busiest_s = 0.0;
	loopwatch_start(&watch, loop, on_turn, NULL);
	ev_timer_init(&first, callback, 0.01, 0.0);
	/* A turn is told of when the loop waits again. */
	ev_timer_init(&last, nothing, 0.1, 0.0);
	ev_timer_start(loop, &first);
	ev_timer_start(loop, &last);
	ev_run(loop, 0);
	loopwatch_stop(&watch, loop);
	ev_loop_destroy(loop);
}

START_TEST(work_is_told_as_work)
{
	run(work);
	ck_assert_double_ge(longest_s, LONG_S);
	ck_assert_double_ge(busiest_s, 0.99 * LONG_S);
}
END_TEST

START_TEST(waiting_is_not)
{
	run(sleep_on);
	ck_assert_double_ge(longest_s, LONG_S);
	ck_assert_double_lt(busiest_s, 0.5 * LONG_S);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{work_is_told_as_work, ONCE},
		{waiting_is_not, ONCE},
	};

	return run_suite("loopwatch", tests, N_OF(tests));
}
