/* SPDX-License-Identifier: MIT */
/* Indexed binary heap. */
#include "pqueue.h"

#include <stdlib.h>
#include <string.h>

bool pqueue_init(struct pqueue *queue, size_t n_items)
{
	*queue = (struct pqueue){
		.order = calloc(n_items, sizeof(*queue->order)),
		.place = calloc(n_items, sizeof(*queue->place)),
		.heap = calloc(n_items, sizeof(*queue->heap)),
	};
	if (queue->order && queue->place && queue->heap)
		return true;
	pqueue_fini(queue);
	return false;
}

void pqueue_fini(struct pqueue *queue)
{
	free(queue->order);
	free(queue->place);
	free(queue->heap);
	memset(queue, 0, sizeof(*queue));
}

void pqueue_clear(struct pqueue *queue)
{
	for (size_t i = 0; i < queue->n; i++)
		queue->place[queue->heap[i]] = 0;
	queue->n = 0;
	queue->serial = 0;
}

static void put(struct pqueue *queue, size_t at, uint32_t item)
{
	queue->heap[at] = item;
	queue->place[item] = (uint32_t)at + 1;
}

static void sift_up(struct pqueue *queue, size_t at, uint32_t item)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (queue->order[queue->heap[parent]] <= queue->order[item])
			break;
		put(queue, at, queue->heap[parent]);
		at = parent;
	}
	put(queue, at, item);
}

static void sift_down(struct pqueue *queue, size_t at, uint32_t item)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= queue->n)
			break;
		if (child + 1 < queue->n &&
			queue->order[queue->heap[child + 1]] < queue->order[queue->heap[child]])
			child++;
		if (queue->order[item] <= queue->order[queue->heap[child]])
			break;
		put(queue, at, queue->heap[child]);
		at = child;
	}
	put(queue, at, item);
}

void pqueue_insert(struct pqueue *queue, uint32_t item, uint32_t key)
{
	queue->order[item] = (uint64_t)key << 32 | queue->serial++;
	sift_up(queue, queue->n++, item);
}

void pqueue_move(struct pqueue *queue, uint32_t item, uint32_t key)
{
	uint64_t before = queue->order[item];

	if (queue->place[item] == 0) {
		pqueue_insert(queue, item, key);
		return;
	}
	queue->order[item] = (uint64_t)key << 32 | queue->serial++;
	if (queue->order[item] < before)
		sift_up(queue, queue->place[item] - 1, item);
	else
		sift_down(queue, queue->place[item] - 1, item);
}

void pqueue_remove(struct pqueue *queue, uint32_t item)
{
	if (queue->place[item] == 0)
		return;

	size_t at = queue->place[item] - 1;
	uint32_t last = queue->heap[--queue->n];

	queue->place[item] = 0;
	if (last == item)
		return;
	if (queue->order[last] < queue->order[item])
		sift_up(queue, at, last);
	else
		sift_down(queue, at, last);
}

bool pqueue_has(const struct pqueue *queue, uint32_t item)
{
	return queue->place[item] != 0;
}

uint32_t pqueue_key(const struct pqueue *queue, uint32_t item)
{
	return (uint32_t)(queue->order[item] >> 32);
}

int pqueue_first(const struct pqueue *queue)
{
	return queue->n > 0 ? (int)queue->heap[0] : PQUEUE_NONE;
}
