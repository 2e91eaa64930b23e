/* SPDX-License-Identifier: MIT */
/* The configuration file as a tree, every node of which knows its line. */
#ifndef WSB_CONFIG_YAML_H
#define WSB_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"

enum config_shape { CONFIG_VALUE, CONFIG_MAPPING, CONFIG_LIST };

struct config_node {
	enum config_shape shape;
	unsigned line;            /* where it begins; of a mapping's value, where its key does */
	struct config_node *up;   /* NULL: the root */
	char *key;                /* in a mapping: its key, else NULL */
	size_t index;             /* among its siblings */
	struct config_node *next; /* its next sibling */
	/* of a value */
	char *text;
	bool is_null; /* nothing is written there, or YAML's null */
	/* of a mapping or list, in the file's order; a key may stand twice */
	struct config_node *first;
	struct config_node *last;
	size_t n;
};

/*
 * Reads the one document of a text in one pass, at a cost that grows with its length alone. *root
 * is NULL for a text without content, and freed with config_yaml_free. Refused: what is not YAML, a
 * second document, anchors, aliases and tags, a NUL in a value, a key that is not plain text, and
 * nesting deeper than any configuration. On false *root is untouched.
 */
bool config_yaml_load(const char *text, size_t len, struct config_node **root, struct why *why);
void config_yaml_free(struct config_node *root);

/* The value of a mapping's key, the first if it stands twice; NULL when there is none, and when
 * mapping is NULL or of another shape. */
const struct config_node *config_yaml_get(const struct config_node *mapping, const char *key);

/* Whether a path such as "services[1].name" leads to something. */
bool config_yaml_has(const struct config_node *root, const char *path);

/* The line of what it leads to, or of the nearest above that is in the file; 0 when none is. */
unsigned config_yaml_line(const struct config_node *root, const char *path);

/* Appends the way from the root to node, as "services[1].name"; nothing for the root. */
void config_yaml_write_path(const struct config_node *node, struct why *why);

#endif
