/* SPDX-License-Identifier: MIT */
/* When to list and when to watch: what to ask the API server next, from how the last ask ended. */
#ifndef WSB_WATCH_H
#define WSB_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Kubernetes' list and watch: a LIST gives all objects and a version; a WATCH from that version
 * gives what changes, each event with a newer version, until it ends; then the next WATCH goes on
 * from there. A version is opaque. The API server may have forgotten it (410) or, restored from a
 * backup, may not have reached it yet: then it says nothing at all, so silence has a limit.
 *
 * A watch that breaks is followed by a LIST, not by a WATCH from its version as client-go does: one
 * Service's slices are cheap to list, and an API server that was put back to an older state is
 * then seen at once. The delays are short for the same reason: at most
 * WATCH_DELAY_MAX_MS * 1.5, so that an outage of the API costs the balancer no more than that.
 */

enum {
	WATCH_DELAY_MIN_MS = 800,
	WATCH_DELAY_MAX_MS = 4000,
	WATCH_RETRY_AFTER_MAX_MS = 30000,
	WATCH_SILENCE_MS = 240000, /* bookmarks come about once a minute, the first after two */
	WATCH_TIMEOUT_MIN_S = 300, /* how long one watch is asked to last, as client-go asks */
	WATCH_TIMEOUT_MAX_S = 600,
	WATCH_VERSION_SIZE = 256,
};

/* How a request ended. */
enum watch_end {
	WATCH_END_CLEAN,     /* a watch: the server ended the stream at an object's end */
	WATCH_END_TRANSPORT, /* not connected, broken off, or timed out */
	WATCH_END_HTTP,      /* another status than 200 */
	WATCH_END_EVENT,     /* a watch: an ERROR event */
	WATCH_END_MALFORMED, /* not what the API says, or too large */
	WATCH_END_SILENT,    /* a watch: given up after watch_silent */
	WATCH_ENDS,
};

struct watch_outcome {
	enum watch_end end;
	unsigned code;          /* WATCH_END_HTTP, WATCH_END_EVENT: 0 where there is none */
	int64_t retry_after_ms; /* 0: the server did not ask for a pause */
};

struct watch {
	bool list;                        /* the next request is a LIST */
	bool plain;                       /* the server refuses the watch's optional parameters */
	char version[WATCH_VERSION_SIZE]; /* where the next WATCH goes on; "" before the first list
					   */
	int64_t silence_ms;
	/* The rest is the module's own, but may be read. */
	bool listed; /* a list has come since the start */
	bool token_retried;
	unsigned failures; /* in a row: the delay's exponent */
	unsigned hasty;    /* requests in a row that ended at once with nothing to show */
	unsigned events;   /* of the running watch */
	int64_t began_ms;
	int64_t heard_ms;   /* the last list, event or bookmark */
	int64_t listed_ms;  /* the last list */
	int64_t healthy_ms; /* since when nothing has failed */
	uint64_t lists;     /* that were taken */
	uint64_t ends[WATCH_ENDS];
};

/* Begins with a LIST. silence_ms > 0: no event and no bookmark for so long means LIST again. */
void watch_init(struct watch *watch, int64_t silence_ms);

/* The request that watch->list, plain and version describe goes out. */
void watch_begin(struct watch *watch, int64_t now_ms);

/*
 * The LIST came and was stored: the next request is a WATCH from its version, at once. False when
 * the version cannot be kept; the caller ends it as WATCH_END_MALFORMED.
 */
bool watch_listed(struct watch *watch, const char *version, int64_t now_ms);

/* An event or a bookmark came; version may be NULL. False as above. */
bool watch_heard(struct watch *watch, const char *version, int64_t now_ms);

/*
 * The request ended otherwise than in watch_listed. Sets what the next one is and returns in how
 * many ms to send it. random01 is in [0, 1).
 */
int64_t watch_ended(
	struct watch *watch, const struct watch_outcome *outcome, int64_t now_ms, double random01);

/* In how many ms the running watch has been silent for too long: 0 means give it up. */
int64_t watch_silence_left(const struct watch *watch, int64_t now_ms);

/* timeoutSeconds of the next watch. random01 is in [0, 1). */
unsigned watch_timeout_s(double random01);

const char *watch_end_text(enum watch_end end);

#endif
