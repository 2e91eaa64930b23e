/* SPDX-License-Identifier: MIT */
/* Histograms and the imbalance ring. */
#include "core/stats.h"

/* Points nearer than this are one, so that the ring spans ten minutes however often it is fed; the
 * slack lets a tick of a second come a little early. */
enum { POINT_MS = 900 };

const double stats_bounds_s[STATS_N_BUCKETS] = {
	0.0005,
	0.001,
	0.0025,
	0.005,
	0.01,
	0.025,
	0.05,
	0.1,
	0.25,
	0.5,
	1.0,
	5.0,
};

void stats_observe(struct stats_histogram *histogram, double seconds)
{
	size_t i = 0;

	while (i < STATS_N_BUCKETS && seconds > stats_bounds_s[i])
		i++;
	histogram->buckets[i]++;
	histogram->count++;
	histogram->sum_s += seconds;
}

void stats_add_point(struct stats *stats, int64_t wall_ms, double imbalance)
{
	size_t last = (stats->history_next + STATS_HISTORY_MAX - 1) % STATS_HISTORY_MAX;
	int64_t since_ms = wall_ms - stats->history[last].wall_ms;

	if (stats->history_len > 0 && since_ms >= 0 && since_ms < POINT_MS) {
		if (imbalance > stats->history[last].imbalance)
			stats->history[last].imbalance = imbalance;
		return;
	}
	stats->history[stats->history_next].wall_ms = wall_ms;
	stats->history[stats->history_next].imbalance = imbalance;
	stats->history_next = (stats->history_next + 1) % STATS_HISTORY_MAX;
	if (stats->history_len < STATS_HISTORY_MAX)
		stats->history_len++;
}

const struct stats_point *stats_point_at(const struct stats *stats, size_t i)
{
	size_t oldest =
		(stats->history_next + STATS_HISTORY_MAX - stats->history_len) % STATS_HISTORY_MAX;

	return &stats->history[(oldest + i) % STATS_HISTORY_MAX];
}
