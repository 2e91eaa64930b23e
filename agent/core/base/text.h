/* SPDX-License-Identifier: MIT */
/* Text from outside: strict parsers for what people write, escapers for what strangers send. */
#ifndef WSB_TEXT_H
#define WSB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* A name fits a pattern in which each * stands for any bytes, none among them. */
bool text_matches(const char *pattern, const char *name);

/* The same text, or both NULL. */
bool text_is_same(const char *a, const char *b);

/* Appends copies of n texts to an empty list, which the caller frees, each text and *to. False when
 * out of memory: what was appended stays. */
bool text_copy_list(char *const *from, size_t n, char ***to, size_t *n_to);

/*
 * Parsers take the whole string or nothing: no spaces, no signs, no leading zeros, no rest. On
 * false, what they would have set is untouched.
 */

/* A decimal number from min to max. */
bool text_parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *out);

/* A whole number and its unit, ms, s, m or h: "500ms", "30s", "2m", "1h". *ms is 0..INT64_MAX. */
bool text_parse_duration(const char *s, int64_t *ms);

/* The shortest spelling that text_parse_duration takes, of ms >= 0; written to buf, which 24 bytes
 * always suffice for; returns buf. */
char *text_format_duration(int64_t ms, char *buf, size_t size);

/* A number of bytes and its unit, KiB, MiB or GiB: "64MiB". */
bool text_parse_size(const char *s, uint64_t *bytes);

/* The shortest spelling that text_parse_size takes, of a whole number of KiB; written to buf, which
 * 24 bytes always suffice for; returns buf. */
char *text_format_size(uint64_t bytes, char *buf, size_t size);

enum { TEXT_GROUPED_SIZE = 32 };

/* 1234567 as "1,234,567"; written to buf, which TEXT_GROUPED_SIZE bytes suffice for; returns buf.
 */
char *text_format_grouped(uint64_t n, char *buf, size_t size);

/* What follows a noun of which there are n: "s", or "" for one; static. */
const char *text_plural(uint64_t n);

/* A decimal number such as "1", "0.25" or "12.5", of at most 15 digits: no exponent. */
bool text_parse_decimal(const char *s, double *out);

/* Host and port as they stand in a string; host points into it and is not NUL-terminated. */
struct text_endpoint {
	const char *host; /* without brackets, never empty: "*" where none was written */
	size_t host_len;
	uint16_t port; /* 1..65535 */
};

/*
 * "host:port", "[::1]:port", "*:port" or ":port". A host is a name or an IPv4 address; an IPv6
 * address must stand in brackets. Nothing is resolved.
 */
bool text_parse_endpoint(const char *s, struct text_endpoint *out);

enum { TEXT_ENDPOINT_SIZE = 300 }; /* bytes that suffice for any host */

/* "host:port", an IPv6 address in brackets; written to buf, cut to size; returns buf. */
char *text_format_endpoint(const char *host, uint16_t port, char *buf, size_t size);

enum { TEXT_TIME_SIZE = 32 };

/* Milliseconds since the epoch as RFC 3339 has it, "2026-01-31T12:00:00.000Z"; written to buf,
 * which TEXT_TIME_SIZE bytes suffice for; returns buf. */
char *text_format_time(int64_t wall_ms, char *buf, size_t size);
/* The same for people, without a zone: "2026-01-31 12:00:00". */
char *text_format_time_plain(int64_t wall_ms, char *buf, size_t size);

/* A token of RFC 9110 (5.6.2), such as a header's name. */
bool text_is_token(const char *s);
/* What may stand as a header's value (RFC 9110, 5.5): no control character but a tab, no blank at
 * either end. The empty string is one. */
bool text_is_header_value(const char *s);

/*
 * The bytes of the well-formed UTF-8 character (RFC 3629) that s[0..len) begins with, 1..4, and its
 * code point; 0, with *point untouched, when it begins with none.
 */
size_t text_utf8_decode(const char *s, size_t len, uint32_t *point);
/* Every byte belongs to a well-formed character. */
bool text_is_utf8(const char *s, size_t len);

/*
 * Writers take any NUL-terminated bytes. Each byte that is no part of well-formed UTF-8 comes out
 * as U+FFFD, so the output is always valid UTF-8. Errors stay in the buffer (buf.h).
 */

/* Safe in HTML text and in a quoted attribute, single or double; control characters that HTML does
 * not allow come out as U+FFFD. */
void text_write_html(struct buf *out, const char *s);

/* s is a JSON text and stays the same one; what must not come raw to a terminal is spelt \uNNNN. */
void text_write_json(struct buf *out, const char *s);

/* Safe between the double quotes of a label's value in Prometheus text format. */
void text_write_label(struct buf *out, const char *s);

/* Between the double quotes of a JSON string (RFC 8259). */
void text_write_jsonstring(struct buf *out, const char *s);

/* A number without a loss. */
void text_write_i64(struct buf *out, int64_t n);
/* A finite number with at most four decimals, and no zeros at its end but as many as least asks
 * for: 12, 12.5, 0.0417. Much cheaper than printf, of which a report of 9,000 pods would need a
 * hundred thousand. */
void text_write_decimal(struct buf *out, double d, unsigned least);

/*
 * A value after key= in a log line: as it is when it is one plain word, else in double quotes with
 * \" \\ \n \r \t \xNN \uNNNN. Controls of any kind, line separators and marks that reorder text
 * never come out raw.
 */
void text_write_logvalue(struct buf *out, const char *s);

/* The same escapes without the quotes, into buf for an error message; what does not fit ends in
 * "...". size is at least 16; returns buf. */
char *text_show(const char *s, char *buf, size_t size);

#endif
