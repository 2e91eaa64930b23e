/* SPDX-License-Identifier: MIT */
/* HTTP requests whose answer is due later. */
#ifndef WSB_WAITING_H
#define WSB_WAITING_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

/* Well below the connections that one door takes: who waits must not keep the probes out. */
enum { WAITING_MAX = 32 };

/* Zeroed memory is empty. */
struct waiting {
	struct MHD_Connection *held[WAITING_MAX];
	size_t n_held;
};

/*
 * Suspends a connection, from within its access handler, which must then return MHD_YES and is
 * called again once it is resumed. No idle time runs out meanwhile. False, with nothing done, when
 * too many wait already.
 */
bool waiting_hold(struct waiting *waiting, struct MHD_Connection *connection);

/* Resumes all: their daemons have work then. A daemon must not be stopped while one of its
 * connections is suspended. */
void waiting_release(struct waiting *waiting);

#endif
