/* SPDX-License-Identifier: MIT */
/* How long until the pods are in balance. */
#ifndef WSB_OUTLOOK_H
#define WSB_OUTLOOK_H

#include <stddef.h>

#include "core/plan/plan.h"

/*
 * A balancer moves no connection: it chooses where new ones go. So pods that lack connections are
 * filled as fast as new ones come, and a pod that has too many keeps them until they close. What is
 * foreseen goes on as it is now: as many come, as large a part of those that stand closes, and what
 * other doors have brought to a pod is made good there.
 */

enum outlook_verdict {
	OUTLOOK_BALANCED,     /* every pod is within outlook_tolerance() of its level */
	OUTLOOK_FILLING,      /* new connections bring balance */
	OUTLOOK_ONLY_CLOSING, /* only closing connections can help: none come, or pods that have too
				 many stick out by far more than the others lack, and will for more
				 than OUTLOOK_SOON_S */
	OUTLOOK_NOT_SENT,     /* nothing fills, for no weight is sent: a dry run */
};

struct outlook {
	enum outlook_verdict verdict;
	double deficit; /* connections that pods below the level lack to it */
	double seconds; /* until every pod is within the tolerance; INFINITY when that is not to be
			   foreseen */
	double alone;   /* new connections that would bring balance if nothing closed */
};

/* What the connections of a backend are foreseen to do. */
struct outlook_params {
	double arrivals_per_s; /* new ones, over all instances */
	double closing;        /* what part of those that stand closes in a second */
	int64_t ramp_ms;       /* see struct planner_params */
	double max_share;      /* see struct planner_params */
};

/* For `alone`: what passes as balance; how many times the deficit new connections may be asked to
 * bring; and what they may be asked for however many that is: as many as come in this time. */
#define OUTLOOK_TOLERANCE 0.05
#define OUTLOOK_PATIENCE  2.0
#define OUTLOOK_SOON_S    30.0

/* What a pod may be away from its level and pass as balanced: this share of it, or what chance
 * makes of so few. */
double outlook_tolerance(double level);

/* Of a plan's results for n pods. Draining pods are left out, and pods of which nothing is known
 * get their part of what comes. */
struct outlook outlook_of(const struct outlook_params *params, const struct planner_pod *pods,
	const struct planner_result *results, size_t n);

/* "balanced", "levelling", "cannot_level", "not_sent": for machines. Static. */
const char *outlook_verdict_label(enum outlook_verdict verdict);

#endif
