/* SPDX-License-Identifier: MIT */
/* Request headers from the document. */
#include "core/config/config_headers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/text.h"
#include "core/config/config_expand.h"
#include "core/config/config_shape.h"

enum { HEADERS_MAX = 64 };

static const struct config_path headers_path = {.key = "metricHeaders"};

/* libcurl writes these itself; a second one would break the request. */
static const char *const refused_names[] = {"Connection", "Content-Length", "Transfer-Encoding"};

static bool take_value(struct config_source *source, const struct config_path *path,
	const char *text, struct config_header *header, struct config_error *error)
{
	struct config_why why;

	header->value = config_expand(text, source->lookup, source->arg, &why);
	if (!header->value)
		return config_yaml_fail(&source->yaml, path, error, "%s", why.text);
	if (!*header->value)
		return config_yaml_fail(&source->yaml, path, error,
			"has no value: give it one, or leave the header out");
	if (!text_is_header_value(header->value))
		return config_yaml_fail(&source->yaml, path, error,
			"the value must be one line with no blank at either end");
	return true;
}

/* {file: PATH} */
static bool take_file(struct config_source *source, const struct config_path *path,
	const yaml_node_t *node, struct config_header *header, struct config_error *error)
{
	static const struct config_setting setting = {
		.kind = &config_kind_file, .fallback = "/run/secrets/token"};
	struct config_path file_path = {.up = path, .key = "file"};
	const yaml_node_t *file = config_yaml_node(&source->yaml, &file_path);

	if (!file || config_shape_n_keys(node) != 1)
		return config_yaml_fail(&source->yaml, path, error,
			"one key is allowed here, file, such as {file: %s}", setting.fallback);
	if (!config_yaml_text(file) || config_shape_is_null(file))
		return config_yaml_fail(
			&source->yaml, &file_path, error, "an absolute path is needed here");
	return config_take_text(
		source, &setting, &file_path, config_yaml_text(file), &header->file, error);
}

static bool check_name(struct config_source *source, const struct config_path *path,
	const struct config *config, struct config_error *error)
{
	if (!text_is_token(path->key))
		return config_yaml_fail(&source->yaml, path, error,
			"is no name of a header: use letters, digits and -");
	for (size_t i = 0; i < sizeof(refused_names) / sizeof(refused_names[0]); i++) {
		if (strcasecmp(path->key, refused_names[i]) == 0)
			return config_yaml_fail(&source->yaml, path, error,
				"is not allowed: the agent sets this header itself");
	}
	for (size_t i = 0; i < config->n_metric_headers; i++) {
		const char *name = config->metric_headers[i].name;

		/* One without a name is where memory ran out. */
		if (name && strcasecmp(path->key, name) == 0)
			return config_yaml_fail(&source->yaml, path, error,
				"is the same header as %s: keep one of them", name);
	}
	return true;
}

static bool take_header(struct config_source *source, const struct config_path *path,
	const yaml_node_t *node, struct config *config, struct config_error *error)
{
	struct config_header *header;

	if (!check_name(source, path, config, error))
		return false;
	header = &config->metric_headers[config->n_metric_headers++];
	header->name = strdup(path->key);
	if (!header->name)
		return config_yaml_fail(&source->yaml, NULL, error, "out of memory");
	if (node->type == YAML_MAPPING_NODE)
		return take_file(source, path, node, header, error);
	if (!config_yaml_text(node) || config_shape_is_null(node))
		return config_yaml_fail(
			&source->yaml, path, error, "a value or {file: PATH} is needed here");
	return take_value(source, path, config_yaml_text(node), header, error);
}

bool config_headers_take(
	struct config_source *source, struct config *config, struct config_error *error)
{
	yaml_document_t *document = &source->yaml.document;
	const yaml_node_t *node = config_yaml_node(&source->yaml, &headers_path);
	size_t n;

	if (!node)
		return true;
	if (node->type != YAML_MAPPING_NODE)
		return config_yaml_fail(&source->yaml, &headers_path, error,
			"headers with values are needed here, one 'Name: value' a line, or {}");
	n = config_shape_n_keys(node);
	if (n > HEADERS_MAX)
		return config_yaml_fail(&source->yaml, &headers_path, error,
			"%zu headers are too many: at most %d are allowed", n, HEADERS_MAX);
	config->metric_headers = calloc(n, sizeof(*config->metric_headers));
	if (!config->metric_headers && n > 0)
		return config_yaml_fail(&source->yaml, NULL, error, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const yaml_node_pair_t *pair = &node->data.mapping.pairs.start[i];
		const yaml_node_t *key = yaml_document_get_node(document, pair->key);
		struct config_path path = {.up = &headers_path, .key = config_yaml_text(key)};

		if (!config_shape_check_key(&source->yaml, &headers_path, node, i, error))
			return false;
		assert(path.key);
		if (!take_header(source, &path, yaml_document_get_node(document, pair->value),
			    config, error))
			return false;
	}
	return true;
}

void config_headers_release(struct config *config)
{
	for (size_t i = 0; i < config->n_metric_headers; i++) {
		struct config_header *header = &config->metric_headers[i];

		free(header->name);
		free(header->value);
		free(header->file);
	}
	free(config->metric_headers);
}
