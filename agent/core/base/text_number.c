/* SPDX-License-Identifier: MIT */
/* Numbers, written digit by digit. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"

enum { DIGITS_MAX = 24, DECIMALS = 4, SCALE = 10000, LARGE_MAX = 320 };

/* Whatever is below it is exact as a whole number of ten thousandths. */
static const double EXACT_MAX = 9e11;

/* Writes the digits before *end, at least so many, and moves it to the first. */
static void put_digits(char **end, uint64_t n, unsigned least)
{
	for (unsigned i = 0; i < least || n > 0; i++) {
		*--*end = (char)('0' + n % 10);
		n /= 10;
	}
}

void text_write_i64(struct buf *out, int64_t n)
{
	char digits[DIGITS_MAX];
	char *end = digits + sizeof(digits);
	char *at = end;

	put_digits(&at, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 1);
	if (n < 0)
		*--at = '-';
	buf_append(out, at, (size_t)(end - at));
}

const char *text_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

char *text_format_grouped(uint64_t n, char *buf, size_t size)
{
	char digits[DIGITS_MAX];
	size_t n_digits = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);
	size_t len = 0;

	for (size_t i = 0; i < n_digits && len + 2 < size; i++) {
		if (i > 0 && (n_digits - i) % 3 == 0)
			buf[len++] = ',';
		buf[len++] = digits[i];
	}
	buf[len] = '\0';
	return buf;
}

/* The long way, for numbers that nobody meets. */
static void write_large(struct buf *out, double d, unsigned least)
{
	char digits[LARGE_MAX];
	int len = snprintf(digits, sizeof(digits), "%.0f", d);

	buf_append(out, digits, (size_t)len);
	if (least > 0)
		buf_append(out, ".0000", 1 + least);
}

void text_write_decimal(struct buf *out, double d, unsigned least)
{
	char digits[DIGITS_MAX + DECIMALS];
	char *end = digits + sizeof(digits);
	char *at = end;
	unsigned decimals = DECIMALS;
	uint64_t scaled;

	if (fabs(d) > EXACT_MAX) {
		write_large(out, d, least);
		return;
	}
	scaled = (uint64_t)llround(fabs(d) * SCALE);
	put_digits(&at, scaled % SCALE, DECIMALS);
	while (decimals > least && end[-1] == '0') {
		end--;
		decimals--;
	}
	if (decimals > 0)
		*--at = '.';
	else
		at = end = digits + sizeof(digits);
	put_digits(&at, scaled / SCALE, 1);
	if (d < 0 && scaled > 0)
		*--at = '-';
	buf_append(out, at, (size_t)(end - at));
}
