/* SPDX-License-Identifier: MIT */
/* A selector of Prometheus series, and the lines that it fits. */
#ifndef WSB_METRIC_SERIES_H
#define WSB_METRIC_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"

enum { METRIC_MATCHERS_MAX = 16 };

struct metric_matcher;

/* As in PromQL: name, name{label="v",other!="w",third=~"re",fourth!~"re"}, {"quoted.name"}. Regular
 * expressions are POSIX's extended ones and fit the whole value. */
struct metric_series {
	char *name;
	size_t name_len;
	struct metric_matcher *matchers;
	size_t n_matchers;
};

/* text[0..len) becomes a selector, to be released with metric_series_fini. False: *why says why,
 * and *series is untouched. */
bool metric_series_parse(
	const char *text, size_t len, struct metric_series *series, struct why *why);
/* Takes a zeroed struct. */
void metric_series_fini(struct metric_series *series);

/* A line of a page, cut into its parts, which point into the line. */
struct metric_line {
	enum {
		METRIC_LINE_NONE,   /* blank, a comment, or what is no sample at all */
		METRIC_LINE_SAMPLE, /* name, labels and rest are set */
		METRIC_LINE_HELP,   /* name is set */
		METRIC_LINE_TYPE,   /* name and rest, the type, are set */
		METRIC_LINE_EOF,    /* OpenMetrics' last line */
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

void metric_line_cut(const char *text, size_t len, struct metric_line *line);

/* A HELP or TYPE line's name is that of the family that the series belongs to. */
bool metric_series_is_announced(const struct metric_series *series, const struct metric_line *line);

/* How a sample of the series' name meets the matchers. */
enum metric_series_fit {
	METRIC_SERIES_FITS,
	METRIC_SERIES_MISFIT,
	METRIC_SERIES_BAD /* the labels cannot be read */
};

/* scratch has room for the labels and a NUL. */
enum metric_series_fit metric_series_match(
	const struct metric_series *series, const struct metric_line *line, char *scratch);

/*
 * The value of a sample, as client libraries write numbers: digits with a point and an exponent, or
 * Inf and NaN with a sign, in any case. Behind it may stand a stamp, and a comment. False where it
 * is none of these.
 */
bool metric_line_value(const struct metric_line *line, double *value);

#endif
