/* SPDX-License-Identifier: MIT */
/* The round: read HAProxy, update, plan, push; once an interval. */
#ifndef WSB_ROUND_H
#define WSB_ROUND_H

#include <ev.h>
#include <stdbool.h>

#include "core/cluster/cluster.h"
#include "core/config/config.h"
#include "core/stats.h"
#include "haproxy/readiness.h"
#include "haproxy/runtime.h"
#include "kube/discovery.h"
#include "pods/poller.h"
#include "record/recorder.h"

struct round;

/* What rounds work with; all of it is the caller's. runtime is NULL with agent-check alone. */
struct round_parts {
	const struct config *config;
	struct cluster *cluster;
	struct stats *stats;
	struct poller *poller;
	struct runtime *runtime;
	struct discovery *discovery; /* NULL without Kubernetes */
	struct recorder *recorder;   /* NULL when nothing is recorded */
	struct readiness *readiness;
	bool dry_run; /* plan, send nothing */
};

/* The first round begins when the loop runs. NULL when out of memory. */
struct round *round_new(struct ev_loop *loop, const struct round_parts *parts);
/* Takes NULL. */
void round_free(struct round *round);

/* Takes changed parts and begins a round at once. An old runtime that is not among them is to be
 * freed before the loop runs again. */
void round_configure(struct round *round, const struct round_parts *parts);

/* Begins a round as soon as it may: there is news of the pods. Not while HAProxy does not answer.
 */
void round_hurry(struct round *round);
/* The same, HAProxy having just answered otherwise: it is another process. */
void round_restart(struct round *round);

/*
 * No more rounds: puts the configured weights back and calls done when HAProxy has answered, at
 * once where there is nothing to put back.
 */
void round_stop(struct round *round, void (*done)(void *arg), void *arg);

/* Puts the configured weights back and goes on: for when other backends are to be steered. */
void round_restore(struct round *round);

#endif
