/* SPDX-License-Identifier: MIT */
/* From the tree of the file to struct config, by the table of keys. */
#ifndef WSB_CONFIG_READ_H
#define WSB_CONFIG_READ_H

#include "core/config/config.h"
#include "core/config/config_expand.h"
#include "core/config/config_mistakes.h"
#include "core/config/config_yaml.h"

/*
 * Fills *config, which is zeroed and to be released whatever this finds, with what stands below
 * root, a mapping or NULL, and with the defaults of the rest. What is wrong goes to mistakes, which
 * are empty before: none: every key is valid by itself. Variables are looked up with arg.
 */
void config_read(const struct config_node *root, config_getenv lookup, void *arg,
	struct config *config, struct config_mistakes *mistakes);

#endif
