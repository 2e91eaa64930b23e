/* SPDX-License-Identifier: MIT */
/* How long until the pods are in balance. */
#ifndef WSB_OUTLOOK_H
#define WSB_OUTLOOK_H

#include <stddef.h>

#include "core/plan/plan.h"

/*
 * A balancer moves no connection: it chooses where new ones go. So pods that lack connections are
 * filled as fast as new ones come, and a pod that has too many keeps them until they close.
 */

enum outlook_verdict {
	OUTLOOK_BALANCED,     /* imbalance is within OUTLOOK_TOLERANCE */
	OUTLOOK_FILLING,      /* new connections bring balance in seconds */
	OUTLOOK_ONLY_CLOSING, /* only closing connections can help: none come, or pods that have too
				 many stick out by far more than the others lack */
};

struct outlook {
	enum outlook_verdict verdict;
	double deficit; /* connections that pods below the level lack to it */
	double seconds; /* until as many have come, at this rate: INFINITY when none come */
	double alone;   /* new connections that would bring balance if nothing closed */
};

/* What passes as balance; how many times the deficit new connections may be asked to bring; and
 * what they may be asked for however many that is: as many as come in this time. */
#define OUTLOOK_TOLERANCE 0.05
#define OUTLOOK_PATIENCE  2.0
#define OUTLOOK_SOON_S    30.0

/* Of a plan's results for n pods, at arrivals_per_s new connections over all instances. Draining
 * pods are left out. */
struct outlook outlook_of(const struct planner_pod *pods, const struct planner_result *results,
	size_t n, double arrivals_per_s);

/* "balanced", "filling", "only closing connections can help". Static. */
const char *outlook_verdict_name(enum outlook_verdict verdict);

#endif
