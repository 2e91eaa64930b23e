/* SPDX-License-Identifier: MIT */
/* Seeded random numbers. */
#include "dice.h"

#include <math.h>

uint64_t dice_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

uint64_t dice_roll(struct dice *dice)
{
	dice->state += 0x9e3779b97f4a7c15ULL;
	return dice_mix(dice->state);
}

double dice_unit(struct dice *dice)
{
	return (double)(dice_roll(dice) >> 11) * 0x1p-53;
}

double dice_exponential(struct dice *dice, double mean)
{
	return -mean * log1p(-dice_unit(dice));
}

double dice_lognormal(struct dice *dice, double mean)
{
	/* Box and Muller's pair of normals, of which one is enough here. */
	double radius = sqrt(-2.0 * log1p(-dice_unit(dice)));
	double normal = radius * cos(2.0 * M_PI * dice_unit(dice));
	return mean * exp(normal - 0.5);
}
