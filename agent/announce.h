/* SPDX-License-Identifier: MIT */
/* Says, once, what has changed in the cluster: in the log, and as events on the page's chart. */
#ifndef WSB_ANNOUNCE_H
#define WSB_ANNOUNCE_H

#include <stddef.h>

#include "core/cluster/cluster.h"
#include "core/cluster/instances.h"
#include "core/events.h"
#include "core/report/report.h"

struct lh_table;

/* What was said last. Zeroed memory is a valid start; announce_fini frees what it holds. */
struct announce {
	size_t n_missing;            /* backends named in the configuration that HAProxy lacks */
	struct hastate_info haproxy; /* announced last; pid 0: none */
	uint64_t number;             /* of announcements */
	int64_t every_ms;            /* from one round to the next; 0: not said yet */
	char *left_out;              /* as cluster_left_out told last; NULL: nothing */
	struct instances instances;
	struct lh_table *said; /* of each backend and server, by its name */
};

/* Compares the cluster as planned with what was said last and logs the difference. Of what there is
 * no memory for it says nothing. */
void announce_plan(struct announce *announce, struct cluster *cluster, struct events *events);
void announce_fini(struct announce *announce);

/* Says a verdict that needs somebody, and its end, in the words of the reports: once it was the
 * same at two looks in a row, so that none is said that passes at once. Looks in an announce of its
 * own. */
void announce_verdicts(struct announce *announce, const struct report_view *view);

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
