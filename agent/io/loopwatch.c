/* SPDX-License-Identifier: MIT */
#include "io/loopwatch.h"

#include <time.h>

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void on_after(struct ev_loop *loop, ev_check *after, int events)
{
	struct loopwatch *watch = after->data;

	(void)loop;
	(void)events;
	watch->began_ns = now_ns();
}

static void on_before(struct ev_loop *loop, ev_prepare *before, int events)
{
	struct loopwatch *watch = before->data;

	(void)loop;
	(void)events;
	if (watch->began_ns > 0)
		watch->turn((double)(now_ns() - watch->began_ns) / 1e9, watch->arg);
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
