/* SPDX-License-Identifier: MIT */
/* roundrobin with weights that change, as lb_fwrr.c of HAProxy 2.6 does it. */
#include "lb.h"

#include <stdlib.h>
#include <string.h>

/*
 * Positions on a time line: a turn is as long as the sum of effective weights, and a server comes
 * up again after sum / weight places. Servers wait in one of three trees: those of this turn by
 * position (curr), those that have not begun (init) and those whose place is in the next turn
 * (next), both by falling weight.
 */

bool lb_fwrr_init(struct lb_fwrr *fwrr, size_t n)
{
	fwrr->servers = calloc(n, sizeof(*fwrr->servers));
	return fwrr->servers && pqueue_init(&fwrr->curr, n) && pqueue_init(&fwrr->t0, n) &&
	       pqueue_init(&fwrr->t1, n);
}

void lb_fwrr_fini(struct lb_fwrr *fwrr)
{
	free(fwrr->servers);
	pqueue_fini(&fwrr->curr);
	pqueue_fini(&fwrr->t0);
	pqueue_fini(&fwrr->t1);
	memset(fwrr, 0, sizeof(*fwrr));
}

static void queue_by_weight(struct lb_fwrr *fwrr, struct pqueue *tree, size_t server, int eweight)
{
	pqueue_insert(
		tree, (uint32_t)server, (uint32_t)(LB_WEIGHT_MAX * LB_WEIGHT_SCALE - eweight));
	fwrr->servers[server].tree = tree;
}

static void dequeue(struct lb_fwrr *fwrr, size_t server)
{
	if (fwrr->servers[server].tree)
		pqueue_remove(fwrr->servers[server].tree, (uint32_t)server);
}

static void enqueue(struct lb_fwrr *fwrr, size_t server, int eweight)
{
	struct lb_fwrr_server *s = &fwrr->servers[server];

	if (s->npos >= 2 * fwrr->curr_weight || s->npos >= fwrr->curr_weight + fwrr->next_weight) {
		s->npos -= fwrr->curr_weight;
		queue_by_weight(fwrr, fwrr->next, server, eweight);
		return;
	}
	/* Among servers of one position the lighter one whose remainder is larger comes later. */
	pqueue_insert(&fwrr->curr, (uint32_t)server,
		256u * (unsigned)s->npos +
			(unsigned)(LB_WEIGHT_MAX * LB_WEIGHT_SCALE + s->rweight - eweight) /
				LB_WEIGHT_SCALE);
	s->tree = &fwrr->curr;
}

void lb_fwrr_start(struct lb *lb)
{
	struct lb_fwrr *fwrr = &lb->fwrr;

	pqueue_clear(&fwrr->curr);
	pqueue_clear(&fwrr->t0);
	pqueue_clear(&fwrr->t1);
	fwrr->init = &fwrr->t0;
	fwrr->next = &fwrr->t1;
	fwrr->next_weight = 0;
	for (size_t i = 0; i < lb->n; i++) {
		int eweight = lb->up[i] ? lb->weight[i] * LB_WEIGHT_SCALE : 0;

		fwrr->servers[i] = (struct lb_fwrr_server){0};
		fwrr->next_weight += eweight;
		if (eweight > 0)
			queue_by_weight(fwrr, fwrr->init, i, eweight);
	}
	fwrr->curr_pos = fwrr->curr_weight = fwrr->next_weight;
}

/* Makes a server's position one of this turn, before it is moved. */
static void extract(struct lb_fwrr *fwrr, struct lb_fwrr_server *s)
{
	if (s->tree == fwrr->init)
		s->npos = s->rweight = 0;
	else if (s->tree == fwrr->next)
		s->npos += fwrr->curr_weight;
	else if (!s->tree)
		s->npos = fwrr->curr_pos;
}

static void come_up(struct lb_fwrr *fwrr, size_t server, int eweight)
{
	struct lb_fwrr_server *s = &fwrr->servers[server];

	fwrr->next_weight += eweight;
	extract(fwrr, s);
	s->npos =
		fwrr->curr_pos + (fwrr->next_weight + fwrr->curr_weight - fwrr->curr_pos) / eweight;
	enqueue(fwrr, server, eweight);
}

static void reweigh(struct lb_fwrr *fwrr, size_t server, int eweight)
{
	struct lb_fwrr_server *s = &fwrr->servers[server];

	if (s->tree == fwrr->init) {
		dequeue(fwrr, server);
		queue_by_weight(fwrr, fwrr->init, server, eweight);
		return;
	}
	extract(fwrr, s);

	int before = s->npos;
	int step = fwrr->next_weight / eweight;

	s->npos = s->lpos + step;
	s->rweight = 0;
	if (s->npos > before)
		s->npos = before;
	if (s->npos < fwrr->curr_pos + 2)
		s->npos = fwrr->curr_pos + step;
	dequeue(fwrr, server);
	enqueue(fwrr, server, eweight);
}

void lb_fwrr_change(struct lb *lb, size_t server, int old_weight, int new_weight)
{
	struct lb_fwrr *fwrr = &lb->fwrr;
	int old_eweight = old_weight * LB_WEIGHT_SCALE;
	int new_eweight = new_weight * LB_WEIGHT_SCALE;

	if (old_eweight == 0) {
		come_up(fwrr, server, new_eweight);
		return;
	}
	fwrr->next_weight += new_eweight - old_eweight;
	if (new_eweight > 0) {
		reweigh(fwrr, server, new_eweight);
		return;
	}
	dequeue(fwrr, server);
	fwrr->servers[server].tree = NULL;
}

/* The first server of this turn whose position has come, else one that has not begun. */
static int first_in_turn(struct lb_fwrr *fwrr)
{
	int first = pqueue_first(&fwrr->curr);

	if (first != PQUEUE_NONE && fwrr->servers[first].npos <= fwrr->curr_pos)
		return first;

	int fresh = pqueue_first(fwrr->init);

	if (fresh == PQUEUE_NONE)
		return first;
	fwrr->servers[fresh].npos = fwrr->servers[fresh].rweight = 0;
	return fresh;
}

static void switch_turn(struct lb_fwrr *fwrr)
{
	struct pqueue *init = fwrr->init;

	fwrr->init = fwrr->next;
	fwrr->next = init;
	fwrr->curr_weight = fwrr->next_weight;
	fwrr->curr_pos = fwrr->curr_weight;
}

static void advance(struct lb_fwrr *fwrr, struct lb_fwrr_server *s, int eweight)
{
	if (s->npos == 0)
		s->npos = fwrr->curr_pos;
	s->lpos = s->npos;
	s->npos += fwrr->next_weight / eweight;
	s->rweight += fwrr->next_weight % eweight;
	if (s->rweight >= eweight) {
		s->rweight -= eweight;
		s->npos++;
	}
}

int lb_fwrr_choose(struct lb *lb)
{
	struct lb_fwrr *fwrr = &lb->fwrr;

	if (fwrr->curr_weight == 0)
		fwrr->curr_pos = fwrr->curr_weight = fwrr->next_weight;

	int server = first_in_turn(fwrr);

	if (server == PQUEUE_NONE) {
		switch_turn(fwrr);
		server = first_in_turn(fwrr);
		if (server == PQUEUE_NONE)
			return LB_NONE;
	}

	int eweight = lb->weight[server] * LB_WEIGHT_SCALE;

	advance(fwrr, &fwrr->servers[server], eweight);
	dequeue(fwrr, (size_t)server);
	fwrr->curr_pos++;
	enqueue(fwrr, (size_t)server, eweight);
	return server;
}
