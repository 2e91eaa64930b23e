/* SPDX-License-Identifier: MIT */
/* Seeded random numbers: the same seed gives the same run. Not for secrets. */
#ifndef FIELD_DICE_H
#define FIELD_DICE_H

#include <stdint.h>

struct dice {
	uint64_t state; /* any value is a seed */
};

/* Mixes a number into another that looks random (the finaliser of splitmix64). */
uint64_t dice_mix(uint64_t x);

uint64_t dice_roll(struct dice *dice);

/* 0 <= x < 1 */
double dice_unit(struct dice *dice);

/* Exponential with this mean: the lifetimes of things that end at random. */
double dice_exponential(struct dice *dice, double mean);

/* Log-normal with this mean and sigma 1: many short lives, a few very long ones. */
double dice_lognormal(struct dice *dice, double mean);

#endif
