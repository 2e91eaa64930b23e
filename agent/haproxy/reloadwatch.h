/* SPDX-License-Identifier: MIT */
/* Notices between rounds that another HAProxy process has taken over. */
#ifndef WSB_RELOADWATCH_H
#define WSB_RELOADWATCH_H

#include <ev.h>

#include "core/haproxy/hastate.h"
#include "haproxy/runtime.h"

/*
 * A process that a reload or a restart brings has empty slots and turns clients away until the
 * agent has filled them, so where the agent fills slots it must not wait for its next round. Asks
 * HAProxy ten times a second who it is, which costs the same however many servers it has. HAProxy
 * that does not answer is not news: the rounds tell of that.
 */
struct reloadwatch;

/* Called from the loop, once for each process. */
typedef void (*reloadwatch_changed)(const struct hastate_info *info, void *arg);

/* NULL when out of memory. */
struct reloadwatch *reloadwatch_new(struct ev_loop *loop, reloadwatch_changed changed, void *arg);
/* Takes NULL. Its runtime must have been freed before, whose answers would come here. */
void reloadwatch_free(struct reloadwatch *watch);

/* The way to HAProxy, the caller's; it must last until the next call or the end. NULL: nobody is
 * asked. */
void reloadwatch_configure(struct reloadwatch *watch, struct runtime *runtime);

#endif
