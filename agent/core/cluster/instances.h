/* SPDX-License-Identifier: MIT */
/* Whether replicas fits what the pods hold beside this HAProxy's own connections. */
#ifndef WSB_INSTANCES_H
#define WSB_INSTANCES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/cluster.h"

/* What this HAProxy holds on the pods that were heard, and what these tell. */
struct instances_seen {
	uint64_t own;
	uint64_t all;
};

struct instances_seen instances_see(const struct cluster *cluster);

enum instances_fit {
	INSTANCES_UNSURE, /* too few connections to tell */
	INSTANCES_FIT,
	INSTANCES_FEWER, /* the pods hold less than so many HAProxies would have on them */
	INSTANCES_MORE, /* more: there are further HAProxies, other ways to the pods, or old workers
			 */
};

enum instances_fit instances_judge(const struct instances_seen *seen, unsigned replicas);

/* Whether it is time to say that replicas does not fit; zeroed memory is a valid start. */
struct instances {
	enum instances_fit last;
	unsigned n_last; /* how often in a row that was so */
	bool said;
};

/*
 * Takes what a round has seen. Returns INSTANCES_FEWER or INSTANCES_MORE, once, when that has been
 * so for many rounds; INSTANCES_FIT at all other times. Of INSTANCES_MORE nothing is said of a
 * HAProxy that may have old workers, which the pods count too: whether it has, settled tells.
 */
enum instances_fit instances_update(struct instances *instances, const struct instances_seen *seen,
	unsigned replicas, bool settled);

#endif
