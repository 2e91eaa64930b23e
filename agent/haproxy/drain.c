/* SPDX-License-Identifier: MIT */
/* Holds hooks while HAProxy drains. */
#include "haproxy/drain.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/log.h"

struct drain {
	struct ev_loop *loop;
	struct readiness *readiness;
	struct drain_listener *listeners;
	struct drain_options options;
	int64_t delay_ms; /* of the drain under way */
	int64_t over_ms;  /* its closeOver */
	struct closer *closer;
	ev_timer delay; /* until WebSockets are closed */
	ev_timer hold;  /* active while hooks wait */
	ev_timer revoke;
	bool stopped; /* the agent ends */
};

static void start_timer(struct drain *drain, ev_timer *timer, int64_t ms)
{
	ev_now_update(drain->loop);
	ev_timer_set(timer, (double)ms / 1000.0, 0.0);
	ev_timer_start(drain->loop, timer);
}

static void release(struct drain *drain)
{
	for (struct drain_listener *listener = drain->listeners; listener;
		listener = listener->next)
		listener->released(listener->arg);
}

/* Nobody sends new clients any more. */
static void on_delay(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct drain *drain = timer->data;

	(void)loop;
	(void)events;
	closer_start(drain->closer, drain->over_ms, drain->options.close_rate);
}

static void on_held(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct drain *drain = timer->data;

	(void)loop;
	(void)events;
	closer_stop(drain->closer);
	log_info("drained: HAProxy may stop now", LOG_NONE);
	start_timer(drain, &drain->revoke, drain->delay_ms);
	release(drain);
}

static void on_revoke(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct drain *drain = timer->data;

	(void)loop;
	(void)events;
	readiness_stop(drain->readiness, false);
}

struct drain *drain_new(struct ev_loop *loop, struct readiness *readiness)
{
	struct drain *drain = calloc(1, sizeof(*drain));

	if (!drain)
		return NULL;
	drain->loop = loop;
	drain->readiness = readiness;
	drain->closer = closer_new(loop);
	if (!drain->closer) {
		free(drain);
		return NULL;
	}
	ev_init(&drain->delay, on_delay);
	drain->delay.data = drain;
	ev_init(&drain->hold, on_held);
	ev_init(&drain->revoke, on_revoke);
	drain->hold.data = drain;
	drain->revoke.data = drain;
	return drain;
}

void drain_free(struct drain *drain)
{
	if (!drain)
		return;
	ev_timer_stop(drain->loop, &drain->delay);
	ev_timer_stop(drain->loop, &drain->hold);
	ev_timer_stop(drain->loop, &drain->revoke);
	closer_free(drain->closer);
	free(drain);
}

void drain_listen(struct drain *drain, struct drain_listener *listener)
{
	listener->next = drain->listeners;
	drain->listeners = listener;
}

void drain_unlisten(struct drain *drain, struct drain_listener *listener)
{
	struct drain_listener **at = &drain->listeners;

	while (*at && *at != listener)
		at = &(*at)->next;
	if (*at)
		*at = listener->next;
}

void drain_connect(struct drain *drain, struct runtime *runtime)
{
	closer_configure(drain->closer, runtime);
}

int64_t drain_hold_ms(const struct drain *drain)
{
	return drain->options.delay_ms + drain->options.close_over_ms;
}

void drain_configure(struct drain *drain, const struct drain_options *options)
{
	drain->options = *options;
}

/* Why there is nothing to hold a hook for; NULL when there is. */
static const char *nothing_to_do(const struct drain *drain)
{
	if (drain->options.dry_run)
		return "a dry run: HAProxy is told nothing";
	if (!drain->options.has_haproxy)
		return "haproxy.socket is not set: HAProxy cannot be told";
	if (drain->options.delay_ms == 0)
		return "drainDelay is 0s: HAProxy is told nothing";
	return NULL;
}

bool drain_ask(struct drain *drain)
{
	if (ev_is_active(&drain->hold))
		return true;
	/* Or drained already. */
	if (ev_is_active(&drain->revoke) || nothing_to_do(drain) || drain->stopped)
		return false;
	log_info(
		"draining: HAProxy is about to stop", log_int("delay_ms", drain->options.delay_ms));
	drain->delay_ms = drain->options.delay_ms;
	drain->over_ms = drain->options.close_over_ms;
	start_timer(drain, &drain->hold, drain->delay_ms + drain->over_ms);
	if (drain->over_ms > 0)
		start_timer(drain, &drain->delay, drain->delay_ms);
	readiness_stop(drain->readiness, true);
	return true;
}

bool drain_answer(struct drain *drain, char *text, size_t size)
{
	bool draining = ev_is_active(&drain->hold) || ev_is_active(&drain->revoke);
	const char *nothing = draining ? NULL : nothing_to_do(drain);
	const char *complaint = nothing ? NULL : readiness_complaint(drain->readiness);

	if (drain->stopped)
		snprintf(text, size, "not drained: the agent stops\n");
	else if (nothing)
		snprintf(text, size, "not drained: %s\n", nothing);
	else if (complaint)
		snprintf(text, size, "not drained: HAProxy was not told: %s\n", complaint);
	else
		snprintf(text, size, "drained\n");
	return !drain->stopped && !complaint;
}

void drain_stop(struct drain *drain)
{
	drain->stopped = true;
	ev_timer_stop(drain->loop, &drain->delay);
	closer_stop(drain->closer);
	ev_timer_stop(drain->loop, &drain->hold);
	ev_timer_stop(drain->loop, &drain->revoke);
	release(drain);
}
