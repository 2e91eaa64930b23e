/* SPDX-License-Identifier: MIT */
/* The lists of the configuration: backends to steer, and servers named in the file. */
#ifndef WSB_CONFIG_SERVICES_H
#define WSB_CONFIG_SERVICES_H

#include "core/config/config_take.h"

/* Fill config->backends and config->services. On false *error says why, and what is filled is
 * released by the call below all the same. */
bool config_services_take_backends(
	struct config_source *source, struct config *config, struct config_error *error);
bool config_services_take(
	struct config_source *source, struct config *config, struct config_error *error);

/* Frees both lists. */
void config_services_release(struct config *config);

#endif
