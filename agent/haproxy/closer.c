/* SPDX-License-Identifier: MIT */
#include "haproxy/closer.h"

#include <stdlib.h>
#include <sys/random.h>

#include "core/haproxy/closing.h"
#include "io/clock.h"
#include "io/log.h"

enum { TICK_MS = 1000 };

struct closer {
	struct ev_loop *loop;
	struct runtime *runtime;
	ev_timer tick;
	int64_t end_ms;
	unsigned rate;
	bool busy;                      /* an answer is waited for */
	struct closing_streams streams; /* what the tick under way has read */
	size_t due;                     /* of these, from the first */
	size_t asked;                   /* of those due, how many have been read again */
	uint64_t closed;
};

static double random01(void)
{
	uint32_t bits = 0;

	/* Short of randomness the choice is merely regular. */
	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
		bits = 0;
	return (double)bits / 4294967296.0;
}

static void end_tick(struct closer *closer)
{
	closer->busy = false;
	closing_fini(&closer->streams);
}

static void say(struct closer *closer, const char *line, runtime_done done)
{
	if (!runtime_send(closer->runtime, line, done, closer))
		end_tick(closer);
}

/* A HAProxy that has been stopped meanwhile is deaf: nothing to tell of. */
static bool is_lost(struct closer *closer, const struct runtime_reply *reply)
{
	if (reply->outcome == RUNTIME_OK && ev_is_active(&closer->tick))
		return false;
	if (reply->outcome != RUNTIME_OK)
		log_debug("WebSockets are not closed",
			log_str("error", runtime_outcome_name(reply->outcome)));
	end_tick(closer);
	return true;
}

static void ask_next(struct closer *closer);

static void on_closed(const struct runtime_reply *reply, void *arg)
{
	struct closer *closer = arg;

	if (!is_lost(closer, reply))
		ask_next(closer);
}

/* What has just been read is still what it was. */
static void on_asked(const struct runtime_reply *reply, void *arg)
{
	struct closer *closer = arg;
	uint64_t ids[CLOSING_BATCH];
	char line[CLOSING_LINE_SIZE];
	size_t n;

	if (is_lost(closer, reply))
		return;
	n = closing_websockets(reply->bytes, reply->len, ids, CLOSING_BATCH);
	if (n == 0) {
		ask_next(closer);
		return;
	}
	closer->closed += n;
	closing_write("shutdown session", ids, n, line);
	say(closer, line, on_closed);
}

/* Reads the next batch of those due again. */
static void ask_next(struct closer *closer)
{
	char line[CLOSING_LINE_SIZE];
	size_t n = closer->due - closer->asked;

	if (n == 0) {
		end_tick(closer);
		return;
	}
	if (n > CLOSING_BATCH)
		n = CLOSING_BATCH;
	closing_write("show sess", closer->streams.ids + closer->asked, n, line);
	closer->asked += n;
	say(closer, line, on_asked);
}

static void on_read(const struct runtime_reply *reply, void *arg)
{
	struct closer *closer = arg;

	if (is_lost(closer, reply))
		return;
	if (!closing_read(reply->bytes, reply->len, &closer->streams)) {
		end_tick(closer);
		return;
	}
	closer->due = closing_due(
		closer->streams.n, closer->end_ms - clock_now_ms(), TICK_MS, closer->rate);
	closer->asked = 0;
	closing_choose(&closer->streams, closer->due, random01);
	ask_next(closer);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct closer *closer = timer->data;

	(void)loop;
	(void)events;
	if (closer->busy || !closer->runtime)
		return;
	closer->busy = true;
	say(closer, "show sess\n", on_read);
}

struct closer *closer_new(struct ev_loop *loop)
{
	struct closer *closer = calloc(1, sizeof(*closer));

	if (!closer)
		return NULL;
	closer->loop = loop;
	ev_timer_init(&closer->tick, on_tick, TICK_MS / 1000.0, TICK_MS / 1000.0);
	closer->tick.data = closer;
	return closer;
}

void closer_free(struct closer *closer)
{
	if (!closer)
		return;
	ev_timer_stop(closer->loop, &closer->tick);
	closing_fini(&closer->streams);
	free(closer);
}

void closer_configure(struct closer *closer, struct runtime *runtime)
{
	/* The answer goes with the old one. */
	if (runtime != closer->runtime && closer->busy)
		end_tick(closer);
	closer->runtime = runtime;
}

void closer_start(struct closer *closer, int64_t over_ms, unsigned rate)
{
	closer->end_ms = clock_now_ms() + over_ms;
	closer->rate = rate;
	closer->closed = 0;
	log_info("closing WebSockets one after the other", log_int("over_ms", over_ms),
		log_int("most_a_second", rate));
	ev_timer_again(closer->loop, &closer->tick);
}

void closer_stop(struct closer *closer)
{
	if (!ev_is_active(&closer->tick))
		return;
	ev_timer_stop(closer->loop, &closer->tick);
	log_info("WebSockets were closed", log_int("n", (int64_t)closer->closed));
}
