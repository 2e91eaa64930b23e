/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

size_t text_utf8_decode(const char *s, size_t len, uint32_t *point)
{
	/* By the number of bytes: the least code point that needs them, so that an overlong form is
	 * refused. */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first;
	size_t n;
	uint32_t value;

	if (len == 0)
		return 0;
	first = (unsigned char)s[0];
	if (first < 0x80) {
		*point = first;
		return 1;
	}
	if (first < 0xc2 || first > 0xf4)
		return 0;
	n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (len < n)
		return 0;
	value = first & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		value = (value << 6) | (c & 0x3fU);
	}
	if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*point = value;
	return n;
}

bool text_is_utf8(const char *s, size_t len)
{
	while (len > 0) {
		uint32_t point;
		size_t n = text_utf8_decode(s, len, &point);

		if (n == 0)
			return false;
		s += n;
		len -= n;
	}
	return true;
}

/* One character of the input: how it is spelt there, and its code point. */
struct character {
	const char *bytes;
	size_t len;
	uint32_t point;
};

/* Takes the next character off *s; false at the end. A byte that belongs to none is U+FFFD. */
static bool next_character(const char **s, struct character *c)
{
	size_t len = strnlen(*s, 4);
	size_t n = text_utf8_decode(*s, len, &c->point);

	if (len == 0)
		return false;
	if (n == 0) {
		*c = (struct character){replacement, sizeof(replacement) - 1, 0xfffd};
		*s += 1;
		return true;
	}
	c->bytes = *s;
	c->len = n;
	*s += n;
	return true;
}

/* Most text is plain: takes it in as it stands, up to the first byte that is not, and moves *s
 * there. */
static void write_plain(struct buf *out, const char **s, const char *special)
{
	const char *at = *s;

	while (*at >= ' ' && *at < 0x7f && !strchr(special, *at))
		at++;
	if (at > *s)
		buf_append(out, *s, (size_t)(at - *s));
	*s = at;
}

void text_write_html(struct buf *out, const char *s)
{
	static const char special[] = "&<>\"'";
	struct character c;

	for (write_plain(out, &s, special); next_character(&s, &c); write_plain(out, &s, special)) {
		switch (c.point) {
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		case '\'':
			buf_puts(out, "&#39;");
			break;
		default:
			if ((c.point < 0x20 && c.point != '\t' && c.point != '\n') ||
				(c.point >= 0x7f && c.point < 0xa0))
				buf_puts(out, replacement);
			else
				buf_append(out, c.bytes, c.len);
		}
	}
}

void text_write_jsonstring(struct buf *out, const char *s)
{
	static const char special[] = "\"\\";
	static const char short_forms[][2] = {
		{'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'"', '"'}, {'\\', '\\'}};
	struct character c;

	for (write_plain(out, &s, special); next_character(&s, &c); write_plain(out, &s, special)) {
		char spelt[] = {'\\', '\0', '\0'};

		for (size_t i = 0; i < sizeof(short_forms) / sizeof(short_forms[0]); i++) {
			if (c.point == (uint32_t)short_forms[i][0])
				spelt[1] = short_forms[i][1];
		}
		if (spelt[1])
			buf_append(out, spelt, 2);
		else if (c.point < 0x20)
			buf_printf(out, "\\u%04x", (unsigned)c.point);
		else
			buf_append(out, c.bytes, c.len);
	}
}

void text_write_label(struct buf *out, const char *s)
{
	static const char special[] = "\"\\";
	struct character c;

	for (write_plain(out, &s, special); next_character(&s, &c); write_plain(out, &s, special)) {
		if (c.point == '\n')
			buf_puts(out, "\\n");
		else if (c.point == '\\' || c.point == '"')
			buf_printf(out, "\\%c", (char)c.point);
		else
			buf_append(out, c.bytes, c.len);
	}
}

/* Not to be shown raw on a terminal or in a line of a log: C0 and C1 controls, separators that some
 * programs break lines at, and the marks that make text read in another order than it stands in. */
static bool is_unprintable(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x61c ||
	       (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

void text_write_json(struct buf *out, const char *s)
{
	struct character c;

	/* Of these JSON has raw ones in strings only, but for what is space to it. */
	while (next_character(&s, &c)) {
		if (is_unprintable(c.point) && !(c.len == 1 && strchr("\t\n\r", *c.bytes)))
			buf_printf(out, "\\u%04x", (unsigned)c.point);
		else
			buf_append(out, c.bytes, c.len);
	}
}

enum { ESCAPED_MAX = 7 }; /* "\uNNNN" and its NUL */

/* Spells a character for a log line; returns its length. */
static size_t escape(const struct character *c, char buf[ESCAPED_MAX])
{
	static const char short_forms[][2] = {{'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};

	if (c->point == '"' || c->point == '\\')
		return (size_t)snprintf(buf, ESCAPED_MAX, "\\%c", (char)c->point);
	for (size_t i = 0; i < sizeof(short_forms) / sizeof(short_forms[0]); i++) {
		if (c->point == (uint32_t)short_forms[i][0])
			return (size_t)snprintf(buf, ESCAPED_MAX, "\\%c", short_forms[i][1]);
	}
	if (is_unprintable(c->point)) {
		return (size_t)snprintf(buf, ESCAPED_MAX, c->point < 0x80 ? "\\x%02x" : "\\u%04x",
			(unsigned)c->point & 0xffff);
	}
	memcpy(buf, c->bytes, c->len);
	return c->len;
}

/* Reads as one word after key=, in any reader of such lines. */
static bool is_plain_word(const char *s)
{
	struct character c;

	if (!*s)
		return false;
	while (next_character(&s, &c)) {
		if (c.point <= ' ' || c.point == '"' || c.point == '=' || c.point == '\\' ||
			is_unprintable(c.point))
			return false;
	}
	return true;
}

void text_write_logvalue(struct buf *out, const char *s)
{
	bool plain = is_plain_word(s);
	struct character c;

	if (!plain)
		buf_putc(out, '"');
	while (next_character(&s, &c)) {
		char spelt[ESCAPED_MAX];

		buf_append(out, spelt, escape(&c, spelt));
	}
	if (!plain)
		buf_putc(out, '"');
}

char *text_show(const char *s, char *buf, size_t size)
{
	size_t used = 0;
	size_t fits = 0; /* up to where "..." still has room behind */
	struct character c;

	while (next_character(&s, &c)) {
		char spelt[ESCAPED_MAX];
		size_t n = escape(&c, spelt);

		if (used + n >= size) {
			memcpy(buf + fits, "...", sizeof("..."));
			return buf;
		}
		memcpy(buf + used, spelt, n);
		used += n;
		if (used + sizeof("...") <= size)
			fits = used;
	}
	buf[used] = '\0';
	return buf;
}
