/* SPDX-License-Identifier: MIT */
#include "io/loopwatch.h"

#include <time.h>

static int64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void on_after(struct ev_loop *loop, ev_check *after, int events)
{
	struct loopwatch *watch = after->data;

	(void)loop;
	(void)events;
	watch->began_ns = read_ns(CLOCK_MONOTONIC);
}

static void on_before(struct ev_loop *loop, ev_prepare *before, int events)
{
	struct loopwatch *watch = before->data;
	int64_t took_ns = read_ns(CLOCK_MONOTONIC) - watch->began_ns;
	/* Read once a turn, for it is a call of the kernel: the little that the wait itself costs
	 * is taken for the turn's. */
	int64_t worked_ns = read_ns(CLOCK_THREAD_CPUTIME_ID);
	int64_t busy_ns = worked_ns - watch->busy_ns;

	(void)loop;
	(void)events;
	watch->busy_ns = worked_ns;
	if (watch->began_ns == 0)
		return;
	if (busy_ns > took_ns)
		busy_ns = took_ns;
	watch->turn((double)took_ns / 1e9, (double)busy_ns / 1e9, watch->arg);
}

void loopwatch_start(struct loopwatch *watch, struct ev_loop *loop, loopwatch_turn turn, void *arg)
{
	*watch = (struct loopwatch){.turn = turn, .arg = arg};
	ev_prepare_init(&watch->before, on_before);
	ev_check_init(&watch->after, on_after);
	watch->before.data = watch;
	watch->after.data = watch;
	/* First of all that a wait brings, and last before the next. */
	ev_set_priority(&watch->after, EV_MAXPRI);
	ev_set_priority(&watch->before, EV_MINPRI);
	ev_prepare_start(loop, &watch->before);
	ev_check_start(loop, &watch->after);
	ev_unref(loop);
	ev_unref(loop);
}

void loopwatch_stop(struct loopwatch *watch, struct ev_loop *loop)
{
	ev_ref(loop);
	ev_ref(loop);
	ev_prepare_stop(loop, &watch->before);
	ev_check_stop(loop, &watch->after);
}
