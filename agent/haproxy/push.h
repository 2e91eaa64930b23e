/* SPDX-License-Identifier: MIT */
/* Sends lines of commands to HAProxy and judges what it says of them. */
#ifndef WSB_PUSH_H
#define WSB_PUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cluster/cluster.h"
#include "core/stats.h"
#include "core/steer/reconcile.h"
#include "haproxy/runtime.h"
#include "io/log.h"

/* Every line on its way has been answered, or has failed. arrived: all of them got to HAProxy and
 * were answered, though perhaps with a complaint. Called once, from the loop. */
typedef void (*push_done)(bool arrived, void *arg);

/* Zeroed memory is a valid start. */
struct push {
	/* Where to, what it is about, where it is counted: all of it the caller's. */
	struct runtime *runtime;
	struct cluster *cluster;
	struct stats *stats;
	size_t n_flying; /* lines on their way */
	bool arrived;
	push_done done;
	void *arg;
	struct log_repeat refused;
};

/* Before the first push, and when any of the three is another. What is on its way with another
 * runtime goes with it: that one is to be freed before the loop runs again. */
void push_configure(
	struct push *push, struct runtime *runtime, struct cluster *cluster, struct stats *stats);

/*
 * Sends the lines and frees them. What does not get there is seen in the next round's answer and
 * sent again. Beside lines that are still on their way, done takes the place of theirs. False when
 * nothing is on its way: done will not be called.
 */
bool push_lines(struct push *push, struct reconcile *lines, push_done done, void *arg);

#endif
