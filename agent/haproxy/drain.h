/* SPDX-License-Identifier: MIT */
/* The time before HAProxy stops: it turns unready, and whoever stands in front of it turns away. */
#ifndef WSB_DRAIN_H
#define WSB_DRAIN_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "haproxy/closer.h"
#include "haproxy/readiness.h"

/*
 * A hook that comes before HAProxy is stopped asks for a drain. From then on HAProxy says that it
 * is not ready, while it takes connections as before. All hooks that ask meanwhile are answered
 * together, when drainDelay and closeOver are over, and what stops HAProxy comes then. When nothing
 * has come for another drainDelay, somebody else has asked, and HAProxy is ready again; a hook that
 * asks in that time finds HAProxy drained and does not wait, so no number of them holds HAProxy for
 * longer.
 */
struct drain;

struct drain_options {
	int64_t delay_ms;      /* 0: there is nothing to wait for, and HAProxy is told nothing */
	int64_t close_over_ms; /* after that: WebSockets are closed, spread over so long; 0: none */
	unsigned close_rate;   /* the most a second; 0: any number */
	bool has_haproxy;      /* it can be told over the Runtime API */
	bool dry_run;          /* but must not */
};

/* Who holds hooks. */
struct drain_listener {
	void (*released)(void *arg); /* those that were held are to be answered */
	void *arg;
	struct drain_listener *next; /* the drain's */
};

/* NULL when out of memory; readiness must outlive it. */
struct drain *drain_new(struct ev_loop *loop, struct readiness *readiness);

/* The way to HAProxy for what is closed, as closer_configure takes it. */
void drain_connect(struct drain *drain, struct runtime *runtime);
/* Takes NULL. */
void drain_free(struct drain *drain);

/* The listener, which is the caller's, is told from now on. */
void drain_listen(struct drain *drain, struct drain_listener *listener);
void drain_unlisten(struct drain *drain, struct drain_listener *listener);

/* A drain under way goes on as it began. */
void drain_configure(struct drain *drain, const struct drain_options *options);

/* How long a hook is held, as configured. */
int64_t drain_hold_ms(const struct drain *drain);

/* A hook asks. True when its answer must wait until released is called. */
bool drain_ask(struct drain *drain);

/* The answer, a line of text cut to size. False when HAProxy has not turned unready although it
 * should have. */
bool drain_answer(struct drain *drain, char *text, size_t size);

/* The agent stops: hooks that wait are answered at once, and HAProxy stays as it is. */
void drain_stop(struct drain *drain);

#endif
