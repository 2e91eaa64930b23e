/* SPDX-License-Identifier: MIT */
/* How long the event loop takes for a turn, and how much of that it worked. */
#ifndef WSB_LOOPWATCH_H
#define WSB_LOOPWATCH_H

#include <ev.h>
#include <stdint.h>

/*
 * A turn is all that the loop does between two waits: whatever became due meanwhile, a signal, a
 * timer or a connection, has waited for its end. Time in which the process had no processor or was
 * stopped counts too.
 */

/* A turn has ended that took so long, and of that busy_s of processor time at most; where that is
 * little, the agent waited: for a processor, for a disk, or to be woken from a stop. Called from
 * the loop, before it waits. */
typedef void (*loopwatch_turn)(double seconds, double busy_s, void *arg);

struct loopwatch {
	ev_prepare before;
	ev_check after;
	int64_t began_ns; /* of the turn under way; 0: none */
	int64_t busy_ns;  /* processor time of this thread at the end of the last one */
	loopwatch_turn turn;
	void *arg;
};

/* Watches until loopwatch_stop, and keeps the loop running no longer than others do. */
void loopwatch_start(struct loopwatch *watch, struct ev_loop *loop, loopwatch_turn turn, void *arg);
void loopwatch_stop(struct loopwatch *watch, struct ev_loop *loop);

#endif
