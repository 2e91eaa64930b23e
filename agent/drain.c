/* SPDX-License-Identifier: MIT */
/* Keeps proc.stopping. */
#include "drain.h"

#include <stdbool.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"

struct drain {
	struct ev_loop *loop;
	struct runtime *runtime;
	int64_t delay_ms;
	int64_t over_ms;      /* when a drain under way is over; 0: none is */
	ev_timer undo;
	int64_t told_pid;     /* the worker that was told, and when it started */
	int64_t told_start_s;
};

static void on_told(const struct runtime_reply *reply, void *arg)
{
	(void)arg;
	/* Two commands that succeed answer an empty line each. */
	if (reply->outcome != RUNTIME_OK ||
		hareply_complaints(reply->bytes, reply->len, NULL, 0) > 0)
		log_error("HAProxy did not take proc.stopping",
			log_str("outcome", runtime_outcome_name(reply->outcome)),
			log_str("detail", reply->detail));
}

static void tell(struct drain *drain, bool stopping)
{
	/* "set var" is experimental in 2.6, and the mode lasts for the connection. */
	const char *line = stopping ? "experimental-mode on;set var proc.stopping int(1)\n"
				    : "experimental-mode on;set var proc.stopping int(0)\n";

	if (drain->runtime && !runtime_send(drain->runtime, line, on_told, drain))
		log_error("HAProxy is not told of proc.stopping: out of memory", LOG_NONE);
}

static void on_undo(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct drain *drain = timer->data;

	(void)loop;
	(void)events;
	log_warn("no stop has followed the drain: HAProxy is ready again", LOG_NONE);
	drain->over_ms = 0;
	tell(drain, false);
}

struct drain *drain_new(struct ev_loop *loop)
{
	struct drain *drain = calloc(1, sizeof(*drain));

	if (!drain)
		return NULL;
	drain->loop = loop;
	ev_init(&drain->undo, on_undo);
	drain->undo.data = drain;
	return drain;
}

void drain_free(struct drain *drain)
{
	if (!drain)
		return;
	ev_timer_stop(drain->loop, &drain->undo);
	free(drain);
}

void drain_configure(struct drain *drain, struct runtime *runtime, int64_t delay_ms)
{
	drain->runtime = runtime;
	drain->delay_ms = delay_ms;
}

int64_t drain_begin(struct drain *drain)
{
	int64_t now_ms = clock_now_ms();

	if (drain->over_ms == 0) {
		if (drain->delay_ms == 0)
			return -1;
		log_info("draining: HAProxy is about to stop", log_int("delay_ms", drain->delay_ms));
		drain->over_ms = now_ms + drain->delay_ms;
		tell(drain, true);
		ev_now_update(drain->loop);
		ev_timer_set(&drain->undo, 2.0 * (double)drain->delay_ms / 1000.0, 0.0);
		ev_timer_start(drain->loop, &drain->undo);
	}
	return drain->over_ms > now_ms ? drain->over_ms - now_ms : 0;
}

void drain_see(struct drain *drain, const struct hareply_info *info)
{
	bool same = info->pid == drain->told_pid && info->start_time_s == drain->told_start_s;

	drain->told_pid = info->pid;
	drain->told_start_s = info->start_time_s;
	if (!same && drain->over_ms != 0)
		tell(drain, true);
}
