/* SPDX-License-Identifier: MIT */
#include "core/report/promtext.h"

#include <inttypes.h>
#include <math.h>

#include "core/base/text.h"

static const struct {
	const char *type;   /* in OpenMetrics */
	const char *plain;  /* in the older format, which knows no info */
	const char *suffix; /* of the family's name in the older format */
} types[] = {
	[PROMTEXT_GAUGE] = {"gauge", "gauge", ""},
	[PROMTEXT_COUNTER] = {"counter", "counter", "_total"},
	[PROMTEXT_HISTOGRAM] = {"histogram", "histogram", ""},
	[PROMTEXT_INFO] = {"info", "gauge", "_info"},
};

void promtext_family(
	const struct promtext *out, const char *name, enum promtext_type type, const char *help)
{
	const char *suffix = out->openmetrics ? "" : types[type].suffix;
	const char *word = out->openmetrics ? types[type].type : types[type].plain;

	buf_printf(out->to, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
		word);
}

void promtext_label(const struct promtext *out, const char *name, const char *value)
{
	buf_puts(out->to, name);
	buf_puts(out->to, "=\"");
	text_write_label(out->to, value);
	buf_putc(out->to, '"');
}

void promtext_value(const struct promtext *out, double value)
{
	/* Thirteen digits keep a time's milliseconds and drop the noise of a double's last ones. */
	if (isfinite(value))
		buf_printf(out->to, "%.13g\n", value);
	else
		buf_puts(out->to, isnan(value) ? "NaN\n" : value > 0 ? "+Inf\n" : "-Inf\n");
}

void promtext_decimal(const struct promtext *out, double value)
{
	text_write_decimal(out->to, value, 0);
	buf_putc(out->to, '\n');
}

void promtext_gauge(const struct promtext *out, const char *name, const char *help, double value)
{
	promtext_family(out, name, PROMTEXT_GAUGE, help);
	buf_printf(out->to, "%s ", name);
	promtext_value(out, value);
}

void promtext_counter(const struct promtext *out, const char *name, const char *help, double value)
{
	promtext_family(out, name, PROMTEXT_COUNTER, help);
	buf_printf(out->to, "%s_total ", name);
	promtext_value(out, value);
}

void promtext_result(const struct promtext *out, const char *name, const char *word, uint64_t n)
{
	buf_printf(out->to, "%s_total{result=\"%s\"} %" PRIu64 "\n", name, word, n);
}

void promtext_histogram(const struct promtext *out, const char *name, const char *help,
	const struct stats_histogram *values)
{
	uint64_t sum = 0;

	promtext_family(out, name, PROMTEXT_HISTOGRAM, help);
	for (size_t i = 0; i < STATS_N_BUCKETS; i++) {
		double bound = stats_bounds_s[i];

		sum += values->buckets[i];
		/* OpenMetrics wants 1.0 and not 1; one spelling in both keeps one series. */
		buf_printf(out->to, "%s_bucket{le=\"%g%s\"} %" PRIu64 "\n", name, bound,
			bound == floor(bound) ? ".0" : "", sum);
	}
	buf_printf(
		out->to, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum ", name, values->count, name);
	promtext_value(out, values->sum_s);
	buf_printf(out->to, "%s_count %" PRIu64 "\n", name, values->count);
}
