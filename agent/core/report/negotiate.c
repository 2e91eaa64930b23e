/* SPDX-License-Identifier: MIT */
#include "core/report/negotiate.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* One element of the header: a media range and its quality. */
struct range {
	const char *type;
	size_t len;      /* of type, without blanks and parameters */
	int thousandths; /* q as a whole number, 0..1000 */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* "0", "0.5", "1.000"; anything else counts as 1. */
static int parse_quality(const char *s, size_t len)
{
	int value = 0;
	int unit = 100;

	if (len == 0 || len > 5 || (s[0] != '0' && s[0] != '1') || (len > 1 && s[1] != '.'))
		return 1000;
	value = s[0] == '1' ? 1000 : 0;
	for (size_t i = 2; i < len; i++, unit /= 10) {
		if (s[i] < '0' || s[i] > '9')
			return 1000;
		value += (s[i] - '0') * unit;
	}
	return value > 1000 ? 1000 : value;
}

static size_t trimmed(const char **s, size_t len)
{
	while (len > 0 && is_blank(**s)) {
		(*s)++;
		len--;
	}
	while (len > 0 && is_blank((*s)[len - 1]))
		len--;
	return len;
}

/* Reads s[0..len), which holds no comma. */
static struct range parse_range(const char *s, size_t len)
{
	const char *end = s + len;
	const char *semicolon = memchr(s, ';', len);
	struct range range = {.type = s, .thousandths = 1000};

	range.len = trimmed(&range.type, semicolon ? (size_t)(semicolon - s) : len);
	while (semicolon) {
		const char *param = semicolon + 1;

		semicolon = memchr(param, ';', (size_t)(end - param));
		size_t n = trimmed(&param, (size_t)((semicolon ? semicolon : end) - param));

		if (n >= 2 && (param[0] == 'q' || param[0] == 'Q') && param[1] == '=')
			range.thousandths = parse_quality(param + 2, n - 2);
	}
	return range;
}

/* 3 for the type itself, 2 for its main type, 1 for anything, 0 for no match. */
static int specificity(const struct range *range, const char *offer)
{
	size_t main_len = strcspn(offer, "/") + 1;

	if (range->len == strlen(offer) && strncasecmp(range->type, offer, range->len) == 0)
		return 3;
	if (range->len == main_len + 1 && range->type[main_len] == '*' &&
		strncasecmp(range->type, offer, main_len) == 0)
		return 2;
	return range->len == 3 && memcmp(range->type, "*/*", 3) == 0;
}

static int quality_of(const char *header, const char *offer)
{
	int best = 0; /* specificity */
	int quality = 0;

	while (*header) {
		size_t len = strcspn(header, ",");
		struct range range = parse_range(header, len);
		int match = specificity(&range, offer);

		/* One type may stand there twice, in two versions: the better one counts. */
		if (match > best || (match > 0 && match == best && range.thousandths > quality)) {
			best = match;
			quality = range.thousandths;
		}
		header += len + (header[len] == ',');
	}
	return quality;
}

size_t negotiate_choose(const char *header, const char *const *offers, size_t n)
{
	size_t chosen = 0;
	int best = 0;

	for (size_t i = 0; header && i < n; i++) {
		int quality = quality_of(header, offers[i]);

		if (quality > best) {
			best = quality;
			chosen = i;
		}
	}
	return chosen;
}

bool negotiate_takes(const char *header, const char *coding)
{
	bool named = false;
	int quality = 0;

	while (header && *header) {
		size_t len = strcspn(header, ",");
		struct range range = parse_range(header, len);
		bool is_it = range.len == strlen(coding) &&
			     strncasecmp(range.type, coding, range.len) == 0;

		if (is_it || (!named && range.len == 1 && *range.type == '*'))
			quality = range.thousandths;
		named = named || is_it;
		header += len + (header[len] == ',');
	}
	return quality > 0;
}
