/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_key.h"

#include <stdlib.h>
#include <string.h>

static void term_fini(struct metric_term *term, enum metric_format format)
{
	if (format == METRIC_JSON)
		metric_path_fini(&term->is.path);
	else if (format == METRIC_PROMETHEUS)
		metric_series_fini(&term->is.series);
	else
		free(term->is.word);
}

void metric_key_fini(struct metric_key *key)
{
	for (size_t i = 0; i < key->n_terms; i++)
		term_fini(&key->terms[i], key->format);
	free(key->terms);
	*key = (struct metric_key){.terms = NULL};
}

/* Where the term at text ends: at a sign outside of quotes and brackets, or at the end. */
static const char *find_sign(const char *text, enum metric_format format)
{
	bool quotable = format != METRIC_TEXT;
	bool quoted = false;
	int depth = 0;
	const char *s;

	for (s = text; *s; s++) {
		if (quotable && quoted && *s == '\\' && s[1])
			s++;
		else if (quotable && *s == '"')
			quoted = !quoted;
		else if (quotable && !quoted && strchr("[{", *s))
			depth++;
		else if (quotable && !quoted && strchr("]}", *s))
			depth--;
		else if (!quoted && depth == 0 && strchr("+-|", *s) &&
			 (format == METRIC_PROMETHEUS || (s > text && s[-1] == ' ' && s[1] == ' ')))
			return s;
	}
	return s;
}

static bool parse_term(const char *text, size_t len, enum metric_format format,
	struct metric_term *term, struct why *why)
{
	while (len > 0 && *text == ' ') {
		text++;
		len--;
	}
	while (len > 0 && text[len - 1] == ' ')
		len--;
	if (format == METRIC_JSON)
		return metric_path_parse(text, len, &term->is.path, why);
	if (format == METRIC_PROMETHEUS)
		return metric_series_parse(text, len, &term->is.series, why);
	if (len == 0)
		return why_set(why, "the word before the number is missing");
	term->is.word = strndup(text, len);
	return term->is.word || why_set(why, "out of memory");
}

bool metric_key_parse(
	const char *text, enum metric_format format, struct metric_key *key, struct why *why)
{
	struct metric_key out = {
		.format = format, .terms = calloc(METRIC_TERMS_MAX, sizeof(*out.terms))};
	unsigned alternative = 0;
	bool minus = false;
	bool ok = true;

	if (!out.terms)
		return why_set(why, "out of memory");
	while (ok) {
		const char *sign = find_sign(text, format);

		if (out.n_terms == METRIC_TERMS_MAX) {
			ok = why_set(why, "a key has at most 16 terms");
			break;
		}
		out.terms[out.n_terms].alternative = alternative;
		out.terms[out.n_terms].minus = minus;
		ok = parse_term(text, (size_t)(sign - text), format, &out.terms[out.n_terms], why);
		out.n_terms += ok;
		if (!*sign)
			break;
		alternative += *sign == '|';
		minus = *sign == '-';
		text = sign + 1;
	}
	if (!ok) {
		metric_key_fini(&out);
		return false;
	}
	*key = out;
	return true;
}

/* Where a sum's terms end, and whether they are all there. */
static size_t end_of_alternative(const struct metric_key *key, const struct metric_found *found,
	size_t first, bool *is_there)
{
	size_t end = first;

	*is_there = true;
	for (; end < key->n_terms && key->terms[end].alternative == key->terms[first].alternative;
		end++)
		*is_there = *is_there && found[end].state != METRIC_FOUND_NOTHING;
	return end;
}

static enum metric_outcome sum_up(const struct metric_key *key, const struct metric_found *found,
	size_t first, size_t end, struct metric_total *total)
{
	struct metric_total out = {.sum = 0.0};

	for (size_t i = first; i < end; i++) {
		switch (found[i].state) {
		case METRIC_FOUND_NOTHING:
		case METRIC_FOUND_MISFITS:
			return METRIC_NO_KEY;
		case METRIC_FOUND_OTHER:
			return METRIC_NOT_A_COUNT;
		case METRIC_FOUND_BAD:
			return METRIC_NOT_PROMETHEUS;
		case METRIC_FOUND_ANNOUNCED:
			out.unsampled |= 1u << i;
			break;
		case METRIC_FOUND_NUMBER:
			out.sampled |= 1u << i;
			out.sum += key->terms[i].minus ? -found[i].sum : found[i].sum;
			break;
		}
	}
	*total = out;
	return METRIC_OK;
}

enum metric_outcome metric_key_total(
	const struct metric_key *key, const struct metric_found *found, struct metric_total *total)
{
	bool is_there;
	size_t end;

	for (size_t first = 0; first < key->n_terms; first = end) {
		end = end_of_alternative(key, found, first, &is_there);
		if (is_there)
			return sum_up(key, found, first, end, total);
	}
	return METRIC_NO_KEY;
}
