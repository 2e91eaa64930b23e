/* SPDX-License-Identifier: MIT */
/* The keys kubernetes, kubernetesAPI and haproxy.replicas. */
#ifndef WSB_CONFIG_KUBERNETES_H
#define WSB_CONFIG_KUBERNETES_H

#include <stdbool.h>

#include "core/config/config.h"
#include "core/config/config_take.h"

/* kubernetes: the Services whose pods fill backends. False: *error says why. */
bool config_kubernetes_take(
	struct config_source *source, struct config *config, struct config_error *error);

/* haproxy.replicas: a number, or {service: NAME}. */
bool config_kubernetes_take_replicas(
	struct config_source *source, struct config *config, struct config_error *error);

/* Frees what both have taken. */
void config_kubernetes_release(struct config *config);

#endif
