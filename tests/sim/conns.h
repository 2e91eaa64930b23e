/* SPDX-License-Identifier: MIT */
/* All live connections, and when they end. */
#ifndef SIM_CONNS_H
#define SIM_CONNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Small, for there may be millions. Generations say whether the pod, the worker and the server's
 * pod are still those that the connection began with. */
struct conn {
	uint32_t next; /* 1 + the next that ends in the same millisecond; 0: none */
	uint32_t pod;
	uint16_t server;
	int16_t instance; /* -1: direct */
	uint8_t pod_generation;
	uint8_t worker_generation;
	uint8_t server_generation;
	uint8_t backend;
	bool plain : 1; /* a request that the pod does not count */
	bool live : 1;
};

struct conns {
	struct conn *all;
	size_t n, room;
	uint32_t free_list;  /* 1 + the first; 0: none */
	uint32_t *ending;    /* by millisecond: 1 + the first conn */
	uint32_t *returning; /* by millisecond: clients that connect again */
	int64_t end_ms;
};

bool conns_init(struct conns *conns, int64_t end_ms);
void conns_fini(struct conns *conns);

/* Adds a copy that ends at ends_ms, or lasts when that is not before the end. False when out of
 * memory. */
bool conns_add(struct conns *conns, const struct conn *conn, double ends_ms);
/* Takes out one that ends at now_ms and gives it in *conn: false when there are no more. */
bool conns_next_ending(struct conns *conns, int64_t now_ms, struct conn *conn);
/* n clients come back, each at a time of the caller's. */
void conns_return(struct conns *conns, double at_ms);

#endif
