/* SPDX-License-Identifier: MIT */
/* From wanted and actual weights to the commands that make up the difference. */
#ifndef WSB_RECONCILE_H
#define WSB_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/cluster.h"
#include "core/haproxy/commands.h"

/*
 * Appends "set server ... weight" for every planned server whose weight in HAProxy is another than
 * the wanted one, and remembers it as sent. agent_check_port, where it is not 0, is where the agent
 * answers agent-checks: servers whose agent-check asks there are told to send their own name, once.
 * Returns false when out of memory; what was appended stays.
 */
bool reconcile_plan(struct cluster *cluster, uint16_t agent_check_port, struct commands *out);

/* Appends the commands that put back the configured weight of every server that was steered. */
bool reconcile_restore(struct cluster *cluster, struct commands *out);

/* Appends the commands that set the wanted weight of each server of the backend that takes part.
 * For between two rounds: what the last one sent HAProxy has not shown yet. */
bool reconcile_overtaken(struct backend *backend, struct commands *out);

/* How many servers of ours had another weight than the configured one when HAProxy was read last.
 */
size_t reconcile_count_changed(const struct cluster *cluster);

/* A line did not reach HAProxy. What it does not show, and so would not be missed, is sent again.
 */
void reconcile_lost(struct cluster *cluster);

#endif
