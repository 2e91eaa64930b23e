/* SPDX-License-Identifier: MIT */
/* Closes the WebSockets of a HAProxy that is about to stop, spread over time. */
#ifndef WSB_CLOSER_H
#define WSB_CLOSER_H

#include <ev.h>
#include <stdint.h>

#include "haproxy/runtime.h"

/*
 * Once a second it reads HAProxy's streams and has those closed that are due, chosen by chance, as
 * core/haproxy/closing has it. It is at work only while a hook holds HAProxy's stop, and only where
 * closeOver asks for it: the agent closes nothing otherwise.
 */
struct closer;

/* NULL when out of memory. */
struct closer *closer_new(struct ev_loop *loop);
/* Takes NULL. The loop must not run again before its runtime is freed, whose answers come here. */
void closer_free(struct closer *closer);

/* The way to HAProxy, the caller's; it must last until the next call or the end. NULL: none. */
void closer_configure(struct closer *closer, struct runtime *runtime);

/* Begins: the last WebSocket goes in over_ms, and no more than rate go in a second (0: any
 * number). */
void closer_start(struct closer *closer, int64_t over_ms, unsigned rate);

/* It closes no more. */
void closer_stop(struct closer *closer);

#endif
