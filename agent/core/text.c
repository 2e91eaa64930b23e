/* SPDX-License-Identifier: MIT */
/* Strict parsers and escapers. */
#include "core/text.h"

#include <inttypes.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Reads the digits that s begins with; returns where they end, or NULL where there are none or they
 * are no plain number below 2^64. */
static const char *parse_digits(const char *s, uint64_t *out)
{
	uint64_t value = 0;

	if (!is_digit(*s) || (*s == '0' && is_digit(s[1])))
		return NULL;
	for (; is_digit(*s); s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return NULL;
		value = value * 10 + digit;
	}
	*out = value;
	return s;
}

bool text_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value;
	const char *rest = parse_digits(s, &value);

	if (!rest || *rest || value < min || value > max)
		return false;
	*out = value;
	return true;
}

static const struct {
	const char *name;
	int64_t ms;
} units[] = {
	/* The largest first: text_format_duration takes the first that divides. */
	{"h", 3600000},
	{"m", 60000},
	{"s", 1000},
	{"ms", 1},
};

enum { N_UNITS = sizeof(units) / sizeof(units[0]) };

bool text_parse_duration(const char *s, int64_t *ms)
{
	uint64_t value;
	const char *rest = parse_digits(s, &value);

	if (!rest)
		return false;
	for (size_t i = 0; i < N_UNITS; i++) {
		if (strcmp(rest, units[i].name) != 0)
			continue;
		if (value > (uint64_t)(INT64_MAX / units[i].ms))
			return false;
		*ms = (int64_t)value * units[i].ms;
		return true;
	}
	return false;
}

char *text_format_duration(int64_t ms, char *buf, size_t size)
{
	size_t i = 0;

	while (i < N_UNITS - 1 && (ms == 0 || ms % units[i].ms != 0))
		i++;
	snprintf(buf, size, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
	return buf;
}

static bool is_host(const char *host, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(host[i]) && !strchr("-._", host[i]))
			return false;
	}
	return len > 0 && len <= 253;
}

/* An IPv6 address, perhaps with a zone; whether it is a good one is for the resolver to say. */
static bool is_ipv6(const char *host, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(host[i]) && !strchr(":.%-_", host[i]))
			return false;
	}
	return len >= 2 && memchr(host, ':', len);
}

bool text_parse_endpoint(const char *s, struct text_endpoint *out)
{
	const char *colon = strrchr(s, ':');
	struct text_endpoint endpoint = {.host = s};
	uint64_t port;

	if (!colon || !text_parse_u64(colon + 1, 1, 65535, &port))
		return false;
	endpoint.host_len = (size_t)(colon - s);
	endpoint.port = (uint16_t)port;

	if (endpoint.host_len == 0) {
		endpoint.host = "*";
		endpoint.host_len = 1;
	} else if (s[0] == '[') {
		if (colon[-1] != ']' || endpoint.host_len < 2)
			return false;
		endpoint.host = s + 1;
		endpoint.host_len -= 2;
		if (!is_ipv6(endpoint.host, endpoint.host_len))
			return false;
	} else if (!(endpoint.host_len == 1 && s[0] == '*')) {
		if (!is_host(endpoint.host, endpoint.host_len))
			return false;
	}
	*out = endpoint;
	return true;
}

bool text_is_token(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!is_alnum(*s) && !strchr("!#$%&'*+-.^_`|~", *s))
			return false;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool text_is_header_value(const char *s)
{
	size_t len = strlen(s);

	if (len > 0 && (is_blank(s[0]) || is_blank(s[len - 1])))
		return false;
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c != '\t' && (c < 0x20 || c == 0x7f))
			return false;
	}
	return true;
}

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

void text_write_html(FILE *out, const char *s)
{
	struct character c;

	while (next_character(&s, &c)) {
		switch (c.point) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			if ((c.point < 0x20 && c.point != '\t' && c.point != '\n') ||
				(c.point >= 0x7f && c.point < 0xa0))
				fputs(replacement, out);
			else
				fwrite(c.bytes, 1, c.len, out);
		}
	}
}

void text_write_label(FILE *out, const char *s)
{
	struct character c;

	while (next_character(&s, &c)) {
		if (c.point == '\n')
			fputs("\\n", out);
		else if (c.point == '\\' || c.point == '"')
			fprintf(out, "\\%c", (char)c.point);
		else
			fwrite(c.bytes, 1, c.len, out);
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

void text_write_logvalue(FILE *out, const char *s)
{
	bool plain = is_plain_word(s);
	struct character c;

	if (!plain)
		fputc('"', out);
	while (next_character(&s, &c)) {
		char spelt[ESCAPED_MAX];

		fwrite(spelt, 1, escape(&c, spelt), out);
	}
	if (!plain)
		fputc('"', out);
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
