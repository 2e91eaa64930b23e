/* SPDX-License-Identifier: MIT */
/* The poller: asks every pod for its count, again and again. */
#ifndef WSB_POLLER_H
#define WSB_POLLER_H

#include <ev.h>
#include <stdbool.h>

#include "core/cluster/cluster.h"
#include "core/config/config.h"

/*
 * Each pod is asked once an interval over a connection that is kept, shortly before the round that
 * plans with its count, at its own moment of a tenth of a second or, of thousands, more; one
 * request at a time. Pods are spread over many small curl multi handles, since one large handle's
 * cost grows with the number of its pods (agent/doc/DESIGN.md, "Scale").
 */
struct poller;

/* How a poll of a pod has ended. */
struct poller_result {
	enum metric_outcome outcome;
	const struct metric *metric; /* set with METRIC_OK only */
	const char *detail;          /* else the failure in words */
	int64_t took_ms;
	int64_t at_ms; /* when the answer came, which the loop may have read later */
};

/* Called from the loop; must not stop the poll of any pod. */
typedef void (*poller_answer)(struct pod *pod, const struct poller_result *result, void *arg);

/* The configuration must outlive it. NULL when out of memory. */
struct poller *poller_new(
	struct ev_loop *loop, const struct config *config, poller_answer answer, void *arg);

/* Stops all polls. Takes NULL. */
void poller_free(struct poller *poller);

/* Once in each round, at its end: starts polling the pods that are wanted and stops the others. The
 * next round is in next_s, and from then on there is one each round_s (above 0); each pod's
 * every_ms and due_ms say which of them want its count. False when out of memory: some are not
 * polled, and the next call tries again. */
bool poller_sync(struct poller *poller, struct cluster *cluster, double next_s, double round_s);

/* The least time in which each pod can be asked and has answered, s: at most half an interval. */
double poller_needs_s(const struct poller *poller);

/* Stops polling a pod; no callback follows. Harmless for one that this poller does not poll. */
void poller_drop(struct poller *poller, const struct pod *pod);

#endif
