/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 16 }; /* more than any count has */

static bool is_of_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* What follows the word, or NULL where the line lacks it. "Sockets" is no word in "WebSockets". */
static const char *find_word(const char *line, const char *end, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = line; (size_t)(end - at) >= len; at++) {
		at = memmem(at, (size_t)(end - at), word, len);
		if (!at)
			return NULL;
		if (at > line && is_of_word(at[-1]) && is_of_word(word[0]))
			continue;
		if (at + len < end && is_of_word(at[len]) && is_of_word(word[len - 1]))
			continue;
		return at + len;
	}
	return NULL;
}

static bool read_number(const char *at, const char *end, double *value)
{
	char digits[DIGITS_MAX + 1];
	size_t len = 0;

	while (at < end && is_blank(*at))
		at++;
	if (at < end && (*at == ':' || *at == '='))
		at++;
	while (at < end && is_blank(*at))
		at++;
	while (at < end && isdigit((unsigned char)*at) && len < DIGITS_MAX)
		digits[len++] = *at++;
	if (len == 0 || (at < end && !is_blank(*at)))
		return false;
	digits[len] = '\0';
	*value = strtod(digits, NULL);
	return true;
}

void metric_text_line(const char *line, size_t len, void *arg)
{
	struct metric_text *text = arg;
	struct metric_found *found = text->found;

	for (size_t role = 0; role < METRIC_N_ROLES; role++) {
		const struct metric_key *key = &text->query->keys[role];

		for (size_t i = 0; i < key->n_terms; i++, found++) {
			const char *behind;
			double value;

			if (found->state != METRIC_FOUND_NOTHING)
				continue;
			behind = find_word(line, line + len, key->terms[i].is.word);
			if (behind && read_number(behind, line + len, &value))
				metric_found_add(found, value);
			else if (behind)
				metric_found_note(found, METRIC_FOUND_OTHER);
		}
	}
}
