/* SPDX-License-Identifier: MIT */
/* What a pod has from elsewhere. */
#include "core/cluster/others.h"

#include <math.h>

#include "core/plan/counts.h"

/* Several instances: how far off the straight line own_then may lie, of what own moved by: what
 * came all at once, and connections that HAProxy counts and the pod does not yet. */
static const double LATE_PART = 0.1;
static const double BENT_PART = 0.3;

/* As far as that it is never off. */
static const double BENT_MOST = 0.5;

/* What moves by chance in an interval however calm it is. */
static const double CHANCE_MIN = 4.0;

/* One instance: a reading that is so many standard deviations off what was believed, and so many
 * connections and such a part of the count beyond, is no noise. */
static const double JUMP_CHANCE = 3.0;
static const double JUMP_PART = 0.1;
static const double JUMP_MIN = 5.0;

/* One instance: by so much, squared, others move between two readings however calm it is; and so
 * far, squared, a reading is off at least. */
static const double MOVES_MIN = 0.25;
static const double NOISE_MIN = 0.25;

static void believe(struct others *others, double count, double at)
{
	*others = (struct others){
		.known = true,
		.count = count,
		.least = count,
		.most = count,
		.at = at,
	};
}

void others_new_pod(struct others *others, uint32_t own)
{
	believe(others, -(double)own, (double)own);
}

void others_empty(struct others *others)
{
	believe(others, 0.0, 0.0);
}

void others_reload(struct others *others, uint32_t own)
{
	if (others->known)
		believe(others, others->count + (double)own, 0.0);
}

/* The variance of own when the pod counted, about the straight line: sessions that come and go one
 * by one make a bridge of random steps between the two readings. */
static double variance(const struct others_reading *reading)
{
	return reading->turnover * reading->part * (1.0 - reading->part);
}

/*
 * How far a reading is believed over what instances that are all alike would have come to. In a
 * rush a reading is off by what moved meanwhile, and the same way for every instance, so that all
 * overshoot together; what instances differ by evens out among them.
 */
static double belief(double replicas, double moved, double moved_then, double noise)
{
	double part = moved != 0.0 ? moved_then / moved : 1.0;
	double bent = sqrt(fmax(0.0, part * (1.0 - part)));
	double off = replicas * moved * (LATE_PART + BENT_PART * bent);
	double chance = replicas * (replicas - 1.0) * (fabs(moved) + CHANCE_MIN);

	return chance / (chance + off * off + noise);
}

static double of_several(const struct others *others, const struct others_reading *reading)
{
	double replicas = (double)reading->replicas;
	double moved = (double)reading->own - (double)reading->own_before;
	double read = (double)reading->count - reading->own_then;
	double alike = others->count +
		       (replicas - 1.0) * counts_moved_alike(reading->own_then - others->at);
	double part = belief(replicas, moved, reading->own_then - (double)reading->own_before,
		variance(reading));
	double most_off = replicas * fabs(moved) * BENT_MOST;
	double believed = alike + (read - alike) * part;

	/* No further off than a reading may be, and none has fewer than none. */
	believed = fmin(fmax(believed, read - most_off), read + most_off);
	return fmax(believed, fmin(0.0, read));
}

/*
 * Two readings that agree force the count; how far it gives way is a matter of what is known of
 * both. What comes and goes on this HAProxy's own sessions it may have done elsewhere too.
 */
static double of_one(
	struct others *others, const struct others_reading *reading, double least, double most)
{
	double read = (double)reading->count - reading->own_then;
	double moved = (double)reading->own - (double)reading->own_before;
	double bent = moved * moved * reading->part * (1.0 - reading->part);
	double noise = variance(reading);
	double lives = reading->turnover / fmax(1.0, (double)reading->own);
	double forced =
		fmin(fmax(others->count, fmin(least, others->least)), fmax(most, others->most));
	double gain;

	if (fabs(read - others->count) >
		JUMP_MIN + JUMP_PART * (double)reading->count + JUMP_CHANCE * sqrt(bent + noise)) {
		others->doubt = NOISE_MIN + noise;
		return read;
	}
	if (!reading->stock)
		return forced;
	others->doubt += MOVES_MIN + fmax(0.0, others->count) * lives;
	gain = others->doubt / (others->doubt + NOISE_MIN + noise);
	others->doubt *= 1.0 - gain;
	return others->count + gain * (forced - others->count);
}

void others_update(struct others *others, const struct others_reading *reading)
{
	double least =
		(double)reading->count - fmax((double)reading->own_before, (double)reading->own);
	double most =
		(double)reading->count - fmin((double)reading->own_before, (double)reading->own);

	if (!others->known)
		others->count = (double)reading->count - reading->own_then;
	else if (reading->replicas > 1 && reading->stock)
		others->count = of_several(others, reading);
	else if (reading->replicas > 1)
		others->count = (double)reading->count - reading->own_then;
	else
		others->count = of_one(others, reading, least, most);
	others->known = true;
	others->least = least;
	others->most = most;
	others->at = reading->own_then;
}
