/* SPDX-License-Identifier: MIT */
/* Smoothed arrival rate. */
#include "core/cluster/rate.h"

#include <math.h>

void rate_update(struct rate *arrivals, uint64_t total, int64_t now_ms)
{
	if (arrivals->primed && total >= arrivals->total && now_ms > arrivals->at_ms) {
		double seconds = (double)(now_ms - arrivals->at_ms) / 1000.0;
		double rate = (double)(total - arrivals->total) / seconds;
		double tau_s = arrivals->tau_s > 0.0 ? arrivals->tau_s : RATE_TAU_S;
		double keep = arrivals->rated ? exp(-seconds / tau_s) : 0.0;

		arrivals->per_second = keep * arrivals->per_second + (1.0 - keep) * rate;
		arrivals->rated = true;
	}
	arrivals->primed = true;
	arrivals->total = total;
	arrivals->at_ms = now_ms;
}
