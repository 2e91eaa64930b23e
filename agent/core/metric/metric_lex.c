/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_lex.h"

#include <ctype.h>

const char *metric_lex_skip_name(const char *at, const char *end)
{
	while (at < end && (isalnum((unsigned char)*at) || *at == '_' || *at == ':'))
		at++;
	return at;
}

const char *metric_lex_find_quote(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\\' && ++at == end)
			return NULL;
	}
	return at < end ? at : NULL;
}

size_t metric_lex_unescape(const char *text, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\\' && i + 1 < len) {
			c = text[++i];
			if (c == 'n')
				c = '\n';
		}
		out[n++] = c;
	}
	return n;
}
