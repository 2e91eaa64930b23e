/* SPDX-License-Identifier: MIT */
#include "core/cluster/workers.h"

#include <math.h>

enum {
	SELDOM = 120,   /* every so many polls one is over a new connection */
	OFTEN = 3,      /* the same, of a suspect */
	ENOUGH = 4,     /* comparisons that may convict */
	ACQUITTED = 12, /* and that acquit, if they do not */
	LOOKS_MAX = 4,  /* of so many comparisons each, while answers differ and convict nobody */
};

/* A pod tells of a part: fewer than this part of what HAProxy holds on it, and fewer by some. */
static const double PART = 0.8;
static const double SLACK = 3.0;

/* Differences over new connections that convict: in all, each in the mean, and against those over
 * the kept one. */
static const double OFF_ALL = 8.0;
static const double OFF_EACH = 1.5;
static const double OFF_TIMES = 3.0;

/* One answer over a new connection that makes a suspect, in square roots of the count. */
static const double ODD = 3.0;

bool workers_wants_fresh(const struct workers *workers)
{
	return workers->fresh;
}

static void look_closely(struct workers *workers)
{
	workers->suspect = true;
	workers->n_kept = 0;
	workers->n_fresh = 0;
	workers->kept_off = 0.0;
	workers->fresh_off = 0.0;
}

/* By how much two answers differ beyond what HAProxy's own sessions moved. */
static double off(const struct workers_answer *a, const struct workers_answer *b)
{
	double told = fabs((double)a->count - (double)b->count);
	double moved = fabs((double)a->held - (double)b->held);

	return fmax(0.0, told - moved);
}

/* The same of one between two others. Connections that came by another door meanwhile are in the
 * second of these too, or in neither: only what lies outside both is another's word. */
static double off_both(const struct workers_answer *before, const struct workers_answer *answer,
	const struct workers_answer *after)
{
	bool between = (before->count <= answer->count && answer->count <= after->count) ||
		       (before->count >= answer->count && answer->count >= after->count);

	return between ? 0.0 : fmin(off(before, answer), off(answer, after));
}

static void judge(struct workers *workers)
{
	double each = workers->fresh_off / (double)workers->n_fresh;
	double usual = workers->n_kept > 0 ? workers->kept_off / (double)workers->n_kept : 0.0;

	if (workers->n_fresh >= ENOUGH && workers->fresh_off >= OFF_ALL && each >= OFF_EACH &&
		each >= OFF_TIMES * usual) {
		workers->several = true;
		/* It is looked at again and again: it may be another program some day. */
		look_closely(workers);
	} else if (workers->n_fresh >= ACQUITTED && each >= OFF_EACH &&
		   workers->looks + 1 < LOOKS_MAX) {
		/* They differ, and so do those over the kept connection: it may have been another
		 * one for a while, or the pod is busy. */
		workers->looks++;
		look_closely(workers);
	} else if (workers->n_fresh >= ACQUITTED) {
		workers->looks = 0;
		workers->several = false;
		workers->suspect = false;
		workers->acquitted = true;
	}
}

/* Another answer has come over the kept connection. */
static void compare(struct workers *workers, const struct workers_answer *answer)
{
	const struct workers_answer *other = &workers->other;
	double differs = other->heard ? off_both(&workers->kept, other, answer) : 0.0;

	if (!workers->suspect) {
		if (differs > SLACK + ODD * sqrt((double)workers->kept.count))
			look_closely(workers);
		return;
	}
	workers->n_kept++;
	workers->kept_off += off(&workers->kept, answer);
	if (!other->heard)
		return;
	workers->n_fresh++;
	workers->fresh_off += differs;
	judge(workers);
}

void workers_observe(struct workers *workers, uint32_t count, uint32_t held)
{
	const struct workers_answer answer = {.heard = true, .count = count, .held = held};
	bool part = (double)count < PART * (double)held - SLACK;

	if (workers->fresh) {
		workers->other = answer;
	} else {
		if (workers->kept.heard)
			compare(workers, &answer);
		workers->kept = answer;
		workers->other.heard = false;
	}
	workers->polls = workers->fresh ? 0 : workers->polls + 1;
	workers->acquitted = workers->acquitted && part;
	if (part && !workers->suspect && !workers->acquitted)
		look_closely(workers);
	workers->fresh = workers->polls >= (workers->suspect ? OFTEN : SELDOM);
}
