/* SPDX-License-Identifier: MIT */
/* Whether many connections closed while the pods were asked. */
#ifndef WSB_STORM_H
#define WSB_STORM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Pods are asked one after the other. When half of all clients are cut off meanwhile, the pods
 * asked before seem to have twice what those asked after have, though all have the same: such a set
 * of counts is torn, and makes a worse plan than none.
 */

/* Sums over the pods of one backend. Zeroed memory holds none. */
struct storm {
	double n;
	double before, before2;  /* what they had, and its square */
	double lost, lost2;      /* of these; below 0: they got more */
	double lost_before;      /* their product */
	double lost2_per_before; /* the square of lost over before */
};

/* A pod that was heard twice: its count then and now. */
void storm_add(struct storm *storm, uint32_t before, uint32_t now);

/* So many are lost as no calm interval takes, and the pods' parts in it differ by far more than
 * they would if each connection had been as likely to close as every other. */
bool storm_is_torn(const struct storm *storm);

#endif
