/* SPDX-License-Identifier: MIT */
/* Says when the agent's own loop was late, and whose doing that was. */
#ifndef WSB_ANNOUNCE_TURNS_H
#define WSB_ANNOUNCE_TURNS_H

#include "io/log.h"

/* How often each was; zeroed memory is a valid start. */
struct announced_turns {
	struct log_repeat worked; /* the agent worked for most of the turn */
	struct log_repeat kept;   /* it was kept from its work */
};

/* A turn of the loop took too long, of which busy_s was processor time. The first of each kind is
 * said, and again whenever there are twice as many. */
void announce_turn(struct announced_turns *turns, double seconds, double busy_s);

#endif
