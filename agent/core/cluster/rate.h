/* SPDX-License-Identifier: MIT */
/* How fast something happens, from HAProxy's cumulative counters: connections that come to a
 * backend, connections of a server that close. */
#ifndef WSB_RATE_H
#define WSB_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed memory is a valid start. */
struct rate {
	bool primed;       /* total and at_ms hold a sample */
	bool rated;        /* per_second holds a rate */
	uint64_t total;    /* the last sample: sessions since HAProxy started */
	int64_t at_ms;     /* when it was taken, monotonic */
	double per_second; /* smoothed, this HAProxy only, >= 0 */
	double tau_s;      /* smoothed over this time; 0: RATE_TAU_S */
};

/* Long enough that one lucky second is not taken for a flood, short enough that a storm is seen
 * within a few plans. */
#define RATE_TAU_S 4.0
/* For a single server, which closes few connections in a second. */
#define RATE_TAU_SERVER_S 20.0

/*
 * Updates with the count at now_ms: of a backend's arrivals the sum of its servers' cumulative
 * sessions (stot), of a server's closings stot - scur. A count that went down (HAProxy reloaded, a
 * server was removed) starts a new series and keeps the rate.
 */
void rate_update(struct rate *rate, uint64_t total, int64_t now_ms);

/* So much has come (or, negative, gone) in the time until now_ms since the last call. */
void rate_add(struct rate *rate, double change, int64_t now_ms);

#endif
