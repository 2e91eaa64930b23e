/* SPDX-License-Identifier: MIT */
/* A line of a Prometheus page: its parts, and its value. */
#ifndef WSB_METRIC_PROMLINE_H
#define WSB_METRIC_PROMLINE_H

#include <stdbool.h>
#include <stddef.h>

/* A line of a page, cut into its parts, which point into the line. */
struct metric_promline {
	enum {
		METRIC_PROMLINE_NONE,   /* blank, a comment, or what is no sample at all */
		METRIC_PROMLINE_SAMPLE, /* name, labels and rest are set */
		METRIC_PROMLINE_HELP,   /* name is set */
		METRIC_PROMLINE_TYPE,   /* name and rest, the type, are set */
		METRIC_PROMLINE_EOF,    /* OpenMetrics' last line */
	} kind;
	const char *name; /* without quotes; one with escapes is nobody's */
	size_t name_len;
	const char *labels; /* between the braces, behind a quoted name; NULL: none */
	size_t labels_len;
	const char *rest; /* what comes behind, from the value on */
	size_t rest_len;
	bool name_inside; /* the name stands in the braces, before labels */
	bool broken;      /* of a sample: its name is as said, and its labels do not end */
};

/* text[0..len) is a line without its end. */
void metric_promline_cut(const char *text, size_t len, struct metric_promline *line);

/* Sets the name at at, quoted or not. What comes behind it; NULL where there is none. */
const char *metric_promline_cut_name(const char *at, const char *end, struct metric_promline *line);

/*
 * The value of a sample, as client libraries write numbers: digits with a point and an exponent, or
 * Inf and NaN with a sign, in any case. Behind it may stand a stamp, and a comment. False where it
 * is none of these.
 */
bool metric_promline_value(const struct metric_promline *line, double *value);

#endif
