/* SPDX-License-Identifier: MIT */
/* Pods' answers in tests of what is made of them. */
#ifndef WSB_TEST_METRICS_H
#define WSB_TEST_METRICS_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/metric/metric_reader.h"

/* A query that must be one; the JSON defaults for drainingKey and capacityKey. */
static inline struct metric_query metrics_query(enum metric_format format, const char *key)
{
	struct metric_words words = {.format = format, .keys = {key, "", ""}};
	struct metric_query query = {.format = METRIC_JSON};
	enum metric_role bad = METRIC_ROLE_COUNT;
	struct why why = {.line = 0};

	if (format == METRIC_JSON) {
		words.keys[METRIC_ROLE_DRAINING] = "draining";
		words.keys[METRIC_ROLE_CAPACITY] = "capacity";
	}
	ck_assert_msg(metric_query_parse(&words, &query, &bad, &why), "%s: %s", key, why.text);
	return query;
}

/*
 * Reads a body in pieces of the given size (0: all at once), each from memory of exactly that
 * length, so that a byte too far is seen. On failure *out must be untouched.
 */
static inline enum metric_outcome metrics_read_pieces(const struct metric_query *query,
	const char *body, size_t len, size_t piece, const char *type, struct metric *out)
{
	struct metric_reader *reader = metric_reader_new(query);
	struct metric before;
	enum metric_outcome outcome = METRIC_OK;

	ck_assert_ptr_nonnull(reader);
	metric_reader_begin(reader);
	for (size_t at = 0; at < len && outcome == METRIC_OK;) {
		size_t n = piece == 0 || piece > len - at ? len - at : piece;
		char *copy = malloc(n);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, body + at, n);
		if (!metric_reader_feed(reader, copy, n))
			outcome = metric_reader_refusal(reader);
		free(copy);
		at += n;
	}
	memset(out, 0x5a, sizeof(*out));
	memcpy(&before, out, sizeof(before));
	if (outcome == METRIC_OK)
		outcome = metric_reader_end(reader, type, out);
	if (outcome != METRIC_OK)
		ck_assert_int_eq(memcmp(out, &before, sizeof(before)), 0);
	metric_reader_free(reader);
	return outcome;
}

/* The same, from a key's text. */
static inline enum metric_outcome metrics_read(enum metric_format format, const char *key,
	const char *body, size_t len, struct metric *out)
{
	struct metric_query query = metrics_query(format, key);
	enum metric_outcome outcome = metrics_read_pieces(&query, body, len, 0, NULL, out);

	metric_query_fini(&query);
	return outcome;
}

#endif
