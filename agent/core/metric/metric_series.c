/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_series.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum operator{ EQUAL, NOT_EQUAL, MATCHES, NOT_MATCHES };

enum { NUMBER_MAX = 64 }; /* bytes of a number that anybody writes */

struct metric_matcher {
	char *label;
	size_t label_len;
	enum operator op;
	char *value;
	size_t value_len;
	regex_t regex; /* of MATCHES and NOT_MATCHES */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

/* The end of a name that needs no quotes, from at. */
static const char *skip_name(const char *at, const char *end)
{
	while (at < end && (isalnum((unsigned char)*at) || *at == '_' || *at == ':'))
		at++;
	return at;
}

/* The closing quotation mark of a text that begins behind at, or NULL. */
static const char *find_quote(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\\' && ++at == end)
			return NULL;
	}
	return at < end ? at : NULL;
}

/* Takes the escapes of text[0..len) out, into out. Its length. */
static size_t unescape(const char *text, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\\' && i + 1 < len)
			c = text[++i] == 'n' ? '\n' : text[i];
		out[n++] = c;
	}
	return n;
}

/* ---- the selector ---- */

static void matcher_fini(struct metric_matcher *matcher)
{
	if (matcher->value && (matcher->op == MATCHES || matcher->op == NOT_MATCHES))
		regfree(&matcher->regex);
	free(matcher->label);
	free(matcher->value);
}

void metric_series_fini(struct metric_series *series)
{
	for (size_t i = 0; i < series->n_matchers; i++)
		matcher_fini(&series->matchers[i]);
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
		end = find_quote(in->at, in->end);
		if (!end) {
			why_set(in->why, "a quotation mark is not closed");
			return NULL;
		}
		out = malloc((size_t)(end - in->at));
		if (out) {
			*len = unescape(in->at + 1, (size_t)(end - in->at) - 1, out);
			out[*len] = '\0';
		}
		in->at = end + 1;
	} else {
		end = skip_name(in->at, in->end);
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

static bool parse_operator(struct cursor *in, enum operator* op)
{
	static const struct {
		const char *text;
		enum operator op;
	} operators[] = {{"=~", MATCHES}, {"!~", NOT_MATCHES}, {"!=", NOT_EQUAL}, {"=", EQUAL}};

	in->at = skip_blanks(in->at, in->end);
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t len = strlen(operators[i].text);

		if ((size_t)(in->end - in->at) < len || memcmp(in->at, operators[i].text, len) != 0)
			continue;
		*op = operators[i].op;
		in->at = skip_blanks(in->at + len, in->end);
		return true;
	}
	return why_set(in->why, "after a label comes =, !=, =~ or !~");
}

/* What means something else in PromQL than in POSIX is refused: it would fit nothing, or too much.
 */
static bool compile(const char *pattern, regex_t *regex, struct why *why)
{
	char *whole = NULL;
	int failed;

	for (const char *s = pattern; *s; s++) {
		if (*s != '\\')
			continue;
		s++;
		if (*s == '\0' || isalnum((unsigned char)*s)) {
			return why_set(why,
				"a regular expression here is a POSIX extended one, without \\d and its "
				"like: use [0-9]");
		}
	}
	whole = malloc(strlen(pattern) + sizeof("^()$"));
	if (!whole)
		return why_set(why, "out of memory");
	strcpy(whole, "^(");
	strcat(whole, pattern);
	strcat(whole, ")$");
	failed = regcomp(regex, whole, REG_EXTENDED | REG_NOSUB);
	free(whole);
	if (failed) {
		char words[128];

		regerror(failed, NULL, words, sizeof(words));
		return why_set(why, "the regular expression is wrong: %s", words);
	}
	return true;
}

static bool parse_matcher(struct cursor *in, struct metric_matcher *matcher)
{
	struct metric_matcher out = {.op = EQUAL};

	out.label = parse_word(in, "a label", &out.label_len);
	if (out.label && parse_operator(in, &out.op)) {
		if (in->at < in->end && *in->at == '"')
			out.value = parse_word(in, "a value", &out.value_len);
		else
			why_set(in->why, "a label's value stands in double quotes");
	}
	if (out.value && (out.op == MATCHES || out.op == NOT_MATCHES) &&
		!compile(out.value, &out.regex, in->why)) {
		free(out.value);
		out.value = NULL;
	}
	if (!out.value) {
		free(out.label);
		return false;
	}
	*matcher = out;
	return true;
}

