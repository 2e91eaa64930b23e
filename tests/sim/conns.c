/* SPDX-License-Identifier: MIT */
/* A pool of connections and a calendar of one list for each millisecond. */
#include "conns.h"

#include <stdlib.h>
#include <string.h>

bool conns_init(struct conns *conns, int64_t end_ms)
{
	*conns = (struct conns){
		.end_ms = end_ms,
		.ending = calloc((size_t)end_ms, sizeof(*conns->ending)),
		.returning = calloc((size_t)end_ms, sizeof(*conns->returning)),
	};
	return conns->ending && conns->returning;
}

void conns_fini(struct conns *conns)
{
	free(conns->all);
	free(conns->ending);
	free(conns->returning);
	memset(conns, 0, sizeof(*conns));
}

static bool grow(struct conns *conns)
{
	size_t room = conns->room ? 2 * conns->room : 4096;
	struct conn *all = realloc(conns->all, room * sizeof(*all));

	if (!all)
		return false;
	conns->all = all;
	conns->room = room;
	return true;
}

bool conns_add(struct conns *conns, const struct conn *conn, double ends_ms)
{
	uint32_t at = conns->free_list;

	if (at > 0) {
		conns->free_list = conns->all[at - 1].next;
	} else {
		if (conns->n == conns->room && !grow(conns))
			return false;
		at = (uint32_t)++conns->n;
	}

	struct conn *added = &conns->all[at - 1];

	*added = *conn;
	added->live = true;
	added->next = 0;
	if (ends_ms < (double)conns->end_ms) {
		uint32_t *list = &conns->ending[(size_t)ends_ms];

		added->next = *list;
		*list = at;
	}
	return true;
}

bool conns_next_ending(struct conns *conns, int64_t now_ms, struct conn *conn)
{
	uint32_t *list = &conns->ending[now_ms];
	uint32_t at = *list;

	if (at == 0)
		return false;

	struct conn *ended = &conns->all[at - 1];

	*list = ended->next;
	*conn = *ended;
	ended->live = false;
	ended->next = conns->free_list;
	conns->free_list = at;
	return true;
}

void conns_return(struct conns *conns, double at_ms)
{
	if (at_ms < (double)conns->end_ms)
		conns->returning[(size_t)at_ms]++;
}
