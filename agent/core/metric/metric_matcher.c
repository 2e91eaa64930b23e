/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_matcher.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_regex(const struct metric_matcher *matcher)
{
	return matcher->op == METRIC_MATCHES || matcher->op == METRIC_NOT_MATCHES;
}

enum { REPEATS_MAX = 16, TIMES_MAX = 100, NESTED_MAX = 4 };

/* Past what stands between brackets, up to the last of them. */
static const char *skip_brackets(const char *s)
{
	s++;
	s += *s == '^';
	s += *s == ']';
	while (*s && *s != ']')
		s++;
	return *s ? s : s - 1;
}

/* Past "{m,n}", up to its last; *times is multiplied by the greater of them. */
static const char *skip_interval(const char *s, unsigned long *times)
{
	unsigned long most = 1;

	for (s++; *s && *s != '}'; s++) {
		unsigned long n = isdigit((unsigned char)*s) ? strtoul(s, NULL, 10) : 0;

		most = n > most ? n : most;
	}
	*times = most > TIMES_MAX ? TIMES_MAX + 1 : *times * most;
	return *s ? s : s - 1;
}

/* To compile some patterns takes glibc exponential time, or all memory: c****....,
 * (((a{99}){99}){99}).
 */
static bool is_cheap(const char *pattern)
{
	unsigned long times = 1;
	unsigned n_repeats = 0;
	unsigned depth = 0;
	bool repeated = false;

	for (const char *s = pattern; *s; s++) {
		bool repeats = strchr("*+?{", *s) != NULL;

		if (repeats && (repeated || ++n_repeats > REPEATS_MAX))
			return false;
		repeated = repeats;
		if (*s == '\\')
			s += s[1] != '\0';
		else if (*s == '[')
			s = skip_brackets(s);
		else if (*s == '{')
			s = skip_interval(s, &times);
		else if (*s == '(' && ++depth > NESTED_MAX)
			return false;
		else if (*s == ')' && depth > 0)
			depth--;
		if (times > TIMES_MAX)
			return false;
	}
	return true;
}

/* What means something else in PromQL than in POSIX is refused: it would fit nothing, or too much.
 */
static bool compile(const char *pattern, regex_t *regex, struct why *why)
{
	char *whole;
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
	if (!is_cheap(pattern)) {
		return why_set(why,
			"the regular expression is too costly: at most 4 groups within each other, 16 "
			"repetitions, none right behind another, and 100 times in all by {m,n}");
	}
	if (asprintf(&whole, "^(%s)$", pattern) < 0)
		return why_set(why, "out of memory");
	failed = regcomp(regex, whole, REG_EXTENDED | REG_NOSUB);
	free(whole);
	if (failed) {
		char words[128];

		regerror(failed, NULL, words, sizeof(words));
		return why_set(why, "the regular expression is wrong: %s", words);
	}
	return true;
}

bool metric_matcher_compile(struct metric_matcher *matcher, struct why *why)
{
	if (!has_regex(matcher) || compile(matcher->value, &matcher->regex, why))
		return true;
	free(matcher->value);
	matcher->value = NULL;
	return false;
}

void metric_matcher_fini(struct metric_matcher *matcher)
{
	if (matcher->value && has_regex(matcher))
		regfree(&matcher->regex);
	free(matcher->label);
	free(matcher->value);
}

enum metric_fit metric_matcher_accepts(
	const struct metric_matcher *matcher, const char *value, size_t len)
{
	bool same;

	if (matcher->op == METRIC_EQUAL || matcher->op == METRIC_NOT_EQUAL) {
		same = matcher->value_len == len && memcmp(matcher->value, value, len) == 0;
	} else {
		int failed = regexec(&matcher->regex, value, 0, NULL, 0);

		/* Out of memory is neither yes nor no. */
		if (failed && failed != REG_NOMATCH)
			return METRIC_GARBLED;
		same = !failed;
	}
	return same == (matcher->op == METRIC_EQUAL || matcher->op == METRIC_MATCHES)
		       ? METRIC_FITS
		       : METRIC_MISFIT;
}
