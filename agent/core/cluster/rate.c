/* SPDX-License-Identifier: MIT */
/* Smoothed arrival rate. */
#include "core/cluster/rate.h"

#include <math.h>

static void mix_in(struct rate *rate, double change, double seconds)
{
	double tau_s = rate->tau_s > 0.0 ? rate->tau_s : RATE_TAU_S;
	double keep = rate->rated ? exp(-seconds / tau_s) : 0.0;

	rate->per_second = keep * rate->per_second + (1.0 - keep) * change / seconds;
	rate->rated = true;
}

void rate_update(struct rate *rate, uint64_t total, int64_t now_ms)
{
	if (rate->primed && total >= rate->total && now_ms > rate->at_ms)
		mix_in(rate, (double)(total - rate->total),
			(double)(now_ms - rate->at_ms) / 1000.0);
	rate->primed = true;
	rate->total = total;
	rate->at_ms = now_ms;
}

void rate_add(struct rate *rate, double change, int64_t now_ms)
{
	if (rate->primed && now_ms > rate->at_ms)
		mix_in(rate, change, (double)(now_ms - rate->at_ms) / 1000.0);
	rate->primed = true;
	rate->at_ms = now_ms;
}
