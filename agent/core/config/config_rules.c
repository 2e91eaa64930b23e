/* SPDX-License-Identifier: MIT */
/* Rules between keys. */
#include "core/config/config_rules.h"

#include <string.h>
#include <strings.h>

#include "core/base/text.h"

static const struct config_path haproxy = {.key = "haproxy"};
static const struct config_path haproxy_socket = {.up = &haproxy, .key = "socket"};
static const struct config_path haproxy_backends = {.up = &haproxy, .key = "backends"};
static const struct config_path kubernetes = {.key = "kubernetes"};
static const struct config_path services = {.key = "services"};
static const struct config_path poll_timeout = {.key = "pollTimeout"};
static const struct config_path cache_ttl = {.key = "cacheTTL"};
static const struct config_path agent_check = {.key = "agentCheck"};
static const struct config_path agent_check_listen = {.up = &agent_check, .key = "listen"};
static const struct config_path page_path = {.key = "balancerMetricPath"};

/* Where the servers come from: HAProxy, or the file. */
static bool check_servers(
	struct config_yaml *yaml, const struct config *config, struct config_error *error)
{
	if (config->has_socket) {
		return config->n_services == 0 ||
		       config_yaml_fail(yaml, &services, error,
			       "not allowed beside haproxy.socket, which lists the servers: "
			       "remove one of the two");
	}
	if (config->n_services == 0 && !config->has_agent_check)
		return config_yaml_fail(yaml, &haproxy_socket, error,
			"is missing: name HAProxy's stats socket, such as /run/haproxy/admin.sock");
	if (config->n_services == 0)
		return config_yaml_fail(yaml, &services, error,
			"is missing: without haproxy.socket, name the servers here for agentCheck");
	if (!config->has_agent_check)
		return config_yaml_fail(yaml, &agent_check_listen, error,
			"is missing: services without haproxy.socket are steered by agent-check, "
			"so give an address such as 127.0.0.1:9181");
	if (config->n_backends > 0)
		return config_yaml_fail(yaml, &haproxy_backends, error,
			"has no use without haproxy.socket: services names the backends");
	return true;
}

/* Who fills slots needs HAProxy's socket. */
static bool check_kubernetes(
	struct config_yaml *yaml, const struct config *config, struct config_error *error)
{
	if (config->n_kubernetes == 0)
		return true;
	if (!config->has_socket)
		return config_yaml_fail(yaml, &haproxy_socket, error,
			"is missing: kubernetes fills HAProxy's servers over its stats socket, such "
			"as /run/haproxy/admin.sock");
	for (size_t i = 0; i < config->n_kubernetes && config->n_backends > 0; i++) {
		struct config_path path = {.up = &kubernetes, .index = i};
		bool listed = false;

		for (size_t j = 0; j < config->n_backends; j++)
			listed |= strcmp(config->kubernetes[i].backend, config->backends[j]) == 0;
		if (!listed)
			return config_yaml_fail(yaml, &path, error,
				"the backend %s is not in haproxy.backends: add it there",
				config->kubernetes[i].backend);
	}
	return true;
}

static bool check_times(
	struct config_yaml *yaml, const struct config *config, struct config_error *error)
{
	char interval[24];
	char given[24];

	text_format_duration(config->poll_interval_ms, interval, sizeof(interval));
	if (config->poll_timeout_ms > config->poll_interval_ms)
		return config_yaml_fail(yaml, &poll_timeout, error,
			"%s is longer than pollInterval: use at most %s",
			text_format_duration(config->poll_timeout_ms, given, sizeof(given)),
			interval);
	if (config->cache_ttl_ms < config->poll_interval_ms)
		return config_yaml_fail(yaml, &cache_ttl, error,
			"%s is shorter than pollInterval: use at least %s",
			text_format_duration(config->cache_ttl_ms, given, sizeof(given)), interval);
	return true;
}

static bool check_tls(
	struct config_yaml *yaml, const struct config *config, struct config_error *error)
{
	const struct {
		const char *key;
		const char *value;
	} files[] = {
		{"tlsCA", config->tls_ca},
		{"tlsCert", config->tls_cert},
		{"tlsKey", config->tls_key},
		{"tlsServerName", config->tls_server_name},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct config_path path = {.key = files[i].key};

		if (files[i].value && config->metric_scheme != CONFIG_HTTPS)
			return config_yaml_fail(yaml, &path, error,
				"has no use with metricScheme http: use metricScheme: https");
	}
	if (!config->tls_cert != !config->tls_key) {
		struct config_path path = {.key = config->tls_cert ? "tlsCert" : "tlsKey"};

		return config_yaml_fail(yaml, &path, error,
			"needs its other half: give tlsCert and tlsKey, or neither");
	}
	return true;
}

static bool check_listen_tls(
	struct config_yaml *yaml, const struct config *config, struct config_error *error)
{
	struct config_path path = {
		.key = config->listen_tls_cert ? "listenTLSCert" : "listenTLSKey"};

	return !config->listen_tls_cert == !config->listen_tls_key ||
	       config_yaml_fail(yaml, &path, error,
		       "needs its other half: give listenTLSCert and listenTLSKey, or neither");
}

static bool is_everywhere(const char *host)
{
	return strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static bool check_listeners(
	struct config_yaml *yaml, const struct config *config, struct config_error *error)
{
	static const char *const taken[] = {"/metrics", "/healthz", "/readyz", "/startz", "/drain"};

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (strcmp(config->balancer_metric_path, taken[i]) == 0)
			return config_yaml_fail(yaml, &page_path, error,
				"%s is taken: use any path but /metrics, /healthz, /readyz, "
				"/startz and /drain",
				taken[i]);
	}
	if (config->has_agent_check && config->agent_check.port == config->listen.port &&
		(strcasecmp(config->agent_check.host, config->listen.host) == 0 ||
			is_everywhere(config->agent_check.host) ||
			is_everywhere(config->listen.host)))
		return config_yaml_fail(yaml, &agent_check_listen, error,
			"port %u is taken by listen: use another port", config->listen.port);
	return true;
}

bool config_rules_check(
	struct config_yaml *yaml, const struct config *config, struct config_error *error)
{
	return check_servers(yaml, config, error) && check_kubernetes(yaml, config, error) &&
	       check_times(yaml, config, error) && check_tls(yaml, config, error) &&
	       check_listen_tls(yaml, config, error) && check_listeners(yaml, config, error);
}
