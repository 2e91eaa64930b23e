/* SPDX-License-Identifier: MIT */
/* A pod's answer to /metric: bytes in, a count and a name out. */
#ifndef WSB_METRIC_H
#define WSB_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	METRIC_BODY_MAX = 64 * 1024, /* bytes; a longer answer is refused */
	METRIC_NAME_MAX = 255, /* bytes kept of each name; longer ones are cut at a character */
};

/* How a poll of a pod ended. */
enum metric_outcome {
	METRIC_OK,
	METRIC_CONNECT_FAILED,
	METRIC_TIMED_OUT,
	METRIC_TLS_FAILED,
	METRIC_BROKEN,     /* the answer broke off, or was no HTTP */
	METRIC_TOO_LARGE,  /* over METRIC_BODY_MAX */
	METRIC_REDIRECT,   /* 3xx: never followed */
	METRIC_BAD_STATUS, /* any other but 200 */
	METRIC_NOT_JSON,
	METRIC_DUPLICATE_KEY, /* JSON, but a name stands twice in one object */
	METRIC_NO_KEY,        /* nothing at metricKey */
	METRIC_NOT_A_COUNT,   /* not a whole number from 0 to 2^31-1 */
	METRIC_BAD_FIELD,     /* draining is no boolean, or capacity no number from 0.001 to 1e9 */
	METRIC_OUT_OF_MEMORY,
	METRIC_N_OUTCOMES
};

/* What a pod said. Names are as the pod gave them, up to a NUL: any characters in valid UTF-8, to
 * be escaped by whoever shows them; "" where the pod gave none. */
struct metric {
	uint32_t count; /* 0..2^31-1 */
	bool draining;
	double capacity; /* 0.001..1e9, or 0 where the pod gave none */
	char pod_name[METRIC_NAME_MAX + 1];
	char pod_ip[METRIC_NAME_MAX + 1];
	char node_name[METRIC_NAME_MAX + 1];
};

/*
 * Reads the body of a 200 answer. key is a dotted path: "a.b" is member b of member a. Returns
 * METRIC_OK with *out filled, or the reason with *out untouched.
 */
enum metric_outcome metric_parse(const char *body, size_t len, const char *key, struct metric *out);

/* A short name for a metrics label, "ok" or e.g. "not_json"; static. */
const char *metric_outcome_label(enum metric_outcome outcome);

/* The same in words for people, e.g. "answer is not JSON"; static. */
const char *metric_outcome_text(enum metric_outcome outcome);

#endif
