/* SPDX-License-Identifier: MIT */
/* What a configuration means for the cluster. */
#ifndef WSB_SETTINGS_H
#define WSB_SETTINGS_H

#include <stdbool.h>

#include "core/cluster/cluster.h"
#include "core/config/config.h"
#include "core/haproxy/hastate.h"

/* counted: how many HAProxy instances Kubernetes counts; 0 where it does not: as configured. The
 * names of the backends stay the configuration's. */
struct cluster_settings settings_for_cluster(const struct config *config, unsigned counted);

/* The servers that it names, in the shape of HAProxy's answer: up, with no sessions. Names stay the
 * configuration's. False when out of memory; hastate_fini frees it. */
bool settings_snapshot(const struct config *config, struct hastate_snapshot *out);

#endif
