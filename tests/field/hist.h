/* SPDX-License-Identifier: MIT */
/* A histogram of durations with buckets that grow with the value: 2 % wide at worst, from 1 us to
 * over an hour, in a fixed size and with no allocation. */
#ifndef FIELD_HIST_H
#define FIELD_HIST_H

#include <stdint.h>

enum {
	HIST_SUB_BITS = 6, /* each power of two is cut into 64 */
	HIST_BUCKETS = (33 - HIST_SUB_BITS) << HIST_SUB_BITS,
};

/* All zero is an empty histogram. */
struct hist {
	uint64_t count;
	int64_t max_us; /* exact */
	double sum_us;
	uint32_t buckets[HIST_BUCKETS];
};

/* Adds one duration; below 0 counts as 0, and all above 2^32 us share the last bucket. */
void hist_add(struct hist *hist, int64_t us);

/* The duration that a share of all (0 to 1) does not exceed, rounded up to its bucket's end but
 * never above the longest; 0 when empty. */
int64_t hist_quantile_us(const struct hist *hist, double share);

/* The mean, 0 when empty. */
double hist_mean_us(const struct hist *hist);

#endif
