/* SPDX-License-Identifier: MIT */
/* Seeded random numbers: the same seed gives the same run on every machine. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdint.h>

/* One stream. The simulator keeps one for each purpose, so that every policy meets the same
 * arrivals and lifetimes whatever else it draws. */
struct rng {
	uint64_t state;
};

/* The same seed with another stream number gives independent numbers. */
void rng_init(struct rng *rng, uint64_t seed, uint64_t stream);

uint64_t rng_next(struct rng *rng);
/* 0 <= x < n, n > 0. */
uint32_t rng_below(struct rng *rng, uint32_t n);
/* 0 <= x < 1. */
double rng_uniform(struct rng *rng);
/* Exponential of mean 1. */
double rng_exponential(struct rng *rng);
/* Normal of mean 0, variance 1. */
double rng_normal(struct rng *rng);

#endif
