/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/metric/metric_lex.h"
#include "core/metric/metric_series.h"

/* The types whose samples have suffixes of their own. */
static bool is_suffix_of_type(
	const char *type, size_t type_len, const char *suffix, size_t suffix_len)
{
	static const char *const suffixes[][2] = {
		{"counter", "_total"},
		{"histogram", "_count"},
		{"histogram", "_sum"},
		{"histogram", "_bucket"},
		{"gaugehistogram", "_gcount"},
		{"gaugehistogram", "_gsum"},
		{"gaugehistogram", "_bucket"},
		{"summary", "_count"},
		{"summary", "_sum"},
		{"info", "_info"},
	};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strlen(suffixes[i][0]) == type_len &&
			memcmp(suffixes[i][0], type, type_len) == 0 &&
			strlen(suffixes[i][1]) == suffix_len &&
			memcmp(suffixes[i][1], suffix, suffix_len) == 0)
			return true;
	}
	return false;
}

bool metric_series_is_announced(
	const struct metric_series *series, const struct metric_promline *line)
{
	if (line->name_len > series->name_len || line->name_len == 0 ||
		memcmp(line->name, series->name, line->name_len) != 0)
		return false;
	if (line->name_len == series->name_len)
		return true;
	return line->kind == METRIC_PROMLINE_TYPE &&
	       is_suffix_of_type(line->rest, line->rest_len, series->name + line->name_len,
		       series->name_len - line->name_len);
}

/* Of two words on a line the worse one counts. */
static void worsen(enum metric_fit *fit, enum metric_fit other)
{
	if (other > *fit)
		*fit = other;
}

/* Every matcher of a label that stands on the line, whose bit is set in *seen. */
static void meet(const struct metric_series *series, const struct metric_promline *label,
	const char *value, size_t value_len, unsigned *seen, enum metric_fit *fit)
{
	for (size_t i = 0; i < series->n_matchers; i++) {
		const struct metric_matcher *matcher = &series->matchers[i];

		if (matcher->label_len != label->name_len ||
			memcmp(matcher->label, label->name, label->name_len) != 0)
			continue;
		*seen |= 1u << i;
		worsen(fit, metric_matcher_accepts(matcher, value, value_len));
	}
}

/* A label that a line lacks is empty. */
static void meet_absent(const struct metric_series *series, unsigned seen, enum metric_fit *fit)
{
	for (size_t i = 0; i < series->n_matchers; i++) {
		if ((seen & 1u << i) == 0)
			worsen(fit, metric_matcher_accepts(&series->matchers[i], "", 0));
	}
}

/* One label="value" of a line. Its end, or NULL. */
static const char *match_label(const struct metric_series *series, const char *at, const char *end,
	char *scratch, unsigned *seen, enum metric_fit *fit)
{
	struct metric_promline name = {.name = NULL};
	const char *close;
	size_t len;

	at = metric_promline_cut_name(at, end, &name);
	at = at ? metric_lex_skip_blanks(at, end) : end;
	if (at == end || *at != '=')
		return NULL;
	at = metric_lex_skip_blanks(at + 1, end);
	close = at < end && *at == '"' ? metric_lex_find_quote(at, end) : NULL;
	if (!close)
		return NULL;
	at++;
	len = (size_t)(close - at);
	/* A pattern is matched up to a NUL. */
	if (memchr(at, '\0', len))
		return NULL;
	len = metric_lex_unescape(at, len, scratch);
	scratch[len] = '\0';
	meet(series, &name, scratch, len, seen, fit);
	return close + 1;
}

enum metric_fit metric_series_match(
	const struct metric_series *series, const struct metric_promline *line, char *scratch)
{
	enum metric_fit fit = METRIC_FITS;
	const char *at = line->labels ? line->labels : "";
	const char *end = at + line->labels_len;
	/* Behind a quoted name comes a comma too. */
	bool comma = line->name_inside;
	unsigned seen = 0;

	if (line->broken)
		return METRIC_GARBLED;
	for (at = metric_lex_skip_blanks(at, end); at < end; at = metric_lex_skip_blanks(at, end)) {
		if (comma && *at != ',')
			return METRIC_GARBLED;
		if (comma) {
			comma = false;
			at++;
			continue;
		}
		at = match_label(series, at, end, scratch, &seen, &fit);
		if (!at)
			return METRIC_GARBLED;
		comma = true;
	}
	meet_absent(series, seen, &fit);
	return fit;
}
