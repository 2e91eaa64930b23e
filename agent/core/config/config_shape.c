/* SPDX-License-Identifier: MIT */
/* The document held against libcyaml's schema. */
#include "core/config/config_shape.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/nearest.h"

/* Keys that people bring along from elsewhere, and what to do instead. */
static const struct {
	const char *key;
	const char *advice;
} foreign_keys[] = {
	{"enableIPScanning", "not needed: HAProxy knows the servers"},
	{"traefikProviderNamespace", "not needed: HAProxy knows the servers"},
	{"discoveryTimeout", "use pollTimeout, such as 500ms"},
};

static const yaml_node_t *node_of(struct config_yaml *yaml, int id)
{
	return yaml_document_get_node(&yaml->document, id);
}

bool config_shape_is_null(const yaml_node_t *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	const char *text = config_yaml_text(node);

	if (!text || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
		if (strcmp(text, nulls[i]) == 0)
			return true;
	}
	return false;
}

bool config_shape_check_key(struct config_yaml *yaml, const struct config_path *path,
	const yaml_node_t *mapping, size_t i, struct config_error *error)
{
	const yaml_node_pair_t *pairs = mapping->data.mapping.pairs.start;
	const yaml_node_t *node = node_of(yaml, pairs[i].key);
	const char *key = config_yaml_text(node);
	struct config_path here = {.up = path, .key = key};

	if (!key) {
		config_yaml_fail(yaml, path, error, "a key must be a plain word");
		error->line = (unsigned)node->start_mark.line + 1;
		return false;
	}
	for (size_t j = 0; j < i; j++) {
		const yaml_node_t *before = node_of(yaml, pairs[j].key);

		if (strcmp(config_yaml_text(before), key) != 0)
			continue;
		config_yaml_fail(yaml, &here, error,
			"stands twice, first in line %zu: keep one of them",
			before->start_mark.line + 1);
		error->line = (unsigned)node->start_mark.line + 1;
		return false;
	}
	return true;
}

size_t config_shape_n_keys(const yaml_node_t *mapping)
{
	return (size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start);
}

/* Looks in the mappings below fields for a key that was written one level too high, or too low. */
static const cyaml_schema_field_t *find_elsewhere(
	const cyaml_schema_field_t *fields, const char *key, const char **mapping)
{
	for (; fields->key; fields++) {
		const cyaml_schema_field_t *below;

		if (fields->value.type != CYAML_MAPPING)
			continue;
		for (below = fields->value.mapping.fields; below->key; below++) {
			if (strcasecmp(below->key, key) != 0)
				continue;
			*mapping = fields->key;
			return below;
		}
	}
	return NULL;
}

struct shape {
	struct config_yaml *yaml;
	const cyaml_schema_value_t *root;
	struct config_error *error;
};

static bool fail_unknown(const struct shape *shape, const struct config_path *path,
	const cyaml_schema_field_t *fields)
{
	const cyaml_schema_field_t *elsewhere;
	const char *mapping = NULL;
	struct nearest nearest;
	char known[300] = "";

	for (size_t i = 0; i < sizeof(foreign_keys) / sizeof(foreign_keys[0]); i++) {
		if (!path->up && strcmp(path->key, foreign_keys[i].key) == 0)
			return config_yaml_fail(shape->yaml, path, shape->error, "unknown key: %s",
				foreign_keys[i].advice);
	}
	nearest_init(&nearest, path->key);
	for (const cyaml_schema_field_t *field = fields; field->key; field++) {
		size_t used = strlen(known);

		nearest_offer(&nearest, field->key);
		snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", field->key);
	}
	elsewhere = find_elsewhere(shape->root->mapping.fields, path->key, &mapping);
	if (nearest.best && (nearest.distance == 0 || !elsewhere))
		return config_yaml_fail(shape->yaml, path, shape->error,
			"unknown key: did you mean %s?", nearest.best);
	if (elsewhere)
		return config_yaml_fail(shape->yaml, path, shape->error,
			"unknown key here: did you mean %s.%s?", mapping, elsewhere->key);
	return config_yaml_fail(
		shape->yaml, path, shape->error, "unknown key: known here are %s", known);
}

