/* SPDX-License-Identifier: MIT */
/* What a pod has from elsewhere. */
#include "core/cluster/others.h"

#include <math.h>

static void believe(struct others *others, double count)
{
	*others = (struct others){
		.known = true,
		.count = count,
		.least = count,
		.most = count,
	};
}

void others_new_pod(struct others *others, uint32_t own)
{
	believe(others, -(double)own);
}

void others_reload(struct others *others, uint32_t own)
{
	if (others->known)
		believe(others, others->count + (double)own);
}

void others_update(struct others *others, unsigned replicas, uint32_t count, uint32_t own_before,
	uint32_t own, uint32_t own_then)
{
	double least = (double)count - fmax((double)own_before, (double)own);
	double most = (double)count - fmin((double)own_before, (double)own);

	if (replicas > 1 || !others->known) {
		others->known = true;
		others->count = (double)count - (double)own_then;
	} else {
		others->count = fmin(
			fmax(others->count, fmin(least, others->least)), fmax(most, others->most));
	}
	others->least = least;
	others->most = most;
}
