/* SPDX-License-Identifier: MIT */
/* Keeps HAProxy's readiness variables as they should be, over reloads and lost commands. */
#ifndef WSB_READINESS_H
#define WSB_READINESS_H

#include <ev.h>
#include <stdbool.h>

#include "core/haproxy/hastate.h"
#include "haproxy/runtime.h"

/*
 * Sends what core/procvars writes: at once when something changes, again every second until HAProxy
 * has taken it, and every second all the time while HAProxy is about to stop, so that the process
 * that a reload brings need not wait for a round to be told.
 */
struct readiness;

/* NULL when out of memory. */
struct readiness *readiness_new(struct ev_loop *loop);
/* Takes NULL. Its runtime must have been freed before, whose answers would come here. */
void readiness_free(struct readiness *readiness);

/* The way to HAProxy, the caller's; it must last until the next call or the end. NULL: HAProxy is
 * told nothing. */
void readiness_configure(struct readiness *readiness, struct runtime *runtime);

/* HAProxy is about to stop, or is not any more. */
void readiness_stop(struct readiness *readiness, bool stopping);

/* A process has answered a round. */
void readiness_see(struct readiness *readiness, const struct hastate_info *info);
/* And its slots hold what Kubernetes names. */
void readiness_fill(struct readiness *readiness, const struct hastate_info *info);

/* HAProxy has been told to be about to stop, and not yet otherwise: it may go at any time. */
bool readiness_is_stopping(const struct readiness *readiness);

/* Why HAProxy has not taken what readiness_stop said last, valid until the loop goes on; NULL when
 * it has. */
const char *readiness_complaint(const struct readiness *readiness);

#endif
