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
