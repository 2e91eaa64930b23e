/* SPDX-License-Identifier: MIT */
/* Durations in buckets that grow with the value. */
#include "hist.h"

#include <math.h>

/* The values below 2^SUB_BITS have a bucket each. Above, the highest set bit picks a run of
 * 2^SUB_BITS buckets and the bits under it the place in the run. */
static unsigned bucket_of(uint32_t us)
{
	if (us < 1U << HIST_SUB_BITS)
		return us;
	unsigned shift = 31U - (unsigned)__builtin_clz(us) - HIST_SUB_BITS;
	return ((shift + 1) << HIST_SUB_BITS) + ((us >> shift) - (1U << HIST_SUB_BITS));
}

/* The largest value that falls into a bucket. */
static int64_t bucket_end_us(unsigned bucket)
{
	if (bucket < 1U << HIST_SUB_BITS)
		return bucket;
	unsigned shift = (bucket >> HIST_SUB_BITS) - 1;
	int64_t head = (bucket & ((1U << HIST_SUB_BITS) - 1)) + (1U << HIST_SUB_BITS);
	return ((head + 1) << shift) - 1;
}

void hist_add(struct hist *hist, int64_t us)
{
	if (us < 0)
		us = 0;
	hist->count++;
	hist->sum_us += (double)us;
	if (us > hist->max_us)
		hist->max_us = us;
	hist->buckets[bucket_of(us > UINT32_MAX ? UINT32_MAX : (uint32_t)us)]++;
}

int64_t hist_quantile_us(const struct hist *hist, double share)
{
	if (hist->count == 0)
		return 0;
	uint64_t wanted = (uint64_t)ceil(share * (double)hist->count);
	uint64_t seen = 0;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		seen += hist->buckets[i];
		if (seen >= wanted && seen > 0) {
			int64_t end = bucket_end_us(i);
			return end < hist->max_us ? end : hist->max_us;
		}
	}
	return hist->max_us;
}

double hist_mean_us(const struct hist *hist)
{
	return hist->count > 0 ? hist->sum_us / (double)hist->count : 0.0;
}
