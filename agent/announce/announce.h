/* SPDX-License-Identifier: MIT */
/* Says, once, what has changed in the cluster: in the log, and as events on the page's chart. */
#ifndef WSB_ANNOUNCE_H
#define WSB_ANNOUNCE_H

#include <stddef.h>

#include "announce/said.h"
#include "core/cluster/cluster.h"
#include "core/cluster/instances.h"
#include "core/events.h"

/* What was said last. Zeroed memory is a valid start; announce_fini frees what it holds. */
struct announce {
	size_t n_missing;            /* backends named in the configuration that HAProxy lacks */
	struct hastate_info haproxy; /* announced last; pid 0: none */
	int64_t every_ms;            /* from one round to the next; 0: not said yet */
	char *left_out;              /* as cluster_left_out told last; NULL: nothing */
	struct instances instances;
	struct said_table said; /* of backends and servers */
};

/* Compares the cluster as planned with what was said last and logs the difference. Of what there is
 * no memory for it says nothing. */
void announce_plan(struct announce *announce, struct cluster *cluster, struct events *events);
void announce_fini(struct announce *announce);

#endif
