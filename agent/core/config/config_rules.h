/* SPDX-License-Identifier: MIT */
/* What the keys of a configuration ask of each other. */
#ifndef WSB_CONFIG_RULES_H
#define WSB_CONFIG_RULES_H

#include "core/config/config_yaml.h"

/* Checks a configuration whose keys are each good by themselves. yaml is where it came from. */
bool config_rules_check(
	struct config_yaml *yaml, const struct config *config, struct config_error *error);

#endif
