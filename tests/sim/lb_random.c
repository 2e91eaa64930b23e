/* SPDX-License-Identifier: MIT */
/* random(2): two draws from HAProxy's circle of servers, and the less loaded of them. */
#include "lb.h"

#include <stdlib.h>
#include <string.h>

/* One of the places that a server can have on the circle. It counts while its number is below the
 * server's effective weight. */
struct place {
	uint32_t key;
	uint16_t server;
	uint16_t number;
};

enum { INDEX_BITS = 16 };

struct lb_ring {
	struct place *places; /* by key */
	size_t n;
	uint32_t *index; /* by the upper bits of a key: the first place at or above it */
};

/* full_hash() of HAProxy's hash.h: Bob Jenkins' integer mix, then spread by a large prime. */
static uint32_t full_hash(uint32_t a)
{
	a = (a + 0x7ed55d16) + (a << 12);
	a = (a ^ 0xc761c23c) ^ (a >> 19);
	a = (a + 0x165667b1) + (a << 5);
	a = (a + 0xd3a2646c) ^ (a << 9);
	a = (a + 0xfd7046c5) + (a << 3);
	a = (a ^ 0xb55a4f09) ^ (a >> 16);
	return a * 3221225473u;
}

/* Sorts by key, sixteen bits at a time; others has as much room. */
static void sort_places(struct place *places, struct place *others, size_t n)
{
	static uint32_t begin[(1 << 16) + 1];

	for (unsigned shift = 0; shift < 32; shift += 16) {
		memset(begin, 0, sizeof(begin));
		for (size_t i = 0; i < n; i++)
			begin[(places[i].key >> shift & 0xffff) + 1]++;
		for (size_t i = 0; i < 1 << 16; i++)
			begin[i + 1] += begin[i];
		for (size_t i = 0; i < n; i++)
			others[begin[places[i].key >> shift & 0xffff]++] = places[i];
		memcpy(places, others, n * sizeof(*places));
	}
}

struct lb_ring *lb_ring_new(size_t n_servers, int weight_max)
{
	struct lb_ring *ring = calloc(1, sizeof(*ring));
	size_t each = (size_t)(weight_max * LB_WEIGHT_SCALE);

	if (!ring)
		return NULL;
	ring->n = n_servers * each;
	struct place *others = calloc(ring->n + 1, sizeof(*others));

	ring->places = calloc(ring->n + 1, sizeof(*ring->places));
	ring->index = calloc(((size_t)1 << INDEX_BITS) + 1, sizeof(*ring->index));
	if (!others || !ring->places || !ring->index) {
		free(others);
		lb_ring_free(ring);
		return NULL;
	}
	for (size_t i = 0; i < ring->n; i++) {
		size_t server = i / each;

		/* Servers are numbered from 1, SRV_EWGHT_RANGE keys each. */
		ring->places[i] = (struct place){
			.key = full_hash((uint32_t)((server + 1) * 4096 + i % each)),
			.server = (uint16_t)server,
			.number = (uint16_t)(i % each),
		};
	}
	sort_places(ring->places, others, ring->n);
	free(others);
	for (size_t i = 0, bucket = 0; bucket <= (size_t)1 << INDEX_BITS; bucket++) {
		while (i < ring->n && ring->places[i].key >> (32 - INDEX_BITS) < bucket)
			i++;
		ring->index[bucket] = (uint32_t)i;
	}
	return ring;
}

void lb_ring_free(struct lb_ring *ring)
{
	if (!ring)
		return;
	free(ring->places);
	free(ring->index);
	free(ring);
}

static bool counts(const struct lb *lb, const struct place *place)
{
	return lb->up[place->server] && place->number < lb->weight[place->server] * LB_WEIGHT_SCALE;
}

/* chash_get_server_hash(): the nearer of the places before and after the hash. */
int lb_ring_draw(const struct lb *lb, uint32_t hash)
{
	const struct lb_ring *ring = lb->ring;
	size_t next = ring->index[hash >> (32 - INDEX_BITS)];

	while (next < ring->n && ring->places[next].key < hash)
		next++;

	size_t prev = next;
	size_t steps = 0;

	for (; steps < ring->n; steps++, next++) {
		next = next >= ring->n ? 0 : next;
		if (counts(lb, &ring->places[next]))
			break;
	}
	if (steps == ring->n)
		return LB_NONE;
	do
		prev = prev == 0 ? ring->n - 1 : prev - 1;
	while (!counts(lb, &ring->places[prev]));

	uint32_t before = hash - ring->places[prev].key;
	uint32_t after = ring->places[next].key - hash;

	return before <= after ? ring->places[prev].server : ring->places[next].server;
}

/* get_server_rnd(): of equally loaded servers the later draw wins. */
int lb_ring_choose(const struct lb *lb, struct rng *rng)
{
	int first = lb_ring_draw(lb, (uint32_t)(rng_next(rng) >> 32));
	int second = lb_ring_draw(lb, (uint32_t)(rng_next(rng) >> 32));

	if (first == LB_NONE || second == LB_NONE)
		return LB_NONE;

	uint64_t load_first = (uint64_t)lb->served[first] * (uint64_t)lb->weight[second];
	uint64_t load_second = (uint64_t)lb->served[second] * (uint64_t)lb->weight[first];

	return load_second > load_first ? first : second;
}
