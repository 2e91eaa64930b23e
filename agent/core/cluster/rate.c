/* SPDX-License-Identifier: MIT */
/* Smoothed arrival rate. */
#include "core/cluster/rate.h"

#include <math.h>

void rate_update(struct rate *rate, uint64_t total, int64_t now_ms)
{
	if (rate->primed && total >= rate->total && now_ms > rate->at_ms) {
		double seconds = (double)(now_ms - rate->at_ms) / 1000.0;
		double now = (double)(total - rate->total) / seconds;
		double tau_s = rate->tau_s > 0.0 ? rate->tau_s : RATE_TAU_S;
		double keep = rate->rated ? exp(-seconds / tau_s) : 0.0;

		rate->per_second = keep * rate->per_second + (1.0 - keep) * now;
		rate->rated = true;
	}
	rate->primed = true;
	rate->total = total;
	rate->at_ms = now_ms;
}
