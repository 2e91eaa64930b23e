/* SPDX-License-Identifier: MIT */
/* Backends. */
#include "core/cluster/backend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *backend_mode_name(enum backend_mode mode)
{
	static const char *const names[] = {
		[BACKEND_STOCK] = "stock",
		[BACKEND_FLOW] = "flow",
		[BACKEND_NOT_STEERED] = "not steered",
	};

	return names[mode];
}

struct backend *backend_new(const char *name)
{
	struct backend *backend = calloc(1, sizeof(*backend));

	if (!backend)
		return NULL;
	backend->capacity_most = INFINITY;
	backend->name = strdup(name);
	if (!backend->name) {
		free(backend);
		return NULL;
	}
	return backend;
}

void backend_free(struct backend *backend)
{
	if (!backend)
		return;
	free(backend->servers);
	free(backend->name);
	free(backend);
}

const int backend_weight_bounds[BACKEND_N_WEIGHT_BOUNDS] = {
	0, 1, 2, 4, 8, 16, 32, 64, 128, PLANNER_WEIGHT_MAX};

void backend_tally_add(struct backend_tally *tally, enum planner_basis basis, int weight)
{
	size_t i = 0;

	while (i < BACKEND_N_WEIGHT_BOUNDS - 1 && weight > backend_weight_bounds[i])
		i++;
	tally->by_size[i]++;
	tally->by_basis[basis]++;
	tally->weights++;
	tally->weights_sum += (uint64_t)weight;
}

enum backend_mode backend_mode_of(const char *algo)
{
	/* "random" draws two servers by weight and takes the less loaded by weight, so it fills to
	 * a stock as leastconn does (HAProxy's backend.c). */
	static const struct {
		const char *algo;
		enum backend_mode mode;
	} modes[] = {
		{"leastconn", BACKEND_STOCK},
		{"random", BACKEND_STOCK},
		{"roundrobin", BACKEND_FLOW},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(algo, modes[i].algo) == 0)
			return modes[i].mode;
	}
	return BACKEND_NOT_STEERED;
}
