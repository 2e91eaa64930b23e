/* SPDX-License-Identifier: MIT */
/* One Service's list and watch without the network: an answer's bytes in, endpoints and what to ask
 * next out. */
#ifndef WSB_KUBEFEED_H
#define WSB_KUBEFEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/jsonstream.h"
#include "core/base/why.h"
#include "core/kube/listwatch.h"
#include "core/kube/slicestore.h"

enum { KUBEFEED_REFUSAL_SIZE = 2048 }; /* of a Status that says why not */

struct kubefeed {
	struct slicestore *slices;
	struct listwatch watch; /* what to ask next: list, version, plain */
	bool changed;           /* slices has news; the caller takes note and clears it */
	struct why failure;     /* the last one; no text since the last list */

	/* The rest is the module's own. */
	bool list; /* the running request is a LIST */
	struct jsonstream stream;
	struct json_object *listing; /* the list that came in it */
	bool broken_off;             /* by us: verdict says why */
	struct listwatch_outcome verdict;
	char refusal[KUBEFEED_REFUSAL_SIZE];
	size_t refusal_len;
};

/* How the transport saw a request end. */
struct kubefeed_end {
	bool whole;             /* the answer came to its proper end */
	unsigned code;          /* HTTP status */
	int64_t retry_after_ms; /* 0: none asked for */
	const char *detail;     /* without whole: what went wrong, in words */
};

/* What follows. */
struct kubefeed_next {
	bool listed;                      /* a list was taken: the watch is to begin */
	struct listwatch_outcome outcome; /* without listed: how the request ended */
	int64_t delay_ms;                 /* until the next request */
};

/* service, port: see slicestore_new; silence_ms: see listwatch_init. False when out of memory, with
 * nothing to free. */
bool kubefeed_init(
	struct kubefeed *feed, const char *service, const char *port, int64_t silence_ms);

/* Takes a zeroed struct. */
void kubefeed_fini(struct kubefeed *feed);

/* The request that feed->watch describes goes out. */
void kubefeed_begin(struct kubefeed *feed, int64_t now_ms);

/* Takes bytes of its answer. False: the request is to be broken off, and then ended. */
bool kubefeed_feed(
	struct kubefeed *feed, unsigned code, const char *bytes, size_t len, int64_t now_ms);

/* The request is over, for whatever reason. random01 is in [0, 1). */
struct kubefeed_next kubefeed_ended(
	struct kubefeed *feed, const struct kubefeed_end *end, int64_t now_ms, double random01);

/* The running watch was silent for too long and has been stopped. */
struct kubefeed_next kubefeed_silent(struct kubefeed *feed, int64_t now_ms, double random01);

#endif
