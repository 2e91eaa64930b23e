/* SPDX-License-Identifier: MIT */
/* What the keys of a configuration ask of each other. */
#ifndef WSB_CONFIG_RULES_H
#define WSB_CONFIG_RULES_H

#include "core/config/config.h"
#include "core/config/config_mistakes.h"
#include "core/config/config_yaml.h"

/* Checks a configuration whose keys are each valid by themselves. root is where it came from, or
 * NULL. */
void config_rules_check(const struct config_node *root, const struct config *config,
	struct config_mistakes *mistakes);

#endif
