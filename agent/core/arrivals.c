/* SPDX-License-Identifier: MIT */
/* Smoothed arrival rate. */
#include "core/arrivals.h"

#include <math.h>

/* Long enough that one lucky second is not taken for a flood, short enough that a storm is seen
 * within a few plans. */
static const double TAU_S = 4.0;

void arrivals_update(struct arrivals *arrivals, uint64_t total, int64_t now_ms)
{
	if (arrivals->primed && total >= arrivals->total && now_ms > arrivals->at_ms) {
		double seconds = (double)(now_ms - arrivals->at_ms) / 1000.0;
		double rate = (double)(total - arrivals->total) / seconds;
		double keep = arrivals->rated ? exp(-seconds / TAU_S) : 0.0;

		arrivals->per_second = keep * arrivals->per_second + (1.0 - keep) * rate;
		arrivals->rated = true;
	}
	arrivals->primed = true;
	arrivals->total = total;
	arrivals->at_ms = now_ms;
}
