/* SPDX-License-Identifier: MIT */
/* Sends lines of commands to HAProxy and judges what it says of them. */
#ifndef WSB_PUSH_H
#define WSB_PUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cluster/cluster.h"
#include "core/haproxy/commands.h"
#include "core/stats.h"
#include "haproxy/runtime.h"
#include "io/log.h"

/* No line is on its way any more. arrived: all of them, since there were none before, got to
 * HAProxy and were answered, though perhaps with a complaint. Called from the loop. */
typedef void (*push_done)(bool arrived, void *arg);

/* What became of lines, the worst last. */
enum push_trouble {
	PUSH_FINE,
	PUSH_GONE,    /* there is no HAProxy */
	PUSH_REFUSED, /* it complained of what it has */
	PUSH_LOST,    /* it did not answer, or half */
};

struct push {
	/* About what, where it is counted, whom it tells: all of it the caller's. */
	struct cluster *cluster;
	struct stats *stats;
	push_done done;
	void *arg;
	size_t n_flying; /* lines on their way */
	bool arrived;
	enum push_trouble trouble; /* the worst since the owner last reset it */
	bool may_be_gone; /* the owner stops, and says itself that there is no HAProxy any more */
	struct log_repeat refused;
};

void push_init(
	struct push *push, struct cluster *cluster, struct stats *stats, push_done done, void *arg);

/*
 * Sends the lines and frees them. What does not get there is seen in the next round's answer and
 * sent again. False when nothing is on its way, of these lines or others: done will not be called
 * then.
 */
bool push_lines(struct push *push, struct runtime *runtime, struct commands *lines);

/* The runtime has been freed, and with it what was on its way: done will not be called. */
void push_forget(struct push *push);

#endif
