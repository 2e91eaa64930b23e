/* SPDX-License-Identifier: MIT */
/* Rules between keys. */
#include "core/config/config_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/text.h"

struct rules {
	const struct config_node *root;
	const struct config *config;
	struct config_mistakes *mistakes;
};

/* A mistake of the key that path names, which need not be in the file. Always returns false. */
__attribute__((format(printf, 3, 4))) static bool fail(
	const struct rules *rules, const char *path, const char *format, ...)
{
	struct why why;
	char message[384];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	why_set_line(&why, config_yaml_line(rules->root, path), "%s: %s", path, message);
	return config_mistakes_add(rules->mistakes, &why);
}

/* Where the servers come from: HAProxy, or the file. */
static bool check_servers(const struct rules *rules)
{
	const struct config *config = rules->config;

	if (config->has_socket) {
		return config->n_services == 0 ||
		       fail(rules, "services",
			       "not allowed together with haproxy.socket, which lists the servers: "
			       "remove one of the two");
	}
	if (config->n_services == 0 && !config->has_agent_check)
		return fail(rules, "haproxy.socket",
			"missing: set HAProxy's stats socket, such as /run/haproxy/admin.sock");
	if (config->n_services == 0)
		return fail(rules, "services",
			"missing: without haproxy.socket, list the servers for agentCheck here");
	if (!config->has_agent_check) {
		return fail(rules, "agentCheck.listen",
			"missing: without haproxy.socket, services are steered by agent-check: set "
			"an address such as 127.0.0.1:9181");
	}
	if (config->n_backends > 0)
		return fail(rules, "haproxy.backends",
			"no effect without haproxy.socket: services names the backends");
	return true;
}

static bool is_listed(const struct config *config, const char *backend)
{
	for (size_t i = 0; i < config->n_backends; i++) {
		if (text_matches(config->backends[i].name, backend))
			return true;
	}
	return config->n_backends == 0;
}

/* Who fills slots needs HAProxy's socket. */
static bool check_kubernetes(const struct rules *rules)
{
	const struct config *config = rules->config;
	bool ok = true;

	if (config->n_kubernetes > 0 && !config->has_socket) {
		return fail(rules, "haproxy.socket",
			"missing: kubernetes fills HAProxy's servers through its stats socket, "
			"such as /run/haproxy/admin.sock");
	}
	for (size_t i = 0; i < config->n_kubernetes; i++) {
		const char *backend = config->kubernetes[i].backend;
		char path[40];

		snprintf(path, sizeof(path), "kubernetes[%zu]", i);
		if (!is_listed(config, backend))
			ok = fail(rules, path,
				"backend %s is not in haproxy.backends: add it there", backend);
	}
	return ok;
}

/* pollTimeout <= pollInterval <= cacheTTL, where auto is the longest that it may become. Of a key
 * that is not in the file its default is told. */
static void check_times(const struct rules *rules)
{
	const struct config *config = rules->config;
	int64_t interval_ms =
		config->poll_interval_ms > 0 ? config->poll_interval_ms : CONFIG_AUTO_MS;
	char interval[24];
	char other[24];

	text_format_duration(interval_ms, interval, sizeof(interval));
	/* Not by default: it is no longer than the interval. */
	if (config->poll_timeout_ms > interval_ms) {
		text_format_duration(config->poll_timeout_ms, other, sizeof(other));
		fail(rules, "pollTimeout", "%s is longer than pollInterval: use at most %s", other,
			interval);
	}
	if (config->cache_ttl_ms < interval_ms) {
		text_format_duration(config->cache_ttl_ms, other, sizeof(other));
		if (config_yaml_get(rules->root, "cacheTTL")) {
			fail(rules, "cacheTTL", "%s is shorter than pollInterval: use at least %s",
				other, interval);
		} else {
			fail(rules, "pollInterval",
				"%s is longer than cacheTTL, by default %s: set cacheTTL too",
				interval, other);
		}
	}
}

/* A certificate is of no use without its key, nor a key without its certificate. */
static bool check_pair(const struct rules *rules, const char *cert_key, const char *cert,
	const char *key_key, const char *key)
{
	return !cert == !key || fail(rules, cert ? cert_key : key_key,
					"set both %s and %s, or neither", cert_key, key_key);
}

static bool is_everywhere(const char *host)
{
	return strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static bool check_listeners(const struct rules *rules)
{
	static const char *const reserved[] = {
		"/metrics", "/healthz", "/readyz", "/startz", "/drain"};
	const struct config *config = rules->config;
	const struct config_endpoint *page = &config->listen;
	const struct config_endpoint *check = &config->agent_check;
	bool ok = true;

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strcmp(config->balancer_metric_path, reserved[i]) == 0) {
			ok = fail(rules, "balancerMetricPath",
				"%s is reserved: use any path but /metrics, /healthz, /readyz, "
				"/startz and /drain",
				reserved[i]);
		}
	}
	if (config->has_agent_check && check->port == page->port &&
		(strcasecmp(check->host, page->host) == 0 || is_everywhere(check->host) ||
			is_everywhere(page->host)))
		ok = fail(rules, "agentCheck.listen",
			"port %u is already used by listen: use another port", page->port);
	return ok;
}

/* Headers may be secrets, and other backends of HAProxy's lead to other people's servers. */
static void check_headers(const struct rules *rules)
{
	const struct config *config = rules->config;
	bool any = config->metric.n_headers > 0;

	for (size_t i = 0; i < config->n_backends; i++) {
		if (strcmp(config->backends[i].name, "*") != 0)
			return;
		any = any || config->backends[i].metric.n_headers > 0;
	}
	if (any && config->n_kubernetes == 0 && config->n_services == 0) {
		fail(rules, "metricHeaders",
			"would go to the servers of every backend: name those that may have them, "
			"as in haproxy.backends: [ws]");
	}
}

void config_rules_check(const struct config_node *root, const struct config *config,
	struct config_mistakes *mistakes)
{
	const struct rules rules = {.root = root, .config = config, .mistakes = mistakes};

	/* Without the socket one complaint about it is enough. */
	if (check_servers(&rules) || config->has_socket)
		check_kubernetes(&rules);
	check_headers(&rules);
	check_times(&rules);
	check_pair(&rules, "listenTLSCert", config->listen_tls_cert, "listenTLSKey",
		config->listen_tls_key);
	check_listeners(&rules);
}
