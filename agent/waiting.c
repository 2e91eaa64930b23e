/* SPDX-License-Identifier: MIT */
/* HTTP requests whose answer is due later. */
#include "waiting.h"

#include <ev.h>
#include <microhttpd.h>
#include <stddef.h>
#include <stdlib.h>

enum { HELD_MAX = 16 };

struct waiting {
	struct ev_loop *loop;
	ev_timer timer;
	void (*released)(void *arg);
	void *arg;
	struct MHD_Connection *held[HELD_MAX];
	size_t n_held;
};

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct waiting *waiting = timer->data;

	(void)loop;
	(void)events;
	waiting_release(waiting);
	waiting->released(waiting->arg);
}

struct waiting *waiting_new(struct ev_loop *loop, void (*released)(void *arg), void *arg)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting)
		return NULL;
	*waiting = (struct waiting){.loop = loop, .released = released, .arg = arg};
	ev_init(&waiting->timer, on_timer);
	waiting->timer.data = waiting;
	return waiting;
}

void waiting_free(struct waiting *waiting)
{
	if (!waiting)
		return;
	waiting_release(waiting);
	free(waiting);
}

bool waiting_hold(struct waiting *waiting, struct MHD_Connection *connection, int64_t ms)
{
	if (waiting->n_held == HELD_MAX)
		return false;
	MHD_suspend_connection(connection);
	waiting->held[waiting->n_held++] = connection;
	ev_timer_stop(waiting->loop, &waiting->timer);
	ev_now_update(waiting->loop);
	ev_timer_set(&waiting->timer, (double)ms / 1000.0, 0.0);
	ev_timer_start(waiting->loop, &waiting->timer);
	return true;
}

void waiting_release(struct waiting *waiting)
{
	ev_timer_stop(waiting->loop, &waiting->timer);
	while (waiting->n_held > 0)
		MHD_resume_connection(waiting->held[--waiting->n_held]);
}
