/* SPDX-License-Identifier: MIT */
/* Prometheus text format and OpenMetrics 1.0, written to a stream. */
#ifndef WSB_PROMTEXT_H
#define WSB_PROMTEXT_H

#include "core/base/buf.h"
#include <stdbool.h>
#include <stdint.h>

#include "core/stats.h"

/*
 * Names are given without the _total of a counter and the _info of an info: the two formats put
 * them in different places. The samples of a family follow its promtext_family at once.
 */
struct promtext {
	struct buf *to;
	bool openmetrics;
};

enum promtext_type { PROMTEXT_GAUGE, PROMTEXT_COUNTER, PROMTEXT_HISTOGRAM, PROMTEXT_INFO };

/* The lines before the samples. help is one line without a backslash. */
void promtext_family(
	const struct promtext *out, const char *name, enum promtext_type type, const char *help);

/* One label of a sample; the caller writes the braces and commas. Any bytes may be in value. */
void promtext_label(const struct promtext *out, const char *name, const char *value);
/* A sample's value and the end of its line; NaN and infinity too. */
void promtext_value(const struct promtext *out, double value);
/* The same of a finite value, with four decimals at most: cheap, where there are thousands. */
void promtext_decimal(const struct promtext *out, double value);

/* Whole families of one sample. */
void promtext_gauge(const struct promtext *out, const char *name, const char *help, double value);
void promtext_counter(const struct promtext *out, const char *name, const char *help, double value);
void promtext_histogram(const struct promtext *out, const char *name, const char *help,
	const struct stats_histogram *values);

/* A sample of a counter whose label result has the given word. */
void promtext_result(const struct promtext *out, const char *name, const char *word, uint64_t n);

#endif
