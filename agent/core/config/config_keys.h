/* SPDX-License-Identifier: MIT */
/* The table of the configuration file's keys: reading, defaults and release all go by it. */
#ifndef WSB_CONFIG_KEYS_H
#define WSB_CONFIG_KEYS_H

#include "core/config/config_schema.h"
#include "core/config/config_yaml.h"

/* The whole file, into struct config. */
extern const struct config_mapping config_keys;

/* What the row's value looks like in the file. */
enum config_shape config_keys_shape(const struct config_key *row);

#endif
