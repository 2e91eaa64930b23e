/* SPDX-License-Identifier: MIT */
/* When to list and when to watch: what to ask the API server next, from how the last ask ended. */
#ifndef WSB_LISTWATCH_H
#define WSB_LISTWATCH_H

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
 * LISTWATCH_DELAY_MAX_MS * 1.5, so that an outage of the API costs the balancer no more than that.
 */

enum {
	LISTWATCH_DELAY_MIN_MS = 800,
	LISTWATCH_DELAY_MAX_MS = 4000,
	LISTWATCH_RETRY_AFTER_MAX_MS = 30000,
	LISTWATCH_SILENCE_MS = 240000, /* bookmarks come about once a minute, the first after two */
	LISTWATCH_TIMEOUT_MIN_S = 300, /* how long one watch is asked to last, as client-go asks */
	LISTWATCH_TIMEOUT_MAX_S = 600,
	LISTWATCH_VERSION_SIZE = 256,
};

/* How a request ended. */
enum listwatch_end {
	LISTWATCH_END_CLEAN,     /* a watch: the server ended the stream at an object's end */
	LISTWATCH_END_TRANSPORT, /* not connected, broken off, or timed out */
	LISTWATCH_END_HTTP,      /* another status than 200 */
	LISTWATCH_END_EVENT,     /* a watch: an ERROR event */
	LISTWATCH_END_MALFORMED, /* not what the API says, or too large */
	LISTWATCH_END_SILENT,    /* a watch: given up after listwatch_silent */
	LISTWATCH_ENDS,
};

struct listwatch_outcome {
	enum listwatch_end end;
	unsigned code;          /* LISTWATCH_END_HTTP, LISTWATCH_END_EVENT: 0 where there is none */
	int64_t retry_after_ms; /* 0: the server did not ask for a pause */
};

struct listwatch {
	bool list;  /* the next request is a LIST */
	bool plain; /* the server refuses the watch's optional parameters */
	char version[LISTWATCH_VERSION_SIZE]; /* where the next WATCH goes on; "" before the first
					       * list
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
	uint64_t ends[LISTWATCH_ENDS];
};

/* Begins with a LIST. silence_ms > 0: no event and no bookmark for so long means LIST again. */
void listwatch_init(struct listwatch *watch, int64_t silence_ms);

/* The request that watch->list, plain and version describe goes out. */
void listwatch_begin(struct listwatch *watch, int64_t now_ms);

/*
 * The LIST came and was stored: the next request is a WATCH from its version, at once. False when
 * the version cannot be kept; the caller ends it as LISTWATCH_END_MALFORMED.
 */
bool listwatch_listed(struct listwatch *watch, const char *version, int64_t now_ms);

/* An event or a bookmark came; version may be NULL. False as above. */
bool listwatch_heard(struct listwatch *watch, const char *version, int64_t now_ms);

/*
 * The request ended otherwise than in listwatch_listed. Sets what the next one is and returns in
 * how many ms to send it. random01 is in [0, 1).
 */
int64_t listwatch_ended(struct listwatch *watch, const struct listwatch_outcome *outcome,
	int64_t now_ms, double random01);

/* In how many ms the running watch has been silent for too long: 0 means give it up. */
int64_t listwatch_silence_left(const struct listwatch *watch, int64_t now_ms);

/* timeoutSeconds of the next watch. random01 is in [0, 1). */
unsigned listwatch_timeout_s(double random01);

const char *listwatch_end_name(enum listwatch_end end);

#endif
