/* SPDX-License-Identifier: MIT */
/* A snapshot made of the simulated HAProxy. */
#include "answer.h"

#include <stdio.h>
#include <stdlib.h>

#include "world.h"

enum { PORT = 80 };

bool answer_init(struct answer *answer, const struct world *world)
{
	static const char *const names[SCENARIO_BACKENDS] = {"b0", "b1", "b2", "b3"};
	size_t n = world->n_servers;

	answer->lines = calloc(n, sizeof(*answer->lines));
	answer->rows = calloc(n * world->n_backends, sizeof(*answer->rows));
	if (!answer->lines || !answer->rows)
		return false;
	for (size_t i = 0; i < n; i++)
		snprintf(answer->lines[i].name, sizeof(answer->lines[i].name), "s%zu", i);
	for (size_t b = 0; b < world->n_backends; b++) {
		answer->backends[b] = (struct hastate_backend){
			.name = names[b],
			.algo = world->policy->steering == POLICY_FLOW ? "roundrobin" : "leastconn",
			.servers = answer->rows + b * n,
			.n_servers = n,
		};
	}
	return true;
}

void answer_fini(struct answer *answer)
{
	free(answer->lines);
	free(answer->rows);
}

/* A pod that died and came back has another address, as a Kubernetes pod does. */
static void write_address(const struct world *world, struct answer_line *line, size_t server)
{
	uint32_t pod = world->servers[server].pod;
	uint8_t generation = world->pods[pod].generation;

	if (line->address[0] && line->pod == pod && line->generation == generation)
		return;
	line->pod = pod;
	line->generation = generation;
	snprintf(line->address, sizeof(line->address), "pod-%u-%u", (unsigned)pod,
		(unsigned)generation);
}

static struct hastate_server row_of(
	const struct world *world, const struct lb *lb, const struct answer_line *line, size_t i)
{
	bool up = lb->up[i];

	return (struct hastate_server){
		.name = line->name,
		.address = line->address,
		.port = PORT,
		.fqdn = "",
		.status = up ? "UP" : "DOWN",
		.op_state = up ? 2 : 0,
		.uweight = lb->weight[i],
		.iweight = world->weights[i],
		.scur = lb->served[i],
		.stot = lb->taken[i],
	};
}

struct hastate_snapshot answer_write(
	struct answer *answer, const struct world *world, const struct instance *instance)
{
	for (size_t i = 0; i < world->n_servers; i++) {
		write_address(world, &answer->lines[i], i);
		for (size_t b = 0; b < world->n_backends; b++)
			answer->backends[b].servers[i] =
				row_of(world, instance->lb[b], &answer->lines[i], i);
	}
	return (struct hastate_snapshot){
		.info = {.version = "2.6", .pid = 1 + instance->generation, .start_time_s = 1},
		.backends = answer->backends,
		.n_backends = world->n_backends,
	};
}
