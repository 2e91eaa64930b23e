/* SPDX-License-Identifier: MIT */
/* How long connections live, seen from those that close. */
#ifndef WSB_LIVES_H
#define WSB_LIVES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Closings over the time that connections were held, the older the less: after a reload, when the
 * new worker holds hardly any, it is still what it was. Zeroed memory is a valid start.
 */
struct lives {
	bool primed;
	int64_t at_ms; /* of the last update */
	double closed; /* connections that have closed */
	double held_s; /* and seconds that connections were held meanwhile, of them all */
};

/* So many have closed since the last update, and so many are held now. */
void lives_update(struct lives *lives, double closed, double held, int64_t now_ms);

/* What part of the connections closes in a second; 0 where nobody knows. */
double lives_closing(const struct lives *lives);

#endif
