/* SPDX-License-Identifier: MIT */
/* From a file's text to a checked configuration. */
#include "core/config/config.h"

#include <string.h>

#include "core/config/config_headers.h"
#include "core/config/config_kubernetes.h"
#include "core/config/config_rules.h"
#include "core/config/config_schema.h"
#include "core/config/config_services.h"
#include "core/config/config_shape.h"
#include "core/config/config_take.h"
#include "core/config/config_yaml.h"

#define SETTING(mapping_, key_, member_, ...)                           \
	{.key = (key_),                                                 \
		.raw = offsetof(struct config_raw_##mapping_, member_), \
		.out = offsetof(struct config, member_),                \
		.size = sizeof(((struct config *)NULL)->member_),       \
		__VA_ARGS__},

static const struct config_setting root_settings[] = {CONFIG_KEYS_ROOT(SETTING)};
static const struct config_setting haproxy_settings[] = {CONFIG_KEYS_HAPROXY(SETTING)};
static const struct config_setting kubernetes_api_settings[] = {
	CONFIG_KEYS_KUBERNETES_API(SETTING)};
static const struct config_setting agent_check_settings[] = {CONFIG_KEYS_AGENT_CHECK(SETTING)};
static const struct config_setting log_settings[] = {CONFIG_KEYS_LOG(SETTING)};

/* A mapping whose keys fill struct config. */
struct group {
	const char *key; /* NULL: the root */
	size_t raw;      /* where the root's raw struct points to this one's */
	const struct config_setting *settings;
	size_t n_settings;
};

#define GROUP(key_, member, settings_)                                                            \
	{                                                                                         \
		.key = (key_), .raw = offsetof(struct config_raw_root, member),                   \
		.settings = (settings_), .n_settings = sizeof(settings_) / sizeof((settings_)[0]) \
	}

static const struct group groups[] = {
	{.settings = root_settings, .n_settings = sizeof(root_settings) / sizeof(root_settings[0])},
	GROUP("haproxy", haproxy, haproxy_settings),
	GROUP("kubernetesAPI", kubernetes_api, kubernetes_api_settings),
	GROUP("agentCheck", agent_check, agent_check_settings),
	GROUP("log", log, log_settings),
};

enum { N_GROUPS = sizeof(groups) / sizeof(groups[0]) };

static const void *raw_of(const struct group *group, const struct config_raw_root *root)
{
	if (!root || !group->key)
		return root;
	return *(const void *const *)((const char *)root + group->raw);
}

/* Fills *config, which is zeroed and to be released whatever this returns. */
static bool fill(struct config_source *source, struct config *config, struct config_error *error)
{
	for (size_t i = 0; i < N_GROUPS; i++) {
		struct config_path path = {.key = groups[i].key};
		struct config_mapping mapping = {
			.settings = groups[i].settings,
			.n_settings = groups[i].n_settings,
			.path = groups[i].key ? &path : NULL,
			.raw = raw_of(&groups[i], source->raw),
			.out = config,
		};

		if (!config_take(source, &mapping, error))
			return false;
	}
	if (!config_services_take_backends(source, config, error) ||
		!config_services_take(source, config, error) ||
		!config_kubernetes_take(source, config, error) ||
		!config_kubernetes_take_replicas(source, config, error) ||
		!config_headers_take(source, config, error))
		return false;
	config->has_socket = config->socket.path || config->socket.host;
	config->has_agent_check = config->agent_check.host;
	return config_rules_check(&source->yaml, config, error);
}

bool config_parse(const char *text, size_t len, config_getenv lookup, void *arg, struct config *out,
	struct config_error *error)
{
	struct config_source source = {.lookup = lookup, .arg = arg};
	struct config config = {0};
	bool good;

	if (!config_yaml_load(text, len, &source.yaml, error))
		return false;
	good = config_shape_check(&source.yaml, config_schema(), error) &&
	       config_schema_load(text, len, &source.raw, error) && fill(&source, &config, error);
	if (good)
		*out = config;
	else
		config_fini(&config);
	config_schema_free(source.raw);
	config_yaml_fini(&source.yaml);
	return good;
}

void config_fini(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < N_GROUPS; i++)
		config_release(groups[i].settings, groups[i].n_settings, config);
	config_services_release(config);
	config_kubernetes_release(config);
	config_headers_release(config);
	*config = (struct config){0};
}
