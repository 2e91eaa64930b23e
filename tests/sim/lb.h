/* SPDX-License-Identifier: MIT */
/* One HAProxy worker's backend: its servers, their weights and sessions, and how it chooses. */
#ifndef SIM_LB_H
#define SIM_LB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pqueue.h"
#include "rng.h"

/*
 * Exact models, in integers as HAProxy 2.6 has them, of what happens on one thread without queues
 * (no maxconn): tests/unit/test_sim_lb.c replays choices that a real HAProxy made. Facts:
 * lb_fwlc.c, lb_fwrr.c, lb_chash.c and backend.c of HAProxy 2.6.
 */

enum lb_algo {
	LB_LEASTCONN,
	LB_ROUNDROBIN,
	LB_RANDOM, /* two draws, as "balance random" has by default */
};

enum {
	LB_NONE = -1,
	LB_WEIGHT_MAX = 256,
	LB_WEIGHT_SCALE = 16, /* BE_WEIGHT_SCALE: effective weight of weight 1 */
};

/* Where servers lie on the circle that random draws from. All workers with as many servers share
 * one: places depend on the server's number only, a weight says how many of them count. */
struct lb_ring;

/* Of n_servers with up to weight_max each. NULL when out of memory. */
struct lb_ring *lb_ring_new(size_t n_servers, int weight_max);
void lb_ring_free(struct lb_ring *ring);

/* roundrobin's view of a server, and of all of them (lb_fwrr.c). */
struct lb_fwrr_server {
	int npos, lpos, rweight;
	struct pqueue *tree; /* NULL: in none */
};
struct lb_fwrr {
	struct lb_fwrr_server *servers;
	struct pqueue curr, t0, t1;
	struct pqueue *init, *next;
	int curr_pos, curr_weight, next_weight;
};

struct lb {
	enum lb_algo algo;
	size_t n;
	uint32_t *served;    /* sessions now, by server */
	int *weight;         /* 0..256, by server */
	bool *up;            /* by server: health and administration allow it */
	uint32_t *taken;     /* sessions since the worker started, by server (stot) */
	uint64_t total;      /* the sum of taken */
	struct pqueue least; /* leastconn's tree */
	struct lb_fwrr fwrr;
	const struct lb_ring *ring;
};

/* A worker whose n servers are all down. ring is for LB_RANDOM, the caller's, and must outlive the
 * worker. NULL when out of memory. */
struct lb *lb_new(enum lb_algo algo, size_t n, const struct lb_ring *ring);
void lb_free(struct lb *lb);

/* A worker that starts: no sessions, these weights and states. */
void lb_start(struct lb *lb, const int *weights, const bool *up);

void lb_set_up(struct lb *lb, size_t server, bool up);
void lb_set_weight(struct lb *lb, size_t server, int weight);

/* Chooses a server for one new session, which begins on it: LB_NONE when none can be used. rng is
 * read by LB_RANDOM only. */
int lb_take(struct lb *lb, struct rng *rng);
/* n sessions begin on a server that somebody else chose. */
void lb_put(struct lb *lb, size_t server, uint32_t n);
/* n sessions on a server end. */
void lb_drop(struct lb *lb, size_t server, uint32_t n);

/* The parts of lb.c that one algorithm has for itself; for lb.c only. */
bool lb_fwrr_init(struct lb_fwrr *fwrr, size_t n);
void lb_fwrr_fini(struct lb_fwrr *fwrr);
void lb_fwrr_start(struct lb *lb);
/* The server was usable with old_weight or not (0), and is with new_weight or not (0). */
void lb_fwrr_change(struct lb *lb, size_t server, int old_weight, int new_weight);
int lb_fwrr_choose(struct lb *lb);
int lb_ring_choose(const struct lb *lb, struct rng *rng);
/* The server of one draw, LB_NONE when none can be used. */
int lb_ring_draw(const struct lb *lb, uint32_t hash);

#endif
