/* SPDX-License-Identifier: MIT */
/* Which known word someone may have meant. */
#ifndef WSB_NEAREST_H
#define WSB_NEAREST_H

/* A search over candidates offered one by one. Strings are the caller's and must stay. */
struct nearest {
	const char *word;  /* what was written */
	const char *best;  /* the closest candidate so far, NULL while none is close */
	unsigned distance; /* how far best is; a candidate must come closer than this */
};

void nearest_init(struct nearest *nearest, const char *word);

/*
 * Takes candidate when it is closer than the best so far: fewer letters inserted, deleted, changed
 * or swapped with the next, where case does not count. The first of equals wins, and a word that
 * differs in more than about a third of its letters is not close.
 */
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
