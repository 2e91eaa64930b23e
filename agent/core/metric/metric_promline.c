/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_promline.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/metric/metric_lex.h"

enum { NUMBER_MAX = 64 }; /* bytes of a number that anybody writes */

/* ---- parts ---- */

const char *metric_promline_cut_name(const char *at, const char *end, struct metric_promline *line)
{
	const char *name_end;

	if (at < end && *at == '"') {
		name_end = metric_lex_find_quote(at, end);
		if (!name_end)
			return NULL;
		line->name = at + 1;
		line->name_len = (size_t)(name_end - at) - 1;
		return name_end + 1;
	}
	name_end = metric_lex_skip_name(at, end);
	line->name = at;
	line->name_len = (size_t)(name_end - at);
	return name_end > at ? name_end : NULL;
}

static void cut_comment(const char *at, const char *end, struct metric_promline *line)
{
	bool help;

	at = metric_lex_skip_blanks(at + 1, end);
	if (end - at == 3 && memcmp(at, "EOF", 3) == 0) {
		line->kind = METRIC_PROMLINE_EOF;
		return;
	}
	if (end - at < 5 || !metric_lex_is_blank(at[4]))
		return;
	help = memcmp(at, "HELP", 4) == 0;
	if (!help && memcmp(at, "TYPE", 4) != 0)
		return;
	at = metric_promline_cut_name(metric_lex_skip_blanks(at + 4, end), end, line);
	if (!at)
		return;
	line->kind = help ? METRIC_PROMLINE_HELP : METRIC_PROMLINE_TYPE;
	line->rest = metric_lex_skip_blanks(at, end);
	line->rest_len = (size_t)(end - line->rest);
}

/* The brace that closes one, or NULL. */
static const char *find_brace(const char *at, const char *end)
{
	for (; at && at < end && *at != '}'; at++) {
		if (*at == '"')
			at = metric_lex_find_quote(at, end);
		if (!at)
			return NULL;
	}
	return at && at < end ? at : NULL;
}

static void cut_sample(const char *at, const char *end, struct metric_promline *line)
{
	const char *brace;
	bool inside = *at == '{';

	if (inside)
		at = metric_lex_skip_blanks(at + 1, end);
	if (inside && (at == end || *at != '"'))
		return;
	at = metric_promline_cut_name(at, end, line);
	if (!at)
		return;
	line->kind = METRIC_PROMLINE_SAMPLE;
	line->name_inside = inside;
	at = metric_lex_skip_blanks(at, end);
	if (inside || (at < end && *at == '{')) {
		at = inside ? at : at + 1;
		brace = find_brace(at, end);
		line->labels = at;
		line->labels_len = (size_t)((brace ? brace : end) - at);
		line->broken = !brace;
		at = brace ? brace + 1 : end;
	}
	line->rest = metric_lex_skip_blanks(at, end);
	line->rest_len = (size_t)(end - line->rest);
}

void metric_promline_cut(const char *text, size_t len, struct metric_promline *line)
{
	const char *end = text + len;
	const char *at;

	*line = (struct metric_promline){.kind = METRIC_PROMLINE_NONE};
	while (end > text && (metric_lex_is_blank(end[-1]) || end[-1] == '\r'))
		end--;
	at = metric_lex_skip_blanks(text, end);
	if (at == end)
		return;
	if (*at == '#')
		cut_comment(at, end, line);
	else
		cut_sample(at, end, line);
}

/* ---- values ---- */

/* Digits, a point among them, an exponent: the end of such a number, or NULL. */
static const char *skip_number(const char *at, const char *end)
{
	size_t digits = 0;

	if (at < end && (*at == '+' || *at == '-'))
		at++;
	for (; at < end && isdigit((unsigned char)*at); at++)
		digits++;
	if (at < end && *at == '.') {
		for (at++; at < end && isdigit((unsigned char)*at); at++)
			digits++;
	}
	if (digits == 0)
		return NULL;
	if (at < end && (*at == 'e' || *at == 'E')) {
		const char *exponent = ++at;

		if (at < end && (*at == '+' || *at == '-'))
			exponent = ++at;
		while (at < end && isdigit((unsigned char)*at))
			at++;
		if (at == exponent)
			return NULL;
	}
	return at;
}

/* Inf, Infinity and NaN, with a sign or without. */
static bool is_no_number(const char *at, size_t len, double *value)
{
	bool minus = len > 0 && *at == '-';

	if (len > 0 && (*at == '-' || *at == '+')) {
		at++;
		len--;
	}
	if ((len == 3 && strncasecmp(at, "inf", 3) == 0) ||
		(len == 8 && strncasecmp(at, "infinity", 8) == 0))
		*value = minus ? -HUGE_VAL : HUGE_VAL;
	else if (len == 3 && strncasecmp(at, "nan", 3) == 0)
		*value = (double)NAN;
	else
		return false;
	return true;
}

/* Nothing, a stamp, a comment with an exemplar: all that may follow a value. */
static bool is_tail(const char *at, const char *end)
{
	at = metric_lex_skip_blanks(at, end);
	if (at == end || *at == '#')
		return true;
	at = skip_number(at, end);
	if (!at || (at < end && !metric_lex_is_blank(*at)))
		return false;
	at = metric_lex_skip_blanks(at, end);
	return at == end || *at == '#';
}

bool metric_promline_value(const struct metric_promline *line, double *value)
{
	const char *at = line->rest;
	const char *end = at + line->rest_len;
	const char *token = at;
	char number[NUMBER_MAX];
	size_t len;

	while (token < end && !metric_lex_is_blank(*token))
		token++;
	len = (size_t)(token - at);
	if (len == 0 || len >= sizeof(number) || !is_tail(token, end))
		return false;
	if (is_no_number(at, len, value))
		return true;
	if (skip_number(at, token) != token)
		return false;
	memcpy(number, at, len);
	number[len] = '\0';
	*value = strtod(number, NULL);
	return true;
}
