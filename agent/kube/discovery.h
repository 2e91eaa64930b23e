/* SPDX-License-Identifier: MIT */
/* Pods from Kubernetes into HAProxy's backends: the Services of the configuration, each with its
 * backend. */
#ifndef WSB_DISCOVERY_H
#define WSB_DISCOVERY_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/cluster/cluster.h"
#include "core/config/config.h"
#include "core/haproxy/commands.h"
#include "core/haproxy/hastate.h"
#include "core/kube/service_status.h"
#include "kube/kubewatch.h"

/*
 * Before a Service's first list has come, the servers that HAProxy had in use when the agent
 * started stand for its pods; from then on, the last that was told. It never talks to HAProxy
 * itself: that is the round's business.
 */
struct discovery;

/*
 * Begins to watch what the configuration names: kubernetes, and replicas_service. changed is called
 * when there is something new. NULL, logged, when the API server is not known, a namespace is not,
 * or memory is short.
 */
struct discovery *discovery_new(
	struct ev_loop *loop, const struct config *config, kubewatch_changed changed, void *arg);
/* Takes NULL. */
void discovery_free(struct discovery *discovery);

/* Whether discovery_new would find the API server and the namespaces; nobody is asked. */
bool discovery_check(const struct config *config, struct why *why);

/* The configuration asks for a discovery, and for the same one. */
bool discovery_is_wanted(const struct config *config);
bool discovery_is_same(const struct config *a, const struct config *b);

/* Appends the commands that bring HAProxy's servers, as they are in snapshot, in line with the
 * pods; the caller sends them. False when out of memory; what was appended stays. */
bool discovery_plan(struct discovery *discovery, const struct hastate_snapshot *snapshot,
	struct commands *lines);

/* Tells the cluster which backends are filled, and its pods what Kubernetes says of them;
 * NULL fills none. */
void discovery_describe(struct discovery *discovery, struct cluster *cluster);

/* HAProxy's instances, counted from replicas_service; otherwise, or while it has none, 0. */
unsigned discovery_replicas(struct discovery *discovery);

/* What the reports say of each Service of a backend; valid until the loop runs again. NULL has
 * none. */
const struct service_status *discovery_report(struct discovery *discovery, size_t *n);

/* There are Services whose pods fill backends. NULL fills none. */
bool discovery_fills(const struct discovery *discovery);

/* Which Service of a backend has not been listed yet and why, or is misnamed as ports.h has it, in
 * words in buf, cut to size; NULL when none. */
const char *discovery_complaint(const struct discovery *discovery, char *buf, size_t size);

/* Of every Service of a backend it is known which servers are to stand for it, from a list since
 * the start or from HAProxy itself, and none is misnamed. */
bool discovery_is_whole(const struct discovery *discovery);

#endif
