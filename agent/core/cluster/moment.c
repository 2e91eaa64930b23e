/* SPDX-License-Identifier: MIT */
#include "core/cluster/moment.h"

/* So long a count may stand while sessions move: gauges are written every 5 to 15 s as a rule.
 * Plain requests move sessions too, and may do so for hours while no WebSocket comes or goes. */
static const int64_t STANDS_MAX_MS = 30000;

/* When sessions have not moved for so long, a count that stands is right. */
static const int64_t REST_MS = 5000;

/* A number that was repeated so often while sessions moved, and then changes by so much at once, is
 * of one who counts now and then. Who counts when asked changes it by one or two after that. */
enum {
	REPEATS = 2,
	JUMP = 3,
};

/* What a jump speaks for, a small step speaking against it by 1, and what all may come to. */
enum {
	JUMP_WEIGHT = 2,
	WEIGHT_MOST = 6,
};

static void weigh(struct moment *moment, uint32_t by)
{
	if (moment->ms == 0 || moment->repeats < REPEATS)
		return;
	if (by < JUMP)
		moment->weight -= moment->weight > 0;
	else if (moment->weight + JUMP_WEIGHT <= WEIGHT_MOST)
		moment->weight += JUMP_WEIGHT;
}

/* The number is new, or nothing says that it is old. */
static void begin(struct moment *moment, uint32_t held, int64_t now_ms)
{
	moment->joined = false;
	moment->repeats = 0;
	moment->held = held;
	moment->since_ms = now_ms;
	moment->ms = now_ms;
}

static void repeat(struct moment *moment, uint32_t held, int64_t now_ms)
{
	if (held == moment->held || moment->joined || now_ms - moment->rest_ms >= REST_MS) {
		begin(moment, held, now_ms);
		return;
	}
	moment->repeats++;
	if (moment->weight == 0 || now_ms - moment->since_ms >= STANDS_MAX_MS)
		moment->ms = now_ms;
}

void moment_observe(struct moment *moment, uint32_t by, uint32_t held, int64_t now_ms)
{
	if (held != moment->held_last || moment->rest_ms == 0)
		moment->rest_ms = now_ms;
	moment->held_last = held;
	if (by == 0 && moment->ms != 0) {
		repeat(moment, held, now_ms);
		return;
	}
	weigh(moment, by);
	begin(moment, held, now_ms);
}

void moment_join(struct moment *moment)
{
	moment->weight = JUMP_WEIGHT;
	moment->joined = true;
}
