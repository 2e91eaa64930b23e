/* SPDX-License-Identifier: MIT */
/* metricHeaders: a mapping whose keys are the user's own. */
#ifndef WSB_CONFIG_HEADERS_H
#define WSB_CONFIG_HEADERS_H

#include "core/config/config_take.h"

/* Fills config->metric_headers from the document. On false *error says why, never showing a value,
 * and what is filled is released by the call below all the same. */
bool config_headers_take(
	struct config_source *source, struct config *config, struct config_error *error);
void config_headers_release(struct config *config);

#endif
