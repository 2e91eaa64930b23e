/* SPDX-License-Identifier: MIT */
/* How fast new connections come to a backend, from HAProxy's cumulative counters. */
#ifndef WSB_ARRIVALS_H
#define WSB_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed memory is a valid start. */
struct arrivals {
	bool primed;        /* total and at_ms hold a sample */
	bool rated;         /* per_second holds a rate */
	uint64_t total;     /* the last sample: sessions since HAProxy started */
	int64_t at_ms;      /* when it was taken, monotonic */
	double per_second;  /* smoothed, this HAProxy only, >= 0 */
};

/*
 * Takes the sum of the servers' cumulative sessions (stot) at now_ms. A sum that went down (HAProxy
 * reloaded, a server was removed) starts a new series and keeps the rate.
 */
void arrivals_update(struct arrivals *arrivals, uint64_t total, int64_t now_ms);

#endif
