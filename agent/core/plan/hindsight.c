/* SPDX-License-Identifier: MIT */
#include "core/plan/hindsight.h"

#include <math.h>

/* So many are placed one by one; of more, as many at a time. */
static const double PLACED_SINGLY = 2000.0;

/* What is left of a number that was before and is now; all of it where there was nothing. */
static double part_left(double before, double now)
{
	double part = before != 0.0 ? now / before : 1.0;

	return fmin(1.0, fmax(0.0, part));
}

static void begin(struct hindsight_pod *pod, const struct hindsight_reading *reading)
{
	for (size_t way = 0; way < HINDSIGHT_WAYS; way++) {
		pod->own[way] = reading->own;
		pod->beyond[way] = reading->beyond;
	}
	pod->begun = true;
	pod->last = *reading;
}

/* What ends of a pod's connections ends in each way. Returns how many of those that arrived are
 * still there. */
static double end_some(
	struct hindsight_pod *pod, const struct hindsight_reading *reading, bool reloaded)
{
	double own = reloaded ? 0.0 : pod->last.own;
	double beyond = pod->last.beyond + (reloaded ? pod->last.own : 0.0);
	double left = part_left(own + reading->arrived, reading->own);

	for (size_t way = 0; way < HINDSIGHT_WAYS; way++) {
		if (reloaded) {
			pod->beyond[way] += pod->own[way];
			pod->own[way] = 0.0;
		}
		pod->own[way] *= left;
		if (beyond == 0.0 || beyond * reading->beyond < 0.0)
			pod->beyond[way] += reading->beyond - beyond;
		else
			pod->beyond[way] *= part_left(beyond, reading->beyond);
	}
	pod->last = *reading;
	return reading->arrived * left;
}

/* What the way compares; the lowest gets the next connection. */
static double key_of(const struct hindsight_pod *pod, enum hindsight_way way)
{
	double count = pod->own[way];

	if (way == HINDSIGHT_TOLD)
		count += pod->beyond[way];
	return count / pod->last.capacity;
}

static struct hindsight_pod *lowest(struct hindsight_pod *pods, size_t n, enum hindsight_way way)
{
	struct hindsight_pod *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (pods[i].last.used && (!best || key_of(&pods[i], way) < key_of(best, way)))
			best = &pods[i];
	}
	return best;
}

static void place(struct hindsight_pod *pods, size_t n, enum hindsight_way way, double arrived)
{
	double size = fmax(1.0, arrived / PLACED_SINGLY);

	while (arrived > 0.0) {
		struct hindsight_pod *pod = lowest(pods, n, way);

		if (!pod)
			return;
		pod->own[way] += fmin(size, arrived);
		arrived -= size;
	}
}

void hindsight_step(struct hindsight_pod *pods, const struct hindsight_reading *readings, size_t n,
	bool reloaded)
{
	double arrived = 0.0;

	for (size_t i = 0; i < n; i++) {
		if (pods[i].begun)
			arrived += end_some(&pods[i], &readings[i], reloaded);
		else
			begin(&pods[i], &readings[i]);
	}
	for (size_t way = 0; way < HINDSIGHT_WAYS; way++)
		place(pods, n, (enum hindsight_way)way, arrived);
}

struct spread {
	double highest;
	double counts;
	double capacities;
};

static void spread_add(struct spread *spread, const struct hindsight_pod *pod, double count)
{
	if (!pod->last.used)
		return;
	count = fmax(0.0, count);
	spread->counts += count;
	spread->capacities += pod->last.capacity;
	spread->highest = fmax(spread->highest, count / pod->last.capacity);
}

static double imbalance_of(const struct spread *spread)
{
	if (spread->counts <= 0.0)
		return 0.0;
	return fmax(0.0, spread->highest / (spread->counts / spread->capacities) - 1.0);
}

double hindsight_seen(const struct hindsight_pod *pods, size_t n)
{
	struct spread spread = {.highest = 0.0};

	for (size_t i = 0; i < n; i++)
		spread_add(&spread, &pods[i], pods[i].last.own + pods[i].last.beyond);
	return imbalance_of(&spread);
}

double hindsight_counted(const struct hindsight_pod *pods, size_t n)
{
	struct spread spread = {.highest = 0.0};

	for (size_t i = 0; i < n; i++)
		spread_add(&spread, &pods[i], pods[i].last.own);
	return imbalance_of(&spread);
}

double hindsight_reckoned(const struct hindsight_pod *pods, size_t n, enum hindsight_way way)
{
	struct spread spread = {.highest = 0.0};

	for (size_t i = 0; i < n; i++)
		spread_add(&spread, &pods[i], pods[i].own[way] + pods[i].beyond[way]);
	return imbalance_of(&spread);
}

double hindsight_lacking(const struct hindsight_pod *pods, size_t n)
{
	struct spread spread = {.highest = 0.0};
	double lacking = 0.0;

	for (size_t i = 0; i < n; i++)
		spread_add(&spread, &pods[i], pods[i].last.own + pods[i].last.beyond);
	for (size_t i = 0; i < n && spread.capacities > 0.0; i++) {
		double level = spread.counts / spread.capacities * pods[i].last.capacity;

		if (pods[i].last.used)
			lacking += fmax(0.0, level - pods[i].last.own - pods[i].last.beyond);
	}
	return lacking;
}
