/* SPDX-License-Identifier: MIT */
#include "core/report/shares.h"

#include <string.h>

static void by_weight(struct shares_server *servers, size_t n)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += servers[i].weight;
	for (size_t i = 0; i < n; i++)
		servers[i].share = sum > 0.0 ? servers[i].weight / sum : 0.0;
}

/* a comes before b, with so many more connections each. As HAProxy's leastconn has it: keys are
 * whole numbers, and the first of equals is as good as any. */
static bool is_before(
	const struct shares_server *a, double more_a, const struct shares_server *b, double more_b)
{
	double own_a = (double)a->own + more_a;
	double own_b = (double)b->own + more_b;

	if ((own_a > 0.0) != (own_b > 0.0))
		return own_b > 0.0;
	return (own_a + 1.0) * b->weight < (own_b + 1.0) * a->weight;
}

static void by_sessions(struct shares_server *servers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		servers[i].share = 0.0;
	for (int given = 0; given < SHARES_OF; given++) {
		struct shares_server *least = NULL;

		for (size_t i = 0; i < n; i++) {
			struct shares_server *server = &servers[i];

			if (server->weight > 0 &&
				(!least || is_before(server, server->share, least, least->share)))
				least = server;
		}
		if (!least)
			return;
		/* Counted in whole connections until all are given. */
		least->share += 1.0;
	}
	for (size_t i = 0; i < n; i++)
		servers[i].share /= SHARES_OF;
}

bool shares_next(const char *algo, struct shares_server *servers, size_t n)
{
	if (strcmp(algo, "leastconn") == 0)
		by_sessions(servers, n);
	else if (strcmp(algo, "roundrobin") == 0 || strcmp(algo, "static-rr") == 0)
		by_weight(servers, n);
	else
		return false;
	return true;
}
