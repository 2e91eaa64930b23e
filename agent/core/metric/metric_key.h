/* SPDX-License-Identifier: MIT */
/* metricKey, drainingKey and capacityKey: which numbers of an answer are wanted, and their sum. */
#ifndef WSB_METRIC_KEY_H
#define WSB_METRIC_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/why.h"
#include "core/metric/metric.h"
#include "core/metric/metric_found.h"
#include "core/metric/metric_path.h"
#include "core/metric/metric_series.h"

enum { METRIC_TERMS_MAX = 16 };

/* One number of an answer: a path in JSON, a selector in Prometheus' format, a word in text. */
struct metric_term {
	unsigned alternative; /* from 0, ascending over a key's terms */
	bool minus;
	union {
		struct metric_path path;
		struct metric_series series;
		char *word;
	} is;
};

/*
 * Terms joined by + and -, and such sums by |, of which the first counts whose terms are all there.
 * In JSON and in text a blank stands on both sides of these signs, since a key may contain them. No
 * term at all: nothing is wanted.
 */
struct metric_key {
	enum metric_format format;
	struct metric_term *terms;
	size_t n_terms;
};

/* Parses what the configuration says; the empty text is the whole answer in JSON and a mistake
 * else. False: *why says why, and *key is untouched. */
bool metric_key_parse(
	const char *text, enum metric_format format, struct metric_key *key, struct why *why);
/* Takes a zeroed struct. */
void metric_key_fini(struct metric_key *key);

struct metric_total {
	double sum;
	uint32_t sampled;   /* see struct metric */
	uint32_t unsampled; /* see struct metric */
};

/* The key's sum, from what each of its terms found. METRIC_OK, METRIC_NO_KEY, METRIC_NOT_A_COUNT
 * or METRIC_NOT_PROMETHEUS; *total is set with METRIC_OK only. */
enum metric_outcome metric_key_total(
	const struct metric_key *key, const struct metric_found *found, struct metric_total *total);

#endif
