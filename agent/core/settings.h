/* SPDX-License-Identifier: MIT */
/* What a configuration means for the cluster. */
#ifndef WSB_SETTINGS_H
#define WSB_SETTINGS_H

#include <stdbool.h>

#include "core/cluster/cluster.h"
#include "core/config/config.h"
#include "core/haproxy/hastate.h"

/* counted: how many HAProxy instances Kubernetes counts; 0 where it does not: as configured. *out
 * is to be released with cluster_settings_fini. False when out of memory, with *out untouched. */
bool settings_for_cluster(
	const struct config *config, unsigned counted, struct cluster_settings *out);

/* How the pods with a source of this index (struct pod_source) are asked; of an index that there is
 * not, as the top level says. It is the configuration's. */
const struct config_metric *settings_metric(const struct config *config, unsigned index);

/* Sources of pods have an index below this. */
unsigned settings_n_sources(const struct config *config);

/* Whether its metricHeaders, which may be secrets, are sent to pods with a source of this index:
 * only where the backend is named, in haproxy.backends (by more than "*"), kubernetes or services.
 * Any other backend of HAProxy's may be a stranger's server. */
bool settings_sends_headers(const struct config *config, unsigned index);

/* The servers that it names, in the shape of HAProxy's answer: up, with no sessions. Names stay the
 * configuration's. False when out of memory; hastate_fini frees it. */
bool settings_snapshot(const struct config *config, struct hastate_snapshot *out);

#endif
