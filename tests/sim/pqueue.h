/* SPDX-License-Identifier: MIT */
/* A priority queue of numbered items: least key first, first in first out among equal keys. */
#ifndef SIM_PQUEUE_H
#define SIM_PQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order of HAProxy's eb32 trees (2.6, 3.0): by unsigned key, and duplicates as inserted. An
 * indexed binary heap does it in less memory. */
struct pqueue {
	uint64_t *order; /* by item: key, then the serial number of its insertion */
	uint32_t *place; /* by item: 1 + its place in heap, 0 when it is not in */
	uint32_t *heap;  /* items */
	size_t n;        /* items in */
	uint32_t serial;
};

enum { PQUEUE_NONE = -1 };

/* For items 0..n_items-1, none of them in. False when out of memory. */
bool pqueue_init(struct pqueue *queue, size_t n_items);
void pqueue_fini(struct pqueue *queue);
void pqueue_clear(struct pqueue *queue);

/* The item must not be in. */
void pqueue_insert(struct pqueue *queue, uint32_t item, uint32_t key);
/* The same of an item that may be in: it comes last among its new equals. */
void pqueue_move(struct pqueue *queue, uint32_t item, uint32_t key);
/* Does nothing when the item is not in. */
void pqueue_remove(struct pqueue *queue, uint32_t item);
bool pqueue_has(const struct pqueue *queue, uint32_t item);
/* The key of an item that is in. */
uint32_t pqueue_key(const struct pqueue *queue, uint32_t item);
/* The first item, or PQUEUE_NONE. */
int pqueue_first(const struct pqueue *queue);

#endif
