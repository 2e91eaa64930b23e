/* SPDX-License-Identifier: MIT */
/* What a configuration means for the planner. */
#ifndef WSB_SETTINGS_H
#define WSB_SETTINGS_H

#include "core/cluster/cluster.h"
#include "core/config/config.h"

/* counted: how many HAProxy instances Kubernetes counts; 0 where it does not: as configured. The
 * names of the backends stay the configuration's. */
struct cluster_params settings_of(const struct config *config, unsigned counted);

#endif