/* A quoted text that no operator follows is the name. */
static bool is_quoted_name(const struct cursor *in)
{
	const char *end = *in->at == '"' ? find_quote(in->at, in->end) : NULL;

	if (!end)
		return false;
	end = skip_blanks(end + 1, in->end);
	return end == in->end || *end == ',' || *end == '}';
}

static bool parse_braces(struct cursor *in, struct metric_series *series)
{
	for (in->at++;; in->at++) {
		in->at = skip_blanks(in->at, in->end);
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
		in->at = skip_blanks(in->at, in->end);
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
		in->at = skip_blanks(in->at, in->end);
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

/* ---- lines ---- */

/* Sets the name at at, quoted or not. What comes behind it; NULL where there is none. */
static const char *cut_name(const char *at, const char *end, struct metric_line *line)
{
	const char *name_end;

	if (at < end && *at == '"') {
		name_end = find_quote(at, end);
		if (!name_end)
			return NULL;
		line->name = at + 1;
		line->name_len = (size_t)(name_end - at) - 1;
		return name_end + 1;
	}
	name_end = skip_name(at, end);
	line->name = at;
	line->name_len = (size_t)(name_end - at);
	return name_end > at ? name_end : NULL;
}

static void cut_comment(const char *at, const char *end, struct metric_line *line)
{
	bool help;

	at = skip_blanks(at + 1, end);
	if (end - at == 3 && memcmp(at, "EOF", 3) == 0) {
		line->kind = METRIC_LINE_EOF;
		return;
	}
	if (end - at < 5 || !is_blank(at[4]))
		return;
	help = memcmp(at, "HELP", 4) == 0;
	if (!help && memcmp(at, "TYPE", 4) != 0)
		return;
	at = cut_name(skip_blanks(at + 4, end), end, line);
	if (!at)
		return;
	line->kind = help ? METRIC_LINE_HELP : METRIC_LINE_TYPE;
	line->rest = skip_blanks(at, end);
	line->rest_len = (size_t)(end - line->rest);
}

/* The brace that closes one, or NULL. */
static const char *find_brace(const char *at, const char *end)
{
	for (; at && at < end && *at != '}'; at++) {
		if (*at == '"')
			at = find_quote(at, end);
		if (!at)
			return NULL;
	}
	return at && at < end ? at : NULL;
}

static void cut_sample(const char *at, const char *end, struct metric_line *line)
{
	const char *brace;
	bool inside = *at == '{';

	if (inside)
		at = skip_blanks(at + 1, end);
	if (inside && (at == end || *at != '"'))
		return;
	at = cut_name(at, end, line);
	if (!at)
		return;
	line->kind = METRIC_LINE_SAMPLE;
	line->name_inside = inside;
	at = skip_blanks(at, end);
	if (inside || (at < end && *at == '{')) {
		at = inside ? at : at + 1;
		brace = find_brace(at, end);
		line->labels = at;
		line->labels_len = (size_t)((brace ? brace : end) - at);
		line->broken = !brace;
		at = brace ? brace + 1 : end;
	}
	line->rest = skip_blanks(at, end);
	line->rest_len = (size_t)(end - line->rest);
}

void metric_line_cut(const char *text, size_t len, struct metric_line *line)
{
	const char *end = text + len;
	const char *at;

	*line = (struct metric_line){.kind = METRIC_LINE_NONE};
	while (end > text && (is_blank(end[-1]) || end[-1] == '\r'))
		end--;
	at = skip_blanks(text, end);
	if (at == end)
		return;
	if (*at == '#')
		cut_comment(at, end, line);
	else
		cut_sample(at, end, line);
}

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

bool metric_series_is_announced(const struct metric_series *series, const struct metric_line *line)
{
	if (line->name_len > series->name_len || line->name_len == 0 ||
		memcmp(line->name, series->name, line->name_len) != 0)
		return false;
	if (line->name_len == series->name_len)
		return true;
	return line->kind == METRIC_LINE_TYPE &&
	       is_suffix_of_type(line->rest, line->rest_len, series->name + line->name_len,
		       series->name_len - line->name_len);
}

/* ---- matching ---- */

static enum metric_series_fit accepts(
	const struct metric_matcher *matcher, const char *value, size_t len)
{
	bool same;

	if (matcher->op == EQUAL || matcher->op == NOT_EQUAL) {
		same = matcher->value_len == len && memcmp(matcher->value, value, len) == 0;
	} else {
		int failed = regexec(&matcher->regex, value, 0, NULL, 0);

		/* Out of memory is neither yes nor no. */
		if (failed && failed != REG_NOMATCH)
			return METRIC_SERIES_BAD;
		same = !failed;
	}
	return same == (matcher->op == EQUAL || matcher->op == MATCHES) ? METRIC_SERIES_FITS
									: METRIC_SERIES_MISFIT;
}

/* Of two words on a line the worse one counts. */
static void worsen(enum metric_series_fit *fit, enum metric_series_fit other)
{
	if (other > *fit)
		*fit = other;
}

/* Every matcher of a label that stands on the line, whose bit is set in *seen. */
static void meet(const struct metric_series *series, const struct metric_line *label,
	const char *value, size_t value_len, unsigned *seen, enum metric_series_fit *fit)
{
	for (size_t i = 0; i < series->n_matchers; i++) {
		const struct metric_matcher *matcher = &series->matchers[i];

		if (matcher->label_len != label->name_len ||
			memcmp(matcher->label, label->name, label->name_len) != 0)
			continue;
		*seen |= 1u << i;
		worsen(fit, accepts(matcher, value, value_len));
	}
}

/* A label that a line lacks is empty. */
static void meet_absent(
	const struct metric_series *series, unsigned seen, enum metric_series_fit *fit)
{
	for (size_t i = 0; i < series->n_matchers; i++) {
		if ((seen & 1u << i) == 0)
			worsen(fit, accepts(&series->matchers[i], "", 0));
	}
}

/* One label="value" of a line. Its end, or NULL. */
static const char *match_label(const struct metric_series *series, const char *at, const char *end,
	char *scratch, unsigned *seen, enum metric_series_fit *fit)
{
	struct metric_line name = {.name = NULL};
	const char *close;
	size_t len;

	at = cut_name(at, end, &name);
	at = at ? skip_blanks(at, end) : end;
	if (at == end || *at != '=')
		return NULL;
	at = skip_blanks(at + 1, end);
	close = at < end && *at == '"' ? find_quote(at, end) : NULL;
	if (!close)
		return NULL;
	at++;
	len = (size_t)(close - at);
	/* A pattern is matched up to a NUL. */
	if (memchr(at, '\0', len))
		return NULL;
	len = unescape(at, len, scratch);
	scratch[len] = '\0';
	meet(series, &name, scratch, len, seen, fit);
	return close + 1;
}

enum metric_series_fit metric_series_match(
	const struct metric_series *series, const struct metric_line *line, char *scratch)
{
	enum metric_series_fit fit = METRIC_SERIES_FITS;
	const char *at = line->labels ? line->labels : "";
	const char *end = at + line->labels_len;
	/* Behind a quoted name comes a comma too. */
	bool comma = line->name_inside;
	unsigned seen = 0;

	if (line->broken)
		return METRIC_SERIES_BAD;
	for (at = skip_blanks(at, end); at < end; at = skip_blanks(at, end)) {
		if (comma && *at != ',')
			return METRIC_SERIES_BAD;
		if (comma) {
			comma = false;
			at++;
			continue;
		}
		at = match_label(series, at, end, scratch, &seen, &fit);
		if (!at)
			return METRIC_SERIES_BAD;
		comma = true;
	}
	meet_absent(series, seen, &fit);
	return fit;
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
	at = skip_blanks(at, end);
	if (at == end || *at == '#')
		return true;
	at = skip_number(at, end);
	if (!at || (at < end && !is_blank(*at)))
		return false;
	at = skip_blanks(at, end);
	return at == end || *at == '#';
}

bool metric_line_value(const struct metric_line *line, double *value)
{
	const char *at = line->rest;
	const char *end = at + line->rest_len;
	const char *token = at;
	char number[NUMBER_MAX];
	size_t len;

	while (token < end && !is_blank(*token))
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
