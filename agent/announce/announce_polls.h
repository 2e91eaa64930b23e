/* SPDX-License-Identifier: MIT */
/* Says what has changed in how pods answer: in the log, and as events on the page's chart. */
#ifndef WSB_ANNOUNCE_POLLS_H
#define WSB_ANNOUNCE_POLLS_H

#include <stdint.h>

#include "core/cluster/pod.h"
#include "core/events.h"
#include "core/metric/metric.h"

/* What was said of polls lately. But for events, zeroed memory is a valid start. */
struct announce_polls {
	struct events *events; /* the caller's: what becomes of pods is added there */
	int64_t since_ms;      /* when what follows began */
	unsigned n_said;
	unsigned n_failed; /* and that were not said */
	unsigned n_answer_again;
	unsigned n_lack_name;
};

/* A poll of pod has ended with outcome, and, with METRIC_OK, with this metric; call it before
 * pod_observe takes the outcome. Where many pods fail and answer again, one line stands for most.
 */
void announce_poll(struct announce_polls *polls, const struct pod *pod, enum metric_outcome outcome,
	const struct metric *metric, const char *detail);

/* The pod has begun to say a name that is another's. */
void announce_lack(struct announce_polls *polls, const struct pod *pod);

#endif
