/* SPDX-License-Identifier: MIT */
/* The simulator's HAProxy chooses as a real one did. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sim/lb.h"
#include "run.h"

enum { MAX_SERVERS = 16 };

struct replay {
	struct lb *lb;
	unsigned takes;
	unsigned wrong;
	unsigned first_wrong; /* line number */
};

static void begin(struct replay *replay, enum lb_algo algo, char *weights)
{
	int weight[MAX_SERVERS];
	bool up[MAX_SERVERS];
	size_t n = 0;

	for (char *end = weights; n < MAX_SERVERS; weights = end) {
		long value = strtol(weights, &end, 10);

		if (end == weights)
			break;
		weight[n] = (int)value;
		up[n++] = true;
	}
	replay->lb = lb_new(algo, n, NULL);
	ck_assert_ptr_nonnull(replay->lb);
	lb_start(replay->lb, weight, up);
}

static void step(struct replay *replay, const char *what, size_t server, int value, unsigned line)
{
	if (strcmp(what, "take") == 0) {
		int chosen = lb_take(replay->lb, NULL);

		replay->takes++;
		if (chosen == (int)server)
			return;
		if (replay->wrong++ == 0)
			replay->first_wrong = line;
		/* Go on as HAProxy did. */
		lb_drop(replay->lb, (size_t)chosen, 1);
		lb_put(replay->lb, server, 1);
	} else if (strcmp(what, "drop") == 0) {
		lb_drop(replay->lb, server, 1);
	} else if (strcmp(what, "weight") == 0) {
		lb_set_weight(replay->lb, server, value);
	} else {
		lb_set_up(replay->lb, server, strcmp(what, "up") == 0);
	}
}

static void replay_file(const char *path, enum lb_algo algo)
{
	struct replay replay = {0};
	FILE *file = fopen(path, "r");
	char text[256];
	unsigned line = 0;

	ck_assert_msg(file, "cannot open %s: run from the repository's root", path);
	while (fgets(text, sizeof(text), file)) {
		char *save = NULL;
		char *what = strtok_r(text, " \n", &save);
		char *rest = strtok_r(NULL, "\n", &save);

		line++;
		if (!what || !rest || *what == '#')
			continue;
		if (strcmp(what, "servers") == 0) {
			begin(&replay, algo, rest);
			continue;
		}

		char *end;
		size_t server = (size_t)strtol(rest, &end, 10);

		step(&replay, what, server, (int)strtol(end, NULL, 10), line);
	}
	fclose(file);
	lb_free(replay.lb);
	ck_assert_uint_gt(replay.takes, 500);
	ck_assert_msg(replay.wrong == 0, "%u of %u choices differ, the first on line %u of %s",
		replay.wrong, replay.takes, replay.first_wrong, path);
}

START_TEST(leastconn_chooses_as_haproxy_does)
{
	replay_file("tests/data/choices-leastconn.txt", LB_LEASTCONN);
}
END_TEST

START_TEST(roundrobin_chooses_as_haproxy_does)
{
	replay_file("tests/data/choices-roundrobin.txt", LB_ROUNDROBIN);
}
END_TEST

/* A server of weight 1 has 16 places on HAProxy's circle, so the parts that such servers really get
 * differ by a third, and tell one set of places from another. */
START_TEST(random_draws_from_the_circle_that_haproxy_has)
{
	enum { DRAWS = 1 << 20 };
	static const int weights[] = {1, 1, 1, 1, 2, 2, 3, 3};
	enum { N = sizeof(weights) / sizeof(*weights) };
	bool up[N] = {true, true, true, true, true, true, true, true};
	struct lb_ring *ring = lb_ring_new(N, 3);
	struct lb *lb = lb_new(LB_RANDOM, N, ring);
	double expected[N] = {0};

	lb_start(lb, weights, up);
	for (uint32_t i = 0; i < DRAWS; i++)
		expected[lb_ring_draw(lb, i * (UINT32_MAX / DRAWS))] += 1.0 / DRAWS;

	FILE *file = fopen("tests/data/choices-random.txt", "r");
	char text[256];
	double seen[N] = {0};
	double sum = 0;

	ck_assert_ptr_nonnull(file);
	while (fgets(text, sizeof(text), file)) {
		char *end;

		if (strncmp(text, "count ", 6) != 0)
			continue;
		size_t server = strtoul(text + 6, &end, 10);

		ck_assert_uint_lt(server, N);
		seen[server] = strtod(end, NULL);
		sum += seen[server];
	}
	fclose(file);
	ck_assert_double_gt(sum, 10000);
	for (size_t i = 0; i < N; i++) {
		double deviation = sqrt(sum * expected[i] * (1 - expected[i]));

		ck_assert_msg(fabs(seen[i] - sum * expected[i]) < 4 * deviation,
			"server %zu: %g of %g draws, expected %g", i, seen[i], sum,
			sum * expected[i]);
	}
	lb_free(lb);
	lb_ring_free(ring);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{leastconn_chooses_as_haproxy_does, ONCE},
		{roundrobin_chooses_as_haproxy_does, ONCE},
		{random_draws_from_the_circle_that_haproxy_has, ONCE},
	};

	return run_suite("sim_lb", tests, N_OF(tests));
}