static bool check_value(const struct shape *shape, const struct config_path *path,
	const yaml_node_t *node, const cyaml_schema_value_t *schema);

static bool check_mapping(const struct shape *shape, const struct config_path *path,
	const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	const cyaml_schema_field_t *fields = schema->mapping.fields;

	for (size_t i = 0; i < config_shape_n_keys(node); i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const char *key = config_yaml_text(node_of(shape->yaml, pair->key));
		struct config_path here = {.up = path, .key = key};
		const cyaml_schema_field_t *field = fields;

		if (!config_shape_check_key(shape->yaml, path, node, i, shape->error))
			return false;
		while (field->key && strcmp(field->key, key) != 0)
			field++;
		if (!field->key)
			return fail_unknown(shape, &here, fields);
		if (!check_value(shape, &here, node_of(shape->yaml, pair->value), &field->value))
			return false;
	}
	return true;
}

static bool check_list(const struct shape *shape, const struct config_path *path,
	const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	size_t n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);

	if (n > schema->sequence.max)
		return config_yaml_fail(shape->yaml, path, shape->error,
			"%zu entries are too many: at most %u are allowed", n,
			schema->sequence.max);
	for (size_t i = 0; i < n; i++) {
		struct config_path here = {.up = path, .index = i};
		int item = node->data.sequence.items.start[i];

		if (!check_value(shape, &here, node_of(shape->yaml, item), schema->sequence.entry))
			return false;
	}
	return true;
}

/* The Traefik plugin's services are a list of URLs: the likeliest thing to be pasted here. */
static bool is_plugin_service(const struct config_path *path, const yaml_node_t *node)
{
	return !path->key && path->up && !path->up->up && strcmp(path->up->key, "services") == 0 &&
	       node->type == YAML_SCALAR_NODE;
}

static bool check_value(const struct shape *shape, const struct config_path *path,
	const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
	if (schema->type == CYAML_IGNORE)
		return true;
	if (is_plugin_service(path, node))
		return config_yaml_fail(shape->yaml, path, shape->error,
			"the Traefik plugin's list of URLs has no use here: remove services and "
			"name "
			"HAProxy's socket in haproxy.socket, which lists the servers");
	if (config_shape_is_null(node))
		return config_yaml_fail(shape->yaml, path, shape->error,
			"has no value: give it one, or leave the key out for its default");
	if (schema->type == CYAML_STRING) {
		if (node->type != YAML_SCALAR_NODE)
			return config_yaml_fail(shape->yaml, path, shape->error,
				"one value is allowed here, not a %s",
				node->type == YAML_MAPPING_NODE ? "mapping" : "list");
		return true;
	}
	if (schema->type == CYAML_MAPPING) {
		if (node->type != YAML_MAPPING_NODE)
			return config_yaml_fail(shape->yaml, path, shape->error,
				"keys with values are needed here, one 'key: value' a line");
		return check_mapping(shape, path, node, schema);
	}
	if (node->type != YAML_SEQUENCE_NODE)
		return config_yaml_fail(
			shape->yaml, path, shape->error, "a list is needed here, such as [a, b]");
	return check_list(shape, path, node, schema);
}

bool config_shape_check(
	struct config_yaml *yaml, const cyaml_schema_value_t *schema, struct config_error *error)
{
	const struct shape shape = {.yaml = yaml, .root = schema, .error = error};
	const yaml_node_t *root = config_yaml_node(yaml, NULL);

	if (!root)
		return true;
	if (root->type != YAML_MAPPING_NODE) {
		config_yaml_fail(yaml, NULL, error, "the file must consist of 'key: value' lines");
		error->line = (unsigned)root->start_mark.line + 1;
		return false;
	}
	return check_mapping(&shape, NULL, root, schema);
}
