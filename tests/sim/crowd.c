/* SPDX-License-Identifier: MIT */
/* Processes, since runs share nothing: each takes every n-th of them and tells of it in a pipe. */
#include "crowd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

/* The process number first of n: never returns. */
static _Noreturn void work(const struct scenario *scenario, uint64_t seed, unsigned n_seeds,
	size_t first, size_t n, int out)
{
	for (size_t run = first; run < scenario_n_policies * n_seeds; run += n) {
		struct told told = {.run = run};

		if (!world_run(scenario, &scenario_policies[run / n_seeds], seed + run % n_seeds,
			    &told.result) ||
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

bool crowd_run(const struct scenario *scenario, uint64_t seed, unsigned n_seeds,
	struct measure_result *results)
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
			work(scenario, seed, n_seeds, n_children, n, ends[1]);
	}
	close(ends[1]);
	n_told = collect(ends[0], results);
	close(ends[0]);
	for (size_t i = 0; i < n_children; i++) {
		while (waitpid(children[i], NULL, 0) < 0 && errno == EINTR)
			;
	}
	return n_told == scenario_n_policies * n_seeds;
}
