/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_series.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/metric/metric_lex.h"

void metric_series_fini(struct metric_series *series)
{
	for (size_t i = 0; i < series->n_matchers; i++)
		metric_matcher_fini(&series->matchers[i]);
	free(series->matchers);
	free(series->name);
	*series = (struct metric_series){.name = NULL};
}

struct cursor {
	const char *at;
	const char *end;
	struct why *why;
};

/* A text in quotes, or a name; NULL with *why set. */
static char *parse_word(struct cursor *in, const char *what, size_t *len)
{
	const char *end;
	char *out;

	if (in->at < in->end && *in->at == '"') {
		end = metric_lex_find_quote(in->at, in->end);
		if (!end) {
			why_set(in->why, "a quotation mark is not closed");
			return NULL;
		}
		out = malloc((size_t)(end - in->at));
		if (out) {
			*len = metric_lex_unescape(in->at + 1, (size_t)(end - in->at) - 1, out);
			out[*len] = '\0';
		}
		in->at = end + 1;
	} else {
		end = metric_lex_skip_name(in->at, in->end);
		if (end == in->at || isdigit((unsigned char)*in->at)) {
			why_set(in->why, "%s is missing", what);
			return NULL;
		}
		*len = (size_t)(end - in->at);
		out = strndup(in->at, *len);
		in->at = end;
	}
	if (!out)
		why_set(in->why, "out of memory");
	return out;
}

static bool parse_operator(struct cursor *in, enum metric_operator *op)
{
	static const struct {
		const char *text;
		enum metric_operator op;
	} operators[] = {{"=~", METRIC_MATCHES}, {"!~", METRIC_NOT_MATCHES},
		{"!=", METRIC_NOT_EQUAL}, {"=", METRIC_EQUAL}};

	in->at = metric_lex_skip_blanks(in->at, in->end);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t len = strlen(operators[i].text);

		if ((size_t)(in->end - in->at) < len || memcmp(in->at, operators[i].text, len) != 0)
			continue;
		*op = operators[i].op;
		in->at = metric_lex_skip_blanks(in->at + len, in->end);
		return true;
	}
	return why_set(in->why, "after a label comes =, !=, =~ or !~");
}

static bool parse_matcher(struct cursor *in, struct metric_matcher *matcher)
{
	struct metric_matcher out = {.op = METRIC_EQUAL};

	out.label = parse_word(in, "a label", &out.label_len);
	if (out.label && parse_operator(in, &out.op)) {
		if (in->at < in->end && *in->at == '"')
			out.value = parse_word(in, "a value", &out.value_len);
		else
			why_set(in->why, "a label's value stands in double quotes");
	}
	if (!out.value || !metric_matcher_compile(&out, in->why)) {
		free(out.label);
		return false;
	}
	*matcher = out;
	return true;
}

/* A quoted text that no operator follows is the name. */
static bool is_quoted_name(const struct cursor *in)
{
	const char *end = *in->at == '"' ? metric_lex_find_quote(in->at, in->end) : NULL;

	if (!end)
		return false;
	end = metric_lex_skip_blanks(end + 1, in->end);
	return end == in->end || *end == ',' || *end == '}';
}

static bool parse_braces(struct cursor *in, struct metric_series *series)
{
	for (in->at++;; in->at++) {
		in->at = metric_lex_skip_blanks(in->at, in->end);
		if (in->at == in->end)
			return why_set(in->why, "a brace is not closed");
		if (*in->at == '}')
			break;
		if (!series->name && is_quoted_name(in)) {
			series->name = parse_word(in, "a name", &series->name_len);
			if (!series->name)
				return false;
		} else if (series->n_matchers == METRIC_MATCHERS_MAX) {
			return why_set(in->why, "at most 16 labels are looked at");
		} else if (!parse_matcher(in, &series->matchers[series->n_matchers])) {
			return false;
		} else {
			series->n_matchers++;
		}
		in->at = metric_lex_skip_blanks(in->at, in->end);
		if (in->at == in->end)
			return why_set(in->why, "a brace is not closed");
		if (*in->at == '}')
			break;
		if (*in->at != ',')
			return why_set(in->why, "between two labels stands a comma");
	}
	in->at++;
	return true;
}

static bool parse_series(struct cursor *in, struct metric_series *series)
{
	series->matchers = calloc(METRIC_MATCHERS_MAX, sizeof(*series->matchers));
	if (!series->matchers)
		return why_set(in->why, "out of memory");
	if (in->at < in->end && *in->at != '{') {
		if (*in->at == '"')
			return why_set(in->why, "a quoted name stands in braces: {\"my.name\"}");
		series->name = parse_word(in, "the name of a series", &series->name_len);
		if (!series->name)
			return false;
		in->at = metric_lex_skip_blanks(in->at, in->end);
	}
	if (in->at < in->end && *in->at == '{' && !parse_braces(in, series))
		return false;
	if (!series->name || series->name_len == 0)
		return why_set(in->why, "the name of a series is missing");
	if (in->at != in->end)
		return why_set(in->why, "a series is name{label=\"value\"}, joined by + and -");
	return true;
}

bool metric_series_parse(
	const char *text, size_t len, struct metric_series *series, struct why *why)
{
	struct cursor in = {.at = text, .end = text + len, .why = why};
	struct metric_series out = {.name = NULL};

	if (!parse_series(&in, &out)) {
		metric_series_fini(&out);
		return false;
	}
	*series = out;
	return true;
}
