/* SPDX-License-Identifier: MIT */
/* libcyaml's schema of the configuration file, and the structs of plain text that it fills. */
#ifndef WSB_CONFIG_SCHEMA_H
#define WSB_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/config/config.h"
#include "core/config/config_keys.h"

/*
 * Every value is text here: environment variables are put in and numbers read later, by parsers
 * stricter than libcyaml's. A pointer is NULL where the key is not in the file.
 */

#define CONFIG_RAW_MEMBER(mapping, key, member, ...) char *member;

struct config_raw_haproxy {
	CONFIG_KEYS_HAPROXY(CONFIG_RAW_MEMBER)
	char **backends;
	unsigned n_backends;
};

struct config_raw_agent_check {
	CONFIG_KEYS_AGENT_CHECK(CONFIG_RAW_MEMBER)
};

struct config_raw_log {
	CONFIG_KEYS_LOG(CONFIG_RAW_MEMBER)
};

struct config_raw_kubernetes_api {
	CONFIG_KEYS_KUBERNETES_API(CONFIG_RAW_MEMBER)
};

struct config_raw_kubernetes {
	CONFIG_KEYS_KUBERNETES(CONFIG_RAW_MEMBER)
};

struct config_raw_server {
	CONFIG_KEYS_SERVER(CONFIG_RAW_MEMBER)
};

struct config_raw_service {
	CONFIG_KEYS_SERVICE(CONFIG_RAW_MEMBER)
	struct config_raw_server *servers;
	unsigned n_servers;
};

struct config_raw_root {
	CONFIG_KEYS_ROOT(CONFIG_RAW_MEMBER)
	struct config_raw_haproxy *haproxy;
	struct config_raw_agent_check *agent_check;
	struct config_raw_log *log;
	struct config_raw_kubernetes *kubernetes;
	unsigned n_kubernetes;
	struct config_raw_kubernetes_api *kubernetes_api;
	struct config_raw_service *services;
	unsigned n_services;
};

/* The schema of the whole file; static. */
const cyaml_schema_value_t *config_schema(void);

/*
 * Loads a text into *raw, which the caller frees with config_schema_free; NULL for a text without
 * content. On false *error says why, without a line: config_shape_check finds all but lack of
 * memory before.
 */
bool config_schema_load(
	const char *text, size_t len, struct config_raw_root **raw, struct config_error *error);
void config_schema_free(struct config_raw_root *raw);

#endif
