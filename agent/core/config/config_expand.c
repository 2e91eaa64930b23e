/* SPDX-License-Identifier: MIT */
/* ${NAME}. */
#include "core/config/config_expand.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"

enum { NAME_MAX_BYTES = 127 };

/* The bytes of the variable's name that s begins with, 0 when there is none. */
static size_t name_length(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	if (!*s || !strchr(letters, *s))
		return 0;
	for (size_t n = 1;; n++) {
		if (!s[n] || (!strchr(letters, s[n]) && !strchr("0123456789", s[n])))
			return n;
	}
}

/* Writes the variable whose name stands at s, before its closing brace. Returns what comes behind
 * the brace, or NULL. */
static const char *write_variable(
	struct buf *out, const char *s, config_getenv lookup, void *arg, struct why *why)
{
	size_t len = name_length(s);
	char name[NAME_MAX_BYTES + 1];
	const char *value;

	if (len == 0 || len > NAME_MAX_BYTES || s[len] != '}') {
		why_set(why,
			"incomplete variable: write ${NAME}, with a name of letters, digits and _, "
			"or $${ for the characters ${ themselves");
		return NULL;
	}
	memcpy(name, s, len);
	name[len] = '\0';
	value = lookup ? lookup(name, arg) : NULL;
	if (!value) {
		why_set(why, "environment variable %s is not set", name);
		return NULL;
	}
	buf_puts(out, value);
	return s + len + 1;
}

static bool write_expanded(
	struct buf *out, const char *text, config_getenv lookup, void *arg, struct why *why)
{
	while (*text) {
		if (strncmp(text, "$${", 3) == 0) {
			buf_puts(out, "${");
			text += 3;
		} else if (strncmp(text, "${", 2) == 0) {
			text = write_variable(out, text + 2, lookup, arg, why);
			if (!text)
				return false;
		} else {
			buf_putc(out, *text++);
		}
	}
	return true;
}

static bool is_clean(const char *text)
{
	for (const char *s = text; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return text_is_utf8(text, strlen(text));
}

char *config_expand(const char *text, config_getenv lookup, void *arg, struct why *why)
{
	struct buf out = {.bytes = NULL};
	bool ok = write_expanded(&out, text, lookup, arg, why);
	char *expanded = buf_finish(&out, NULL);

	if (ok && !expanded)
		why_set(why, "out of memory");
	else if (ok && !is_clean(expanded))
		why_set(why, "the value must be one line of UTF-8 without control characters");
	else if (ok)
		return expanded;
	free(expanded);
	return NULL;
}
