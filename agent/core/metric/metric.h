/* SPDX-License-Identifier: MIT */
/* What a pod says of itself, and how asking it may end. */
#ifndef WSB_METRIC_H
#define WSB_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	METRIC_NAME_MAX = 255, /* bytes kept of each name; longer ones are cut at a character */
};

/* The shape of a pod's answer. */
enum metric_format {
	METRIC_JSON,
	METRIC_PROMETHEUS, /* text format 0.0.4 or OpenMetrics */
	METRIC_TEXT,       /* lines of words, each with a number behind it */
	METRIC_N_FORMATS
};

/* How a poll of a pod ended. */
enum metric_outcome {
	METRIC_OK,
	METRIC_CONNECT_FAILED,
	METRIC_TIMED_OUT,
	METRIC_TLS_FAILED,
	METRIC_BROKEN,       /* the answer broke off */
	METRIC_NOT_HTTP,     /* what answers speaks something else */
	METRIC_TOO_LARGE,    /* over metricMaxSize, or a line over METRIC_LINE_MAX */
	METRIC_TOO_COSTLY,   /* so many values that to read them takes too long */
	METRIC_COMPRESSED,   /* gzip, which nobody asked for */
	METRIC_REDIRECT,     /* 3xx: never followed */
	METRIC_BAD_STATUS,   /* any other but 200 and 5xx */
	METRIC_SERVER_ERROR, /* 5xx */
	METRIC_NOT_JSON,
	METRIC_DUPLICATE_KEY,  /* JSON, but a name stands twice in one object */
	METRIC_NOT_PROMETHEUS, /* the line of a wanted series cannot be read */
	METRIC_NO_KEY,         /* nothing at metricKey */
	METRIC_NO_SAMPLE,      /* the series is announced, and has no sample now */
	METRIC_NOT_A_COUNT,    /* not a whole number from 0 to 2^31-1 */
	METRIC_OUT_OF_MEMORY,
	METRIC_N_OUTCOMES
};

/* What a pod said. Names are as the pod gave them, up to a NUL: any characters in valid UTF-8, to
 * be escaped by whoever shows them; "" where the pod gave none. */
struct metric {
	uint32_t count; /* 0..2^31-1 */
	bool draining;
	double capacity; /* 0.001..1e9, or 0 where the pod gave none */
	/* What stood at drainingKey or capacityKey and could not be read: taken for absent. */
	bool odd_draining;
	bool odd_capacity;
	/* Terms of metricKey, bit 0 the first: those that had a sample, and those whose series is
	 * announced without one, which count as 0 in count. */
	uint32_t sampled;
	uint32_t unsampled;
	/* The names stand last: what is before them is taken over by itself. */
	char pod_name[METRIC_NAME_MAX + 1];
	char pod_ip[METRIC_NAME_MAX + 1];
	char node_name[METRIC_NAME_MAX + 1];
};

/* "json", "prometheus", "text"; static. */
const char *metric_format_name(enum metric_format format);

/* What to send as Accept for answers of this format; static. */
const char *metric_format_accept(enum metric_format format);

/* A short name for a metrics label, "ok" or e.g. "not_json"; static. */
const char *metric_outcome_label(enum metric_outcome outcome);

/* The answer is that of a server which tells no connections, now and in a minute: it speaks no
 * HTTP, has no such page, or nothing there is the number. */
bool metric_outcome_is_strange(enum metric_outcome outcome);

/* The same in words for people, e.g. "answer is not JSON"; static. */
const char *metric_outcome_name(enum metric_outcome outcome);

#endif
