/* SPDX-License-Identifier: MIT */
/* Limits on a pod's share of new connections, and what it has taken of them. */
#include "core/plan/share.h"

#include <math.h>

double limits_ramp(int64_t age_ms, int64_t ramp_ms)
{
	if (ramp_ms <= 0 || age_ms >= ramp_ms)
		return 1.0;
	return age_ms <= 0 ? 0.0 : (double)age_ms / (double)ramp_ms;
}

double limits_share(double max_share, double ramp)
{
	double most = max_share > 0.0 && max_share < 1.0 ? max_share : 1.0;

	return most * ramp;
}

double limits_credit(double credit, double limit, uint64_t arrived, uint64_t taken)
{
	if (limit >= 1.0)
		return 0.0;

	double earned = limit * (double)arrived;

	return fmin(1.0 + earned, credit + earned - (double)taken);
}
