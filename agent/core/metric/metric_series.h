/* SPDX-License-Identifier: MIT */
/* A selector of Prometheus series, and the lines that it fits. */
#ifndef WSB_METRIC_SERIES_H
#define WSB_METRIC_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"
#include "core/metric/metric_matcher.h"
#include "core/metric/metric_promline.h"

enum { METRIC_MATCHERS_MAX = 16 };

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

/* A HELP or TYPE line's name is that of the family that the series belongs to. */
bool metric_series_is_announced(
	const struct metric_series *series, const struct metric_promline *line);

/* scratch has room for the labels and a NUL. */
enum metric_fit metric_series_match(
	const struct metric_series *series, const struct metric_promline *line, char *scratch);

#endif
