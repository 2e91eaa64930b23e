/* SPDX-License-Identifier: MIT */
/* Says in the log, once, what has changed in the cluster. */
#ifndef WSB_ANNOUNCE_H
#define WSB_ANNOUNCE_H

#include <stddef.h>

#include "core/cluster/cluster.h"

/* Zeroed memory is a valid start. */
struct announce {
	size_t n_missing;            /* backends named in the configuration that HAProxy lacks */
	struct hastate_info haproxy; /* announced last; pid 0: none */
};

/* Compares the cluster as planned with what was said last, which it keeps in the cluster's own
 * structs (announced), and logs the difference. */
void announce_plan(struct announce *announce, struct cluster *cluster);

/* A poll of pod has ended with outcome, and, with METRIC_OK, with this metric; call it before
 * pod_observe takes the outcome. */
void announce_poll(const struct pod *pod, enum metric_outcome outcome, const struct metric *metric,
	const char *detail);

#endif
