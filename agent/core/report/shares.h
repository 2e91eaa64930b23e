/* SPDX-License-Identifier: MIT */
/* Where the next connections go: what HAProxy's weights mean, in connections of a hundred. */
#ifndef WSB_SHARES_H
#define WSB_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shares_server {
	int weight;   /* in HAProxy, 0..256; 0 gets nothing */
	uint32_t own; /* sessions that this HAProxy has on it */
	double share; /* out: 0..1 */
};

enum { SHARES_OF = 100 };

/*
 * Sets each server's share of the next SHARES_OF connections that come to this HAProxy, if none
 * closes meanwhile: by leastconn, which gives each to the least (own + 1) / weight, and to a server
 * without a session before that; or by roundrobin, which goes by weight alone. False for any other
 * algorithm (as HAProxy calls it): nothing is set.
 */
bool shares_next(const char *algo, struct shares_server *servers, size_t n);

#endif
