/* SPDX-License-Identifier: MIT */
/* "show info", again and again. */
#include "haproxy/reloadwatch.h"

#include <stdbool.h>
#include <stdlib.h>

#include "core/haproxy/hareply.h"

static const double BEAT_S = 0.1;

struct reloadwatch {
	struct ev_loop *loop;
	struct runtime *runtime;
	reloadwatch_changed changed;
	void *arg;
	ev_timer beat;
	bool asking;
	struct hastate_info last; /* who answered; pid 0: nobody so far */
};

static void see(struct reloadwatch *watch, const struct hastate_info *info)
{
	/* A worker on its way out may answer for a moment after the new one has. */
	if (info->stopping || hastate_is_same_process(&watch->last, info))
		return;
	watch->last = *info;
	watch->changed(info, watch->arg);
}

static void on_answer(const struct runtime_reply *reply, void *arg)
{
	struct reloadwatch *watch = arg;
	struct hastate_snapshot snapshot = {.n_backends = 0};

	watch->asking = false;
	if (reply->outcome != RUNTIME_OK ||
		hareply_parse(reply->bytes, reply->len, &snapshot, NULL) != HAREPLY_OK)
		return;
	see(watch, &snapshot.info);
	hastate_fini(&snapshot);
}

static void on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct reloadwatch *watch = timer->data;

	(void)loop;
	(void)events;
	/* One that waits for its turn behind other lines is not asked for twice. */
	if (!watch->asking)
		watch->asking = runtime_send(watch->runtime, "show info\n", on_answer, watch);
}

struct reloadwatch *reloadwatch_new(struct ev_loop *loop, reloadwatch_changed changed, void *arg)
{
	struct reloadwatch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->loop = loop;
	watch->changed = changed;
	watch->arg = arg;
	ev_timer_init(&watch->beat, on_beat, BEAT_S, BEAT_S);
	watch->beat.data = watch;
	return watch;
}

void reloadwatch_free(struct reloadwatch *watch)
{
	if (!watch)
		return;
	ev_timer_stop(watch->loop, &watch->beat);
	free(watch);
}

void reloadwatch_configure(struct reloadwatch *watch, struct runtime *runtime)
{
	if (runtime == watch->runtime)
		return;
	/* The answer goes with the old one. */
	watch->asking = false;
	watch->last = (struct hastate_info){.pid = 0};
	watch->runtime = runtime;
	ev_timer_stop(watch->loop, &watch->beat);
	if (!runtime)
		return;
	ev_timer_set(&watch->beat, BEAT_S, BEAT_S);
	ev_timer_start(watch->loop, &watch->beat);
}
