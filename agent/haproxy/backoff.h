/* SPDX-License-Identifier: MIT */
/* Whether HAProxy answers: how long it is left alone when it does not, and what is said of that. */
#ifndef WSB_BACKOFF_H
#define WSB_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/stats.h"
#include "io/log.h"

/* Zeroed memory is a HAProxy that has not failed. */
struct backoff {
	unsigned n_failures; /* in a row */
	int64_t retry_ms;    /* not before this */
	struct log_repeat repeat;
	bool was_expected; /* the last failure */
};

/* How a failure is taken. */
struct backoff_manner {
	int64_t interval_ms; /* the next try is after this long */
	bool backs_off;      /* or twice as long with each failure, up to 10 s */
	bool is_expected;    /* HAProxy is about to stop, or to start: nobody must act on it */
};

/* It did not answer, or not what can be read: why and detail (which may be "") in words. */
void backoff_fail(struct backoff *backoff, struct stats *stats, const struct backoff_manner *manner,
	const char *why, const char *detail);
void backoff_succeed(struct backoff *backoff, struct stats *stats);

/* Another process is there, or another way to it: it is tried at once. */
void backoff_forget(struct backoff *backoff);

/* It may be tried now. */
bool backoff_is_due(const struct backoff *backoff);

#endif
