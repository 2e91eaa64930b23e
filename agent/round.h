/* SPDX-License-Identifier: MIT */
/* The round: read HAProxy, update, plan, push; once an interval. */
#ifndef WSB_ROUND_H
#define WSB_ROUND_H

#include <stdbool.h>

#include "components.h"

/*
 *               tick                      slots lack pods
 *   WAITING -----------> READING ---------------------------> FILLING
 *    ^  ^ ^                | ^                                   |
 *    |  | |   failed,      | |       HAProxy has answered        |
 *    |  | |   put off,     | +-----------------------------------+
 *    |  | +----------------+
 *    |  |     no difference| planned: weights differ
 *    |  |                  v
 *    |  +-------------- PUSHING                round_stop, from anywhere
 *    | HAProxy has answered                   ----------> STOPPING --------> STOPPED
 *    |                                                          HAProxy has answered
 *    +-- a plan, with agent-check alone: nobody is read
 *
 * READING: "show stat" and its like are with HAProxy. FILLING: so are the commands that put pods
 * into server slots; then HAProxy is read again, once in a round, and planned on. PUSHING: so are
 * weights. A tick that finds no WAITING is skipped and counted.
 */
struct round;

/* The first round begins when the loop runs. components is the caller's and read anew each time.
 * NULL when out of memory. */
struct round *round_new(const struct components *components);
/* Takes NULL. */
void round_free(struct round *round);

/* The components have changed: begins a round as soon as none is under way. other_runtime: the way
 * to HAProxy too, and the old one is freed before the loop runs again. */
void round_configure(struct round *round, bool other_runtime);

/* Begins a round as soon as it may: there is news of the pods. Not while HAProxy does not answer.
 */
void round_hurry(struct round *round);
/* The same, HAProxy having just answered otherwise: it is another process. */
void round_restart(struct round *round);

/*
 * No more rounds: puts the configured weights back and calls done when HAProxy has answered, at
 * once where there is nothing to put back.
 */
void round_stop(struct round *round, void (*done)(void *arg), void *arg);

/* After round_stop: whether the weights are back, which is logged. A HAProxy that is gone has none.
 * Before done was called, HAProxy has not answered. */
bool round_is_restored(const struct round *round);

/* Puts the configured weights back and goes on: for when other backends are to be steered. */
void round_restore(struct round *round);

#endif
