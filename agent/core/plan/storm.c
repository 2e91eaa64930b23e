/* SPDX-License-Identifier: MIT */
/* Torn counts. */
#include "core/plan/storm.h"

#include <math.h>

/* Of all connections so many must be lost, and more than chance takes: so many times the square
 * root. */
static const double LOST_PART = 0.05;
static const double LOST_CHANCE = 1.0;

/* How far apart the pods' lost parts must be (the root of the mean square), and how many times the
 * variance that chance makes of them. Being wrong costs a further poll of each pod, and a plan
 * comes some 150 ms later, when it is needed most. */
static const double UNEVEN_PART = 0.05;
static const double UNEVEN_CHANCE = 4.0;

void storm_add(struct storm *storm, uint32_t before, uint32_t now)
{
	double had = (double)before;
	double lost = had - (double)now;

	if (before == 0)
		return;
	storm->n += 1.0;
	storm->before += had;
	storm->before2 += had * had;
	storm->lost += lost;
	storm->lost2 += lost * lost;
	storm->lost_before += lost * had;
	storm->lost2_per_before += lost * lost / had;
}

bool storm_is_torn(const struct storm *storm)
{
	double least = fmax(LOST_PART * storm->before, LOST_CHANCE * sqrt(storm->before));

	if (storm->lost <= least)
		return false;

	double part = storm->lost / storm->before; /* above 0, at most 1 */
	/* The sum of squares of what each pod lost beyond that part of its own. */
	double apart =
		storm->lost2 - 2.0 * part * storm->lost_before + part * part * storm->before2;
	/* The same, each pod's in units of the variance of a binomial distribution. */
	double units = storm->lost2_per_before - part * storm->lost;

	return apart > UNEVEN_PART * UNEVEN_PART * storm->before2 &&
	       units > UNEVEN_CHANCE * storm->n * part * (1.0 - part);
}
