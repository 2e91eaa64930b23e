/* SPDX-License-Identifier: MIT */
/* The time before HAProxy stops: it turns unready, and whoever stands in front of it turns away. */
#ifndef WSB_DRAIN_H
#define WSB_DRAIN_H

#include <ev.h>
#include <stdint.h>

#include "core/hareply.h"
#include "runtime.h"

/*
 * A preStop hook asks for /drain. From then on HAProxy's variable proc.stopping is 1, which its
 * configuration can answer by failing the readiness probe, while it still takes connections; the
 * hook's answer comes when drainDelay is over, and the signal that stops HAProxy after it. When no
 * signal has come for another drainDelay, somebody else has asked, and the variable is 0 again.
 */
struct drain;

/* NULL when out of memory. */
struct drain *drain_new(struct ev_loop *loop);
/* Takes NULL. */
void drain_free(struct drain *drain);

/* runtime NULL: nobody is told, as in a dry run. delay_ms 0: there is no draining. A drain under
 * way goes on as it began. */
void drain_configure(struct drain *drain, struct runtime *runtime, int64_t delay_ms);

/* Begins to drain unless it has begun; returns in how many ms it is over, 0 when it is, or -1 when
 * there is no draining. */
int64_t drain_begin(struct drain *drain);

/* HAProxy has answered: a new worker knows nothing of a drain that has begun and is told. */
void drain_see(struct drain *drain, const struct hareply_info *info);

#endif
