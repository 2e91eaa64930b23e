/* SPDX-License-Identifier: MIT */
/* What selectors and the lines of a page are both made of: blanks, names, texts in quotes. */
#ifndef WSB_METRIC_LEX_H
#define WSB_METRIC_LEX_H

#include <stdbool.h>
#include <stddef.h>

static inline bool metric_lex_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first that is none, from at; end where all are. */
static inline const char *metric_lex_skip_blanks(const char *at, const char *end)
{
	while (at < end && metric_lex_is_blank(*at))
		at++;
	return at;
}

/* The end of a name that needs no quotes, from at. */
const char *metric_lex_skip_name(const char *at, const char *end);

/* The closing quotation mark of a text whose opening one is at at, or NULL. */
const char *metric_lex_find_quote(const char *at, const char *end);

/* Takes the escapes of text[0..len) out, into out, which has room for len. Its length. */
size_t metric_lex_unescape(const char *text, size_t len, char *out);

#endif
