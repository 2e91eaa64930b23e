/* SPDX-License-Identifier: MIT */
/* What someone may have meant by a key that is not known. */
#ifndef WSB_CONFIG_UNKNOWN_H
#define WSB_CONFIG_UNKNOWN_H

#include "core/base/why.h"
#include "core/config/config_schema.h"
#include "core/config/config_yaml.h"

/* Sets *why to what comes behind "unknown key": " here: did you mean haproxy.socket?". node is in a
 * mapping whose keys should have been these. */
void config_unknown_advise(
	const struct config_mapping *mapping, const struct config_node *node, struct why *why);

#endif
