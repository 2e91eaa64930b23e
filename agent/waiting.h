/* SPDX-License-Identifier: MIT */
/* HTTP requests whose answer is due later. */
#ifndef WSB_WAITING_H
#define WSB_WAITING_H

#include <stdbool.h>
#include <stdint.h>

struct ev_loop;
struct MHD_Connection;
struct waiting;

/* released is called after connections were resumed: the daemons have work. NULL when out of
 * memory. */
struct waiting *waiting_new(struct ev_loop *loop, void (*released)(void *arg), void *arg);
/* Releases what waits; released is not called. Takes NULL. */
void waiting_free(struct waiting *waiting);

/*
 * Suspends a connection, from within its access handler, which must then return MHD_YES and is
 * called again once it is resumed. All that wait are resumed together, when the last one's time is
 * over. False, with nothing done, when too many wait already.
 */
bool waiting_hold(struct waiting *waiting, struct MHD_Connection *connection, int64_t ms);

/* Resumes all at once: a daemon must not be stopped while a connection of its own is suspended. */
void waiting_release(struct waiting *waiting);

#endif
