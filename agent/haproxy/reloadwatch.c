/* SPDX-License-Identifier: MIT */
/* "show info", again and again. */
#include "haproxy/reloadwatch.h"

#include <stdbool.h>
#include <stdlib.h>

static const double BEAT_S = 0.1;

struct reloadwatch {
	struct ev_loop *loop;
	struct runtime *runtime;
	reloadwatch_changed changed;
	void *arg;
	ev_timer beat;
	bool asking;
	struct hareply_info last; /* who answered; pid 0: nobody so far */
};

static void see(struct reloadwatch *pulse, const struct hareply_info *info)
{
	/* A worker on its way out may answer for a moment after the new one has. */
	if (info->stopping || hareply_is_same_process(&pulse->last, info))
		return;
	pulse->last = *info;
	pulse->changed(info, pulse->arg);
}

static void on_answer(const struct runtime_reply *reply, void *arg)
{
	struct reloadwatch *pulse = arg;
	struct hareply_snapshot snapshot = {.n_backends = 0};
	const char *why = "";

	pulse->asking = false;
	if (reply->outcome != RUNTIME_OK ||
		hareply_parse(reply->bytes, reply->len, &snapshot, &why) != HAREPLY_OK)
		return;
	see(pulse, &snapshot.info);
	hareply_fini(&snapshot);
}

static void on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct reloadwatch *pulse = timer->data;

	(void)loop;
	(void)events;
	/* One that waits for its turn behind other lines is not asked for twice. */
	if (!pulse->asking)
		pulse->asking = runtime_send(pulse->runtime, "show info\n", on_answer, pulse);
}

struct reloadwatch *reloadwatch_new(struct ev_loop *loop, reloadwatch_changed changed, void *arg)
{
	struct reloadwatch *pulse = calloc(1, sizeof(*pulse));

	if (!pulse)
		return NULL;
	pulse->loop = loop;
	pulse->changed = changed;
	pulse->arg = arg;
	ev_timer_init(&pulse->beat, on_beat, BEAT_S, BEAT_S);
	pulse->beat.data = pulse;
	return pulse;
}

void reloadwatch_free(struct reloadwatch *pulse)
{
	if (!pulse)
		return;
	ev_timer_stop(pulse->loop, &pulse->beat);
	free(pulse);
}

void reloadwatch_configure(struct reloadwatch *pulse, struct runtime *runtime)
{
	if (runtime == pulse->runtime)
		return;
	/* The answer goes with the old one. */
	pulse->asking = false;
	pulse->last = (struct hareply_info){.pid = 0};
	pulse->runtime = runtime;
	ev_timer_stop(pulse->loop, &pulse->beat);
	if (!runtime)
		return;
	ev_timer_set(&pulse->beat, BEAT_S, BEAT_S);
	ev_timer_start(pulse->loop, &pulse->beat);
}
