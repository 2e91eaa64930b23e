/* SPDX-License-Identifier: MIT */
/* The keys kubernetes, kubernetesAPI and haproxy.replicas. */
#include "core/config/config_kubernetes.h"

#include <stdlib.h>
#include <string.h>

#include "core/config/config_shape.h"

#define SETTING(mapping_, key_, member_, ...)                                \
	{.key = (key_),                                                      \
		.raw = offsetof(struct config_raw_##mapping_, member_),      \
		.out = offsetof(struct config_##mapping_, member_),          \
		.size = sizeof(((struct config_##mapping_ *)NULL)->member_), \
		__VA_ARGS__},

static const struct config_setting settings[] = {CONFIG_KEYS_KUBERNETES(SETTING)};

enum { N_SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static const struct config_path kubernetes_path = {.key = "kubernetes"};
static const struct config_path haproxy_path = {.key = "haproxy"};
static const struct config_path replicas_path = {.up = &haproxy_path, .key = "replicas"};
static const struct config_path replicas_service_path = {.up = &replicas_path, .key = "service"};

/* NAME:PORT into its two halves; the backend is named as the Service unless it says otherwise. */
static bool split_service(
	struct config_source *source, struct config_kubernetes *entry, struct config_error *error)
{
	char *colon = strchr(entry->service, ':');

	if (colon) {
		entry->port = strdup(colon + 1);
		*colon = '\0';
	}
	if (!entry->backend)
		entry->backend = strdup(entry->service);
	return (entry->backend && (entry->port || !colon)) ||
	       config_yaml_fail(&source->yaml, NULL, error, "out of memory");
}

bool config_kubernetes_take(
	struct config_source *source, struct config *config, struct config_error *error)
{
	unsigned n = source->raw ? source->raw->n_kubernetes : 0;

	if (n == 0)
		return true;
	config->kubernetes = calloc(n, sizeof(*config->kubernetes));
	if (!config->kubernetes)
		return config_yaml_fail(&source->yaml, NULL, error, "out of memory");
	for (unsigned i = 0; i < n; i++) {
		struct config_path path = {.up = &kubernetes_path, .index = i};
		struct config_kubernetes *entry = &config->kubernetes[i];
		struct config_mapping mapping = {.settings = settings,
			.n_settings = N_SETTINGS,
			.path = &path,
			.raw = &source->raw->kubernetes[i],
			.out = entry};

		config->n_kubernetes++;
		if (!config_take(source, &mapping, error) || !split_service(source, entry, error))
			return false;
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(entry->backend, config->kubernetes[j].backend) == 0)
				return config_yaml_fail(&source->yaml, &path, error,
					"the backend %s stands twice: a backend has the pods of one "
					"Service",
					entry->backend);
		}
	}
	return true;
}

bool config_kubernetes_take_replicas(
	struct config_source *source, struct config *config, struct config_error *error)
{
	static const struct config_setting number = {
		.kind = &config_kind_unsigned, .fallback = "1", .min = 1, .max = 1000};
	static const struct config_setting service = {.kind = &config_kind_label};
	const yaml_node_t *node = config_yaml_node(&source->yaml, &replicas_path);

	config->replicas = 1;
	if (!node)
		return true;
	if (config_shape_is_null(node))
		return config_yaml_fail(&source->yaml, &replicas_path, error,
			"has no value: give it one, or leave the key out for its default");
	if (config_yaml_text(node))
		return config_take_text(source, &number, &replicas_path, config_yaml_text(node),
			&config->replicas, error);
	const yaml_node_t *name = config_yaml_node(&source->yaml, &replicas_service_path);
	if (node->type != YAML_MAPPING_NODE || !name || !config_yaml_text(name) ||
		node->data.mapping.pairs.top - node->data.mapping.pairs.start != 1)
		return config_yaml_fail(&source->yaml, &replicas_path, error,
			"a number is needed here, or HAProxy's own Service in Kubernetes, such as "
			"{service: haproxy}");
	return config_take_text(source, &service, &replicas_service_path, config_yaml_text(name),
		&config->replicas_service, error);
}

void config_kubernetes_release(struct config *config)
{
	for (size_t i = 0; i < config->n_kubernetes; i++) {
		config_release(settings, N_SETTINGS, &config->kubernetes[i]);
		free(config->kubernetes[i].port);
	}
	free(config->kubernetes);
	free(config->replicas_service);
}
