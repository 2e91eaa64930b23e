/* SPDX-License-Identifier: MIT */
/* All that is wanted of a pod's answer. */
#ifndef WSB_METRIC_QUERY_H
#define WSB_METRIC_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/metric/metric_key.h"

enum metric_role { METRIC_ROLE_COUNT, METRIC_ROLE_DRAINING, METRIC_ROLE_CAPACITY, METRIC_N_ROLES };

enum {
	METRIC_JSON_MAX = 64 * 1024,             /* bytes of an answer unless said otherwise */
	METRIC_PROMETHEUS_MAX = 4 * 1024 * 1024, /* its pages are long, and are not kept */
};

struct metric_query {
	enum metric_format format;
	size_t max_bytes; /* of an answer */
	struct metric_key keys[METRIC_N_ROLES];
};

/* What the configuration says, as texts. */
struct metric_words {
	enum metric_format format;
	uint64_t max_bytes;               /* 0: the format's own limit */
	const char *keys[METRIC_N_ROLES]; /* NULL, or "" for the last two: not wanted */
};

/* To be released with metric_query_fini. False: *why says why, *bad which key, and *query is
 * untouched. */
bool metric_query_parse(const struct metric_words *words, struct metric_query *query,
	enum metric_role *bad, struct why *why);
/* Takes a zeroed struct. */
void metric_query_fini(struct metric_query *query);

size_t metric_query_n_terms(const struct metric_query *query);

/*
 * The metric, from what the terms of all keys found, in their order. What stands at drainingKey or
 * capacityKey and is out of bounds is absent and marked as odd. METRIC_OK with *out filled but for
 * the names, or the reason with *out untouched.
 */
enum metric_outcome metric_query_answer(
	const struct metric_query *query, const struct metric_found *found, struct metric *out);

#endif
