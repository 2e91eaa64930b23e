/* SPDX-License-Identifier: MIT */
/* The schema, and libcyaml's calls. */
#include "core/config/config_schema.h"

#include <stdint.h>
#include <stdio.h>

enum { KUBERNETES_MAX = 256, SERVICES_MAX = 256, SERVERS_MAX = 4096, BACKENDS_MAX = 1000 };

/* clang-format off */
#define FIELD(mapping, key, member, ...) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
		struct config_raw_##mapping, member, 0, CYAML_UNLIMITED),

static const cyaml_schema_value_t text_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t haproxy_fields[] = {
	CONFIG_KEYS_HAPROXY(FIELD)
	/* A number or a mapping: config_kubernetes reads it from the document. */
	CYAML_FIELD_IGNORE("replicas", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_SEQUENCE_COUNT("backends", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_raw_haproxy, backends, n_backends, &text_value, 0, BACKENDS_MAX),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t agent_check_fields[] = {
	CONFIG_KEYS_AGENT_CHECK(FIELD)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t log_fields[] = {
	CONFIG_KEYS_LOG(FIELD)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t kubernetes_api_fields[] = {
	CONFIG_KEYS_KUBERNETES_API(FIELD)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t kubernetes_fields[] = {
	CONFIG_KEYS_KUBERNETES(FIELD)
	CYAML_FIELD_END
};

static const cyaml_schema_value_t kubernetes_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_raw_kubernetes, kubernetes_fields),
};

static const cyaml_schema_field_t server_fields[] = {
	CONFIG_KEYS_SERVER(FIELD)
	CYAML_FIELD_END
};

static const cyaml_schema_value_t server_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_raw_server, server_fields),
};

static const cyaml_schema_field_t service_fields[] = {
	CONFIG_KEYS_SERVICE(FIELD)
	CYAML_FIELD_SEQUENCE_COUNT("servers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_raw_service, servers, n_servers, &server_value, 0, SERVERS_MAX),
	CYAML_FIELD_END
};

static const cyaml_schema_value_t service_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_raw_service, service_fields),
};

static const cyaml_schema_field_t root_fields[] = {
	CYAML_FIELD_MAPPING_PTR("haproxy", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_raw_root, haproxy, haproxy_fields),
	CONFIG_KEYS_ROOT(FIELD)
	/* Its keys are free: config_headers reads it from the document. */
	CYAML_FIELD_IGNORE("metricHeaders", CYAML_FLAG_OPTIONAL),
	CYAML_FIELD_MAPPING_PTR("agentCheck", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_raw_root, agent_check, agent_check_fields),
	CYAML_FIELD_MAPPING_PTR("log", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_raw_root, log, log_fields),
	CYAML_FIELD_SEQUENCE_COUNT("kubernetes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_raw_root, kubernetes, n_kubernetes, &kubernetes_value, 0,
		KUBERNETES_MAX),
	CYAML_FIELD_MAPPING_PTR("kubernetesAPI", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_raw_root, kubernetes_api, kubernetes_api_fields),
	CYAML_FIELD_SEQUENCE_COUNT("services", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_raw_root, services, n_services, &service_value, 0, SERVICES_MAX),
	CYAML_FIELD_END
};
/* clang-format on */

static const cyaml_schema_value_t root_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config_raw_root, root_fields),
};

/* libcyaml logs its complaints without a line: they are not for the user. */
static const cyaml_config_t settings = {
	.mem_fn = cyaml_mem,
	.flags = CYAML_CFG_NO_ALIAS,
};

const cyaml_schema_value_t *config_schema(void)
{
	return &root_value;
}

bool config_schema_load(
	const char *text, size_t len, struct config_raw_root **raw, struct config_error *error)
{
	cyaml_data_t *data = NULL;
	cyaml_err_t outcome =
		cyaml_load_data((const uint8_t *)text, len, &settings, &root_value, &data, NULL);

	if (outcome != CYAML_OK) {
		error->line = 0;
		/* The text is known to be YAML, so libyaml can only have run out of memory. */
		snprintf(error->message, sizeof(error->message), "%s",
			outcome == CYAML_ERR_OOM || outcome == CYAML_ERR_LIBYAML_PARSER ||
					outcome == CYAML_ERR_LIBYAML_PARSER_INIT
				? "out of memory"
				: cyaml_strerror(outcome));
		return false;
	}
	*raw = data;
	return true;
}

void config_schema_free(struct config_raw_root *raw)
{
	cyaml_free(&settings, &root_value, raw, 0);
}
