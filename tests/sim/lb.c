/* SPDX-License-Identifier: MIT */
/* A worker's servers, and leastconn. */
#include "lb.h"

#include <stdlib.h>
#include <string.h>

struct lb *lb_new(enum lb_algo algo, size_t n, const struct lb_ring *ring)
{
	struct lb *lb = calloc(1, sizeof(*lb));

	if (!lb)
		return NULL;
	lb->algo = algo;
	lb->n = n;
	lb->ring = ring;
	lb->taken = calloc(n, sizeof(*lb->taken));
	lb->served = calloc(n, sizeof(*lb->served));
	lb->weight = calloc(n, sizeof(*lb->weight));
	lb->up = calloc(n, sizeof(*lb->up));
	if (lb->taken && lb->served && lb->weight && lb->up && pqueue_init(&lb->least, n) &&
		lb_fwrr_init(&lb->fwrr, n))
		return lb;
	lb_free(lb);
	return NULL;
}

void lb_free(struct lb *lb)
{
	if (!lb)
		return;
	free(lb->taken);
	free(lb->served);
	free(lb->weight);
	free(lb->up);
	pqueue_fini(&lb->least);
	lb_fwrr_fini(&lb->fwrr);
	free(lb);
}

/* The weight with which a server takes part: 0 when it does not. */
static int part(const struct lb *lb, size_t server)
{
	return lb->up[server] ? lb->weight[server] : 0;
}

/* lb_fwlc.c: a server without sessions comes first whatever its weight. */
static uint32_t least_key(const struct lb *lb, size_t server)
{
	uint32_t served = lb->served[server];
	uint32_t eweight = (uint32_t)(part(lb, server) * LB_WEIGHT_SCALE);

	return served ? (served + 1) * (LB_WEIGHT_MAX * LB_WEIGHT_SCALE) / eweight : 0;
}

/* After a session began or ended. A server whose key stays keeps its place among its equals. */
static void least_reposition(struct lb *lb, size_t server)
{
	if (part(lb, server) == 0)
		return;

	uint32_t key = least_key(lb, server);

	if (pqueue_has(&lb->least, (uint32_t)server) &&
		pqueue_key(&lb->least, (uint32_t)server) == key)
		return;
	pqueue_move(&lb->least, (uint32_t)server, key);
}

/* After a change of weight or state: always last among its equals. */
static void least_requeue(struct lb *lb, size_t server)
{
	if (part(lb, server) > 0)
		pqueue_move(&lb->least, (uint32_t)server, least_key(lb, server));
	else
		pqueue_remove(&lb->least, (uint32_t)server);
}

static void changed(struct lb *lb, size_t server, int old_part)
{
	int new_part = part(lb, server);

	if (new_part == old_part)
		return;
	if (lb->algo == LB_LEASTCONN)
		least_requeue(lb, server);
	else if (lb->algo == LB_ROUNDROBIN)
		lb_fwrr_change(lb, server, old_part, new_part);
}

void lb_start(struct lb *lb, const int *weights, const bool *up)
{
	memcpy(lb->weight, weights, lb->n * sizeof(*weights));
	memcpy(lb->up, up, lb->n * sizeof(*up));
	memset(lb->served, 0, lb->n * sizeof(*lb->served));
	memset(lb->taken, 0, lb->n * sizeof(*lb->taken));
	lb->total = 0;
	pqueue_clear(&lb->least);
	if (lb->algo == LB_ROUNDROBIN)
		lb_fwrr_start(lb);
	for (size_t i = 0; lb->algo == LB_LEASTCONN && i < lb->n; i++)
		least_requeue(lb, i);
}

void lb_set_up(struct lb *lb, size_t server, bool up)
{
	int old_part = part(lb, server);

	lb->up[server] = up;
	changed(lb, server, old_part);
}

void lb_set_weight(struct lb *lb, size_t server, int weight)
{
	int old_part = part(lb, server);

	lb->weight[server] = weight;
	changed(lb, server, old_part);
}

static int choose(struct lb *lb, struct rng *rng)
{
	switch (lb->algo) {
	case LB_LEASTCONN:
		return pqueue_first(&lb->least);
	case LB_ROUNDROBIN:
		return lb_fwrr_choose(lb);
	case LB_RANDOM:
		return lb_ring_choose(lb, rng);
	}
	return LB_NONE;
}

int lb_take(struct lb *lb, struct rng *rng)
{
	int server = choose(lb, rng);

	if (server != LB_NONE)
		lb_put(lb, (size_t)server, 1);
	return server;
}

void lb_put(struct lb *lb, size_t server, uint32_t n)
{
	lb->taken[server] += n;
	lb->total += n;
	lb->served[server] += n;
	if (lb->algo == LB_LEASTCONN)
		least_reposition(lb, server);
}

void lb_drop(struct lb *lb, size_t server, uint32_t n)
{
	lb->served[server] -= n;
	if (lb->algo == LB_LEASTCONN)
		least_reposition(lb, server);
}
