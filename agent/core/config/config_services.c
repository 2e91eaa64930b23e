/* SPDX-License-Identifier: MIT */
/* Backends, services and their servers. */
#include "core/config/config_services.h"

#include <stdlib.h>
#include <string.h>

#define SETTING(target, mapping_, key_, member_, ...)                   \
	{.key = (key_),                                                 \
		.raw = offsetof(struct config_raw_##mapping_, member_), \
		.out = offsetof(struct target, member_),                \
		.size = sizeof(((struct target *)NULL)->member_),       \
		__VA_ARGS__},
#define SERVICE_SETTING(...) SETTING(config_service, __VA_ARGS__)
#define SERVER_SETTING(...)  SETTING(config_server, __VA_ARGS__)

static const struct config_setting service_settings[] = {CONFIG_KEYS_SERVICE(SERVICE_SETTING)};
static const struct config_setting server_settings[] = {CONFIG_KEYS_SERVER(SERVER_SETTING)};
static const struct config_setting backend_setting = {.kind = &config_kind_name};

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct config_path haproxy_path = {.key = "haproxy"};
static const struct config_path backends_path = {.up = &haproxy_path, .key = "backends"};
static const struct config_path services_path = {.key = "services"};

static bool fail_memory(struct config_source *source, struct config_error *error)
{
	return config_yaml_fail(&source->yaml, NULL, error, "out of memory");
}

bool config_services_take_backends(
	struct config_source *source, struct config *config, struct config_error *error)
{
	const struct config_raw_haproxy *raw = source->raw ? source->raw->haproxy : NULL;

	if (!raw || raw->n_backends == 0)
		return true;
	config->backends = calloc(raw->n_backends, sizeof(*config->backends));
	if (!config->backends)
		return fail_memory(source, error);
	for (unsigned i = 0; i < raw->n_backends; i++) {
		struct config_path path = {.up = &backends_path, .index = i};

		config->n_backends++;
		if (!config_take_text(source, &backend_setting, &path, raw->backends[i],
			    &config->backends[i], error))
			return false;
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(config->backends[i], config->backends[j]) == 0)
				return config_yaml_fail(&source->yaml, &path, error,
					"the backend %s stands twice: keep one of them",
					config->backends[i]);
		}
	}
	return true;
}

static bool take_servers(struct config_source *source, const struct config_raw_service *raw,
	const struct config_path *path, struct config_service *service, struct config_error *error)
{
	struct config_path list = {.up = path, .key = "servers"};

	if (raw->n_servers == 0)
		return config_yaml_fail(&source->yaml, &list, error,
			"is missing: name each server of the backend as in haproxy.cfg, such as "
			"'- {name: ws1, address: 10.0.0.1:8080}'");
	service->servers = calloc(raw->n_servers, sizeof(*service->servers));
	if (!service->servers)
		return fail_memory(source, error);
	for (unsigned i = 0; i < raw->n_servers; i++) {
		struct config_path here = {.up = &list, .index = i};
		struct config_mapping mapping = {.settings = server_settings,
			.n_settings = N_OF(server_settings),
			.path = &here,
			.raw = &raw->servers[i],
			.out = &service->servers[i]};

		service->n_servers++;
		if (!config_take(source, &mapping, error))
			return false;
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(service->servers[i].name, service->servers[j].name) == 0)
				return config_yaml_fail(&source->yaml, &here, error,
					"the server %s stands twice: keep one of them",
					service->servers[i].name);
		}
	}
	return true;
}

bool config_services_take(
	struct config_source *source, struct config *config, struct config_error *error)
{
	unsigned n = source->raw ? source->raw->n_services : 0;

	if (n == 0)
		return true;
	config->services = calloc(n, sizeof(*config->services));
	if (!config->services)
		return fail_memory(source, error);
	for (unsigned i = 0; i < n; i++) {
		struct config_path path = {.up = &services_path, .index = i};
		const struct config_raw_service *raw = &source->raw->services[i];
		struct config_service *service = &config->services[i];
		struct config_mapping mapping = {.settings = service_settings,
			.n_settings = N_OF(service_settings),
			.path = &path,
			.raw = raw,
			.out = service};

		config->n_services++;
		if (!config_take(source, &mapping, error) ||
			!take_servers(source, raw, &path, service, error))
			return false;
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(service->name, config->services[j].name) == 0)
				return config_yaml_fail(&source->yaml, &path, error,
					"the service %s stands twice: put its servers into one",
					service->name);
		}
	}
	return true;
}

void config_services_release(struct config *config)
{
	for (size_t i = 0; i < config->n_backends; i++)
		free(config->backends[i]);
	free(config->backends);
	for (size_t i = 0; i < config->n_services; i++) {
		struct config_service *service = &config->services[i];

		for (size_t j = 0; j < service->n_servers; j++)
			config_release(
				server_settings, N_OF(server_settings), &service->servers[j]);
		free(service->servers);
		config_release(service_settings, N_OF(service_settings), service);
	}
	free(config->services);
}
