/* SPDX-License-Identifier: MIT */
/* SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators) and what is drawn
 * from it. */
#include "rng.h"

#include <math.h>

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void rng_init(struct rng *rng, uint64_t seed, uint64_t stream)
{
	struct rng mixer = {.state = seed};

	/* Neighbouring seeds and streams must not give overlapping sequences. */
	mixer.state = rng_next(&mixer) + stream;
	rng->state = rng_next(&mixer);
}

uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (uint32_t)(((rng_next(rng) >> 32) * n) >> 32);
}

double rng_uniform(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

double rng_exponential(struct rng *rng)
{
	return -log1p(-rng_uniform(rng));
}

double rng_normal(struct rng *rng)
{
	/* Box and Muller; the second value is thrown away so that a stream has no hidden half. */
	double radius = sqrt(2.0 * rng_exponential(rng));

	return radius * cos(2.0 * 3.14159265358979323846 * rng_uniform(rng));
}
