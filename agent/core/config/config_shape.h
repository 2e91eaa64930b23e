/* SPDX-License-Identifier: MIT */
/* Whether the document has the shape of the schema: every complaint that libcyaml would make
 * without a line. */
#ifndef WSB_CONFIG_SHAPE_H
#define WSB_CONFIG_SHAPE_H

#include <cyaml/cyaml.h>
#include <stdbool.h>

#include "core/config/config_yaml.h"

/* Checks the whole document: unknown keys, keys that stand twice, values of another shape. What the
 * schema ignores is left to who reads it. On false *error says what is wrong. */
bool config_shape_check(
	struct config_yaml *yaml, const cyaml_schema_value_t *schema, struct config_error *error);

/* Checks that the i-th key of the mapping at path is text, and none of those before it, which are.
 */
bool config_shape_check_key(struct config_yaml *yaml, const struct config_path *path,
	const yaml_node_t *mapping, size_t i, struct config_error *error);

size_t config_shape_n_keys(const yaml_node_t *mapping);

/* Nothing is written there, or YAML's null. */
bool config_shape_is_null(const yaml_node_t *node);

#endif
