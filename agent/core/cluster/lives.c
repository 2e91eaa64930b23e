/* SPDX-License-Identifier: MIT */
#include "core/cluster/lives.h"

#include <math.h>

/* Long enough for a few hundred closings where lives are of minutes. */
static const double TAU_S = 30.0;

void lives_update(struct lives *lives, double closed, double held, int64_t now_ms)
{
	double span_s = (double)(now_ms - lives->at_ms) / 1000.0;

	if (lives->primed && span_s > 0.0) {
		double keep = exp(-span_s / TAU_S);

		lives->closed = keep * lives->closed + closed;
		lives->held_s = keep * lives->held_s + (held + closed / 2.0) * span_s;
	}
	lives->primed = true;
	lives->at_ms = now_ms;
}

double lives_closing(const struct lives *lives)
{
	return lives->held_s > 0.0 ? lives->closed / lives->held_s : 0.0;
}
