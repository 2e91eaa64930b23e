/* SPDX-License-Identifier: MIT */
/* The Runtime API client: one line of commands to HAProxy's stats socket, one answer. */
#ifndef WSB_RUNTIME_H
#define WSB_RUNTIME_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/config/config.h"

/*
 * Each line goes over a connection of its own, which HAProxy closes after its answer: a standing
 * one would stay with the old worker after a reload, and keep it alive. Lines wait for each other:
 * the stats socket takes ten connections at a time, and others want some too.
 */
struct runtime;

enum runtime_outcome {
	RUNTIME_OK,            /* reply holds the whole answer */
	RUNTIME_NO_CONNECTION, /* no such socket, refused, no right to it */
	RUNTIME_BROKEN,        /* the connection broke before the answer ended */
	RUNTIME_TIMED_OUT,
	RUNTIME_TOO_LARGE,
	RUNTIME_OUT_OF_MEMORY,
};

struct runtime_reply {
	enum runtime_outcome outcome;
	const char *bytes; /* with RUNTIME_OK; gone after the callback */
	size_t len;
	const char *detail; /* the failure in words, else "" */
	bool is_gone;       /* with RUNTIME_NO_CONNECTION: nobody listens there, or there is no such
			       socket */
	double seconds;     /* from the call of runtime_send's turn to the end */
};

typedef void (*runtime_done)(const struct runtime_reply *reply, void *arg);

/* NULL when out of memory. Connects to nothing yet. endpoint is copied. */
struct runtime *runtime_new(struct ev_loop *loop, const struct config_endpoint *endpoint);
/* No callback is called any more. Takes NULL. */
void runtime_free(struct runtime *runtime);

/*
 * Queues a line that ends in a newline; it is copied. done is called once, from the loop, never
 * from inside this call. False when out of memory: done will not be called.
 */
bool runtime_send(struct runtime *runtime, const char *line, runtime_done done, void *arg);

/* "ok", "no connection", ...; static. */
const char *runtime_outcome_name(enum runtime_outcome outcome);

#endif
