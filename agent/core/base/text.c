/* SPDX-License-Identifier: MIT */
#include "core/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool text_matches(const char *pattern, const char *name)
{
	const char *star = NULL; /* the last one met, and where its part of name ends */
	const char *end = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			end = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			/* It stands for one byte more. */
			pattern = star + 1;
			name = ++end;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool text_copy_list(char *const *from, size_t n, char ***to, size_t *n_to)
{
	*to = calloc(n + 1, sizeof(**to));
	if (!*to)
		return false;
	while (*n_to < n) {
		char *text = strdup(from[*n_to]);

		if (!text)
			return false;
		(*to)[(*n_to)++] = text;
	}
	return true;
}

bool text_is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

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

static const struct {
	const char *name;
	unsigned shift;
} sizes[] = {
	{"GiB", 30},
	{"MiB", 20},
	{"KiB", 10},
};

enum { N_SIZES = sizeof(sizes) / sizeof(sizes[0]) };

bool text_parse_size(const char *s, uint64_t *bytes)
{
	uint64_t value;
	const char *rest = parse_digits(s, &value);

	if (!rest)
		return false;
	for (size_t i = 0; i < N_SIZES; i++) {
		if (strcmp(rest, sizes[i].name) != 0)
			continue;
		if (value > UINT64_MAX >> sizes[i].shift)
			return false;
		*bytes = value << sizes[i].shift;
		return true;
	}
	return false;
}

char *text_format_size(uint64_t bytes, char *buf, size_t size)
{
	size_t i = 0;

	while (i < N_SIZES - 1 && (bytes == 0 || bytes % (UINT64_C(1) << sizes[i].shift) != 0))
		i++;
	snprintf(buf, size, "%" PRIu64 "%s", bytes >> sizes[i].shift, sizes[i].name);
	return buf;
}

bool text_parse_decimal(const char *s, double *out)
{
	/* So many digits are a whole number that a double holds exactly, and so are the powers of
	 * ten: the one division is then rounded as strtod rounds. */
	const size_t most = 15;
	uint64_t value;
	const char *rest = parse_digits(s, &value);
	size_t n_digits = rest ? (size_t)(rest - s) : 0;
	double power = 1.0;

	if (!rest || (*rest == '.' && !is_digit(rest[1])))
		return false;
	if (*rest == '.')
		rest++;
	for (; is_digit(*rest) && n_digits < most; rest++, n_digits++) {
		value = value * 10 + (uint64_t)(*rest - '0');
		power *= 10.0;
	}
	if (*rest || n_digits > most)
		return false;
	*out = (double)value / power;
	return true;
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

char *text_format_endpoint(const char *host, uint16_t port, char *buf, size_t size)
{
	bool ipv6 = strchr(host, ':') != NULL;

	snprintf(buf, size, "%s%s%s:%u", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
	return buf;
}

/* between: what stands between date and time. */
static void format_utc(int64_t wall_ms, char between, char *buf, size_t size)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc = {0};

	(void)gmtime_r(&seconds, &utc);
	snprintf(buf, size, "%04d-%02d-%02d%c%02d:%02d:%02d", utc.tm_year + 1900, utc.tm_mon + 1,
		utc.tm_mday, between, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

char *text_format_time(int64_t wall_ms, char *buf, size_t size)
{
	char time[TEXT_TIME_SIZE - 8];

	format_utc(wall_ms, 'T', time, sizeof(time));
	snprintf(buf, size, "%s.%03dZ", time, (int)(wall_ms % 1000));
	return buf;
}

char *text_format_time_plain(int64_t wall_ms, char *buf, size_t size)
{
	format_utc(wall_ms, ' ', buf, size);
	return buf;
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
