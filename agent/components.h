/* SPDX-License-Identifier: MIT */
/* What the agent is made of: what lives as long as it does, and what a configuration brings into
 * being. */
#ifndef WSB_COMPONENTS_H
#define WSB_COMPONENTS_H

#include <ev.h>
#include <stdbool.h>

#include "core/cluster/cluster.h"
#include "core/config/config.h"
#include "core/stats.h"
#include "haproxy/agentcheckd.h"
#include "haproxy/readiness.h"
#include "haproxy/runtime.h"
#include "kube/discovery.h"
#include "pods/poller.h"
#include "record/recorder.h"

/* There is one of it, the agent's; whoever works with it reads it anew each time. */
struct components {
	/* The agent's own: components_make hands them on. */
	struct ev_loop *loop;
	struct cluster *cluster;
	struct stats *stats;
	struct readiness *readiness;
	bool dry_run; /* plan and report, send nothing */

	/* The configuration and what it brings into being; zeroed before the first. */
	struct config *config;
	struct runtime *runtime; /* NULL with agent-check alone */
	struct poller *poller;
	struct agentcheckd *agentcheckd; /* NULL without agentCheck */
	struct discovery *discovery;     /* NULL without Kubernetes */
	struct recorder *recorder;       /* NULL when nothing is recorded */
};

/* Whom components tell what they see. */
struct components_callbacks {
	poller_answer answer;         /* a poll has ended */
	kubewatch_changed discovered; /* Kubernetes has news */
	void *arg;                    /* of both */
};

/*
 * Fills *made with what config needs; of old, what does the same is in *made too. config is *made's
 * from now on. False, logged, when something cannot be made; what was made is in *made either way.
 */
bool components_make(const struct components *old, struct config *config,
	const struct components_callbacks *callbacks, struct components *made);

/* Frees what the configuration brought into being and zeroes it, but for what is in kept too. The
 * poller is never kept. */
void components_free(struct components *components, const struct components *kept);

#endif
