/* SPDX-License-Identifier: MIT */
/* HTTP requests whose answer is due later. */
#ifndef WSB_SUSPENDED_H
#define WSB_SUSPENDED_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

/* Well below the connections that one listening socket takes: who waits must not keep the probes
 * out. */
enum { SUSPENDED_MAX = 32 };

/* Zeroed memory is empty. */
struct suspended {
	struct MHD_Connection *held[SUSPENDED_MAX];
	size_t n_held;
};

/*
 * Suspends a connection, from within its access handler, which must then return MHD_YES and is
 * called again once it is resumed. No idle time runs out meanwhile. False, with nothing done, when
 * too many wait already.
 */
bool suspended_hold(struct suspended *suspended, struct MHD_Connection *connection);

/* Resumes all: their daemons have work then. A daemon must not be stopped while one of its
 * connections is suspended. */
void suspended_release(struct suspended *suspended);

#endif
