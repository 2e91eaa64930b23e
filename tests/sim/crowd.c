/* SPDX-License-Identifier: MIT */
/* Processes, since runs share nothing: each takes the next that nobody has taken, and tells of it
 * in a pipe. */
#include "crowd.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

enum { CROWD_MAX = 64 };

struct told {
	size_t run;
	struct measure_result result;
};

/* What several processes write at once arrives whole up to this size. */
_Static_assert(sizeof(struct told) <= PIPE_BUF, "a result is written in one piece");

/* What all processes work off. */
struct work {
	const struct scenario *scenario;
	uint64_t seed;
	unsigned n_seeds;
	size_t n;             /* runs */
	atomic_size_t *taken; /* of these; all processes see it */
};

/* One process: never returns. */
static _Noreturn void work_off(const struct work *work, int out)
{
	size_t taken;

	while ((taken = atomic_fetch_add(work->taken, 1)) < work->n) {
		/* From the last policy on: those with a planner, which take longest, are behind. */
		struct told told = {.run = work->n - 1 - taken};

		if (!world_run(work->scenario, &scenario_policies[told.run / work->n_seeds],
			    work->seed + told.run % work->n_seeds, &told.result) ||
			write(out, &told, sizeof(told)) != (ssize_t)sizeof(told))
			exit(1);
	}
	exit(0);
}

/* How many of all runs were told of. */
static size_t collect(int in, struct measure_result *results)
{
	struct told told;
	size_t n = 0;
	ssize_t got;

	do {
		got = read(in, &told, sizeof(told));
		if (got == (ssize_t)sizeof(told)) {
			results[told.run] = told.result;
			n++;
		}
	} while (got > 0 || (got < 0 && errno == EINTR));
	return n;
}

/* Starts the processes and waits for what they tell. False when a run failed. */
static bool share_out(const struct work *work, struct measure_result *results)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = processors < 1 ? 1 : processors > CROWD_MAX ? CROWD_MAX : (size_t)processors;
	size_t n_told;
	pid_t children[CROWD_MAX];
	size_t n_children = 0;
	int ends[2];

	if (pipe(ends) != 0)
		return false;
	/* What is written of earlier rows is written once. */
	fflush(NULL);
	for (; n_children < n; n_children++) {
		children[n_children] = fork();
		if (children[n_children] < 0)
			break;
		if (children[n_children] == 0)
			work_off(work, ends[1]);
	}
	close(ends[1]);
	n_told = collect(ends[0], results);
	close(ends[0]);
	for (size_t i = 0; i < n_children; i++) {
		while (waitpid(children[i], NULL, 0) < 0 && errno == EINTR)
			;
	}
	return n_told == work->n;
}

bool crowd_run(const struct scenario *scenario, uint64_t seed, unsigned n_seeds,
	struct measure_result *results)
{
	struct work work = {
		.scenario = scenario,
		.seed = seed,
		.n_seeds = n_seeds,
		.n = scenario_n_policies * n_seeds,
	};
	bool done;

	work.taken = mmap(NULL, sizeof(*work.taken), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (work.taken == MAP_FAILED)
		return false;
	done = share_out(&work, results);
	munmap(work.taken, sizeof(*work.taken));
	return done;
}
