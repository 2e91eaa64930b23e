/* SPDX-License-Identifier: MIT */
/* What a configuration brings into being, and what of it outlives the configuration. */
#ifndef WSB_COMPONENTS_H
#define WSB_COMPONENTS_H

#include <ev.h>
#include <stdbool.h>

#include "core/cluster/cluster.h"
#include "core/config/config.h"
#include "core/stats.h"
#include "haproxy/agentcheckd.h"
#include "haproxy/runtime.h"
#include "kube/discovery.h"
#include "pods/poller.h"
#include "record/recorder.h"

/* A zeroed struct holds none. */
struct components {
	struct config *config;
	struct runtime *runtime; /* NULL with agent-check alone */
	struct poller *poller;
	struct agentcheckd *agentcheckd; /* NULL without agentCheck */
	struct discovery *discovery;     /* NULL without Kubernetes */
	struct recorder *recorder;       /* NULL when nothing is recorded */
};

/* What parts are made with; all of it is the caller's. */
struct components_needs {
	struct ev_loop *loop;
	struct cluster *cluster;
	struct stats *stats;
	bool dry_run;
	poller_answer answer;         /* a poll has ended */
	kubewatch_changed discovered; /* Kubernetes has news */
	void *arg;                    /* of both */
};

/*
 * Makes what parts->config needs; of old, which may be zeroed, what does the same is in *parts too.
 * False, logged, when something cannot be made; what was made is in *parts either way.
 */
bool components_make(const struct components_needs *needs, const struct components *old,
	struct components *parts);

/* Frees the parts and zeroes the struct, but for those that are in kept too. The poller is never
 * kept: it stops polling the pods of the cluster. */
void components_free(
	struct components *parts, const struct components *kept, struct cluster *cluster);

#endif
