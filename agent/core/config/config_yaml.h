/* SPDX-License-Identifier: MIT */
/* The configuration file as YAML: one plain document, and where things stand in it. */
#ifndef WSB_CONFIG_YAML_H
#define WSB_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "core/config/config.h"

/*
 * libcyaml turns the text into structs, but does not tell lines. This module keeps the document
 * beside the structs, so that every complaint can name its line.
 */

struct config_yaml {
	yaml_document_t document;
};

/* The way from the root to a node; usually a chain of variables on the stack. */
struct config_path {
	const struct config_path *up; /* NULL: directly under the root */
	const char *key;              /* in a mapping; NULL: in a list */
	size_t index;                 /* in a list */
};

/*
 * Reads the one document of a text. Refused: what is not YAML, a second document, anchors, aliases
 * and tags, a NUL in a value, nesting deeper than any configuration. The caller frees *yaml with
 * config_yaml_fini; on false *error says why and nothing is to be freed. A text without content
 * gives a document without nodes.
 */
bool config_yaml_load(
	const char *text, size_t len, struct config_yaml *yaml, struct config_error *error);
void config_yaml_fini(struct config_yaml *yaml);

/* The node at path, the root for NULL; NULL when there is none. */
yaml_node_t *config_yaml_node(struct config_yaml *yaml, const struct config_path *path);
/* The text of a scalar, NULL for any other node. */
const char *config_yaml_text(const yaml_node_t *node);

/*
 * Sets *error to "KEY: MESSAGE", or to the message alone for the root, and to the line where path
 * stands or the nearest that stands above it. Always returns false.
 */
__attribute__((format(printf, 4, 5))) bool config_yaml_fail(struct config_yaml *yaml,
	const struct config_path *path, struct config_error *error, const char *format, ...);

#endif
