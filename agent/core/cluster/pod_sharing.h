/* SPDX-License-Identifier: MIT */
/* What is known of a pod to which several servers of this HAProxy lead. */
#ifndef WSB_POD_SHARING_H
#define WSB_POD_SHARING_H

#include <stdint.h>

#include "core/cluster/others.h"

struct backend;

/*
 * Several lines of one backend lead to a pod where 64k ports are not enough, and several backends
 * where paths or names are told apart. Each server would take what the rest hold for somebody
 * else's connections, and each would make good all that the pod lacks.
 */
struct pod_sharing {
	unsigned n_servers;            /* that are steered and lead to the pod */
	uint64_t own;                  /* sessions of this HAProxy on all of them */
	uint64_t own_before;           /* the same at the reading before */
	double own_then;               /* when the pod was heard */
	double left;                   /* see struct sessions */
	double turnover;               /* see struct others_reading */
	double part;                   /* see struct others_reading */
	int64_t counted_ms;            /* the count that others was updated with last; 0: none */
	unsigned n_then;               /* the servers that others is of */
	uint64_t worker;               /* the HAProxy process that it is of */
	struct others others;          /* connections of the pod that are none of own */
	double weights;                /* of all backends, see sharing_update() */
	const struct backend *backend; /* scratch: the one that lines is of */
	double lines; /* scratch: configured weights of its servers that lead here */
};

#endif
