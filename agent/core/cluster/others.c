/* SPDX-License-Identifier: MIT */
/* What a pod has from elsewhere. */
#include "core/cluster/others.h"

#include <math.h>

static void believe(struct outside *outside, double others)
{
	*outside = (struct outside){
		.known = true,
		.others = others,
		.least = others,
		.most = others,
	};
}

void outside_new_pod(struct outside *outside, uint32_t own)
{
	believe(outside, -(double)own);
}

void outside_reload(struct outside *outside, uint32_t own)
{
	if (outside->known)
		believe(outside, outside->others + (double)own);
}

void outside_take(struct outside *outside, unsigned replicas, uint32_t count, uint32_t own_before,
	uint32_t own, uint32_t own_then)
{
	double least = (double)count - fmax((double)own_before, (double)own);
	double most = (double)count - fmin((double)own_before, (double)own);

	if (replicas > 1 || !outside->known) {
		outside->known = true;
		outside->others = (double)count - (double)own_then;
	} else {
		outside->others = fmin(fmax(outside->others, fmin(least, outside->least)),
			fmax(most, outside->most));
	}
	outside->least = least;
	outside->most = most;
}
