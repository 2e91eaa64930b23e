/* SPDX-License-Identifier: MIT */
/* HAProxy's answer to an agent that asks for its state. */
#ifndef SIM_ANSWER_H
#define SIM_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/haproxy/hastate.h"
#include "scenario.h"

struct world;
struct instance;

/* The texts of a server. */
struct answer_line {
	char name[24];
	char address[24];
	uint32_t pod; /* whose address it is */
	uint8_t generation;
};

/* What an answer is written in: one for all instances, since each reads its answer at once. */
struct answer {
	struct answer_line *lines;   /* by server, of each backend alike */
	struct hastate_server *rows; /* of all backends */
	struct hastate_backend backends[SCENARIO_BACKENDS];
};

/* Of a world whose numbers are set. False when out of memory. */
bool answer_init(struct answer *answer, const struct world *world);
void answer_fini(struct answer *answer);

/* What the instance says now; valid until the next answer. */
struct hastate_snapshot answer_write(
	struct answer *answer, const struct world *world, const struct instance *instance);

#endif
