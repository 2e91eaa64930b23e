/* SPDX-License-Identifier: MIT */
/* The agent-check listener: answers HAProxy at once from the last plan. */
#ifndef WSB_AGENTCHECKD_H
#define WSB_AGENTCHECKD_H

#include <ev.h>

#include "core/cluster/cluster.h"
#include "core/config/config.h"
#include "core/stats.h"

/*
 * Each check is a connection of its own: a name comes, a line goes back, the connection closes. A
 * second of silence, a request that is too long, or too many connections at once end without an
 * answer, which HAProxy takes for "no change".
 */
struct agentcheckd;

/* Listens; cluster and stats must outlive it. NULL, logged, when it cannot. */
struct agentcheckd *agentcheckd_new(struct ev_loop *loop, const struct config_endpoint *endpoint,
	struct cluster *cluster, struct stats *stats);
/* Closes everything. Takes NULL. */
void agentcheckd_free(struct agentcheckd *agentcheckd);

#endif
