/* SPDX-License-Identifier: MIT */
#include "core/haproxy/hastate.h"

#include <stdlib.h>

bool hastate_is_same_process(const struct hastate_info *a, const struct hastate_info *b)
{
	return a->pid == b->pid && a->start_time_s == b->start_time_s;
}

void hastate_fini(struct hastate_snapshot *snapshot)
{
	free(snapshot->servers);
	free(snapshot->backends);
	free(snapshot->text);
	*snapshot = (struct hastate_snapshot){.n_backends = 0};
}
