/* SPDX-License-Identifier: MIT */
#include "core/config/config_keys.h"

#include "core/config/config.h"
#include "core/config/config_complete.h"
#include "core/config/config_value.h"

enum {
	HEADERS_MAX = 64,
	BACKENDS_MAX = 1000,
	NAMES_MAX = 100,
	KUBERNETES_MAX = 256,
	SERVICES_MAX = 256,
	SERVERS_MAX = 4096,
};

/* A row's value IS of a kind and goes to a member; a list's entries go to an array. */
#define IS(kind_, type, member)                                            \
	.kind = &config_kind_##kind_, .at = offsetof(struct type, member), \
	.size = sizeof(((struct type *)NULL)->member)
#define LIST(list_, type, member, count)                       \
	.list = &(list_), .at = offsetof(struct type, member), \
	.count_at = offsetof(struct type, count)

#define KEYS(rows)    .keys = (rows), .n_keys = sizeof(rows) / sizeof((rows)[0])
#define ENTRIES(rows) .entries = (rows), .n_entries = sizeof(rows) / sizeof((rows)[0])

/* clang-format off */

/* ---- listenNames ---- */

static const struct config_key name_entries[] = {
	{.kind = &config_kind_host, .size = sizeof(char *)},
};

static const struct config_unique name_unique = {.what = "name", .any_case = true};

static const struct config_list names = {ENTRIES(name_entries), .max = NAMES_MAX,
	.entry_size = sizeof(char *), .unique = &name_unique};

/* ---- peers ---- */

static const struct config_key peer_entries[] = {
	{.kind = &config_kind_link, .size = sizeof(char *)},
};

static const struct config_list peers = {ENTRIES(peer_entries), .max = NAMES_MAX,
	.entry_size = sizeof(char *)};

/* ---- metricHeaders ---- */

static const struct config_key header_name = {IS(header_name, config_header, name)};

static const struct config_key header_file_keys[] = {
	{.key = "file", IS(file, config_header, file), .required = true,
		.example = "/run/secrets/token"},
};

static const struct config_mapping header_file = {KEYS(header_file_keys)};

static const struct config_key header_entries[] = {
	{IS(header_value, config_header, value)},
	{.mapping = &header_file, .example = "'file: /run/secrets/token'"},
};

static const struct config_unique header_unique = {.at = offsetof(struct config_header, name),
	.what = "header", .any_case = true};

static const struct config_list headers = {ENTRIES(header_entries), .max = HEADERS_MAX,
	.entry_size = sizeof(struct config_header), .name = &header_name,
	.unique = &header_unique};

/* ---- how pods are asked ---- */

/* The same keys at the top and of a backend. None has a default here: config_metrics knows what is
 * unset, and what that means. */
#define METRIC_KEYS(type) \
	{.key = "preset", IS(preset, type, metric.preset)}, \
	{.key = "metricFormat", IS(optional, type, metric.format), \
		.choices = "json prometheus text"}, \
	{.key = "metricPath", IS(target, type, metric.path), .example = "/metric"}, \
	{.key = "metricKey", IS(metric_key, type, metric.key)}, \
	{.key = "drainingKey", IS(metric_key, type, metric.draining_key)}, \
	{.key = "capacityKey", IS(metric_key, type, metric.capacity_key)}, \
	{.key = "metricPort", IS(own_port, type, metric.port), .max = 65535}, \
	{.key = "metricScheme", IS(optional, type, metric.scheme), .choices = "http https"}, \
	{.key = "metricProxy", IS(optional, type, metric.proxy), .choices = "off v1"}, \
	{.key = "metricMaxSize", IS(size, type, metric.max_bytes), .example = "4MiB", \
		.min = 1024, .max = 67108864}, \
	{.key = "metricHeaders", LIST(headers, type, metric.headers, metric.n_headers), \
		.example = "'X-Api-Key: secret'"}, \
	{.key = "tlsVerify", IS(truth, type, metric.tls_verify)}, \
	{.key = "tlsCA", IS(file, type, metric.tls_ca)}, \
	{.key = "tlsCert", IS(file, type, metric.tls_cert)}, \
	{.key = "tlsKey", IS(file, type, metric.tls_key)}, \
	{.key = "tlsServerName", IS(host, type, metric.tls_server_name)}

/* ---- haproxy ---- */

static const struct config_key replicas_keys[] = {
	{.key = "service", IS(label, config, replicas_service), .required = true,
		.example = "haproxy"},
};

static const struct config_mapping replicas = {KEYS(replicas_keys)};

static const struct config_key backend_keys[] = {
	{.key = "name", IS(pattern, config_backend, name), .required = true, .example = "chat"},
	METRIC_KEYS(config_backend),
};

static const struct config_mapping backend = {KEYS(backend_keys)};

static const struct config_key backend_entries[] = {
	{IS(pattern, config_backend, name)},
	{.mapping = &backend, .example = "{name: chat, metricPath: /stats}"},
};

static const struct config_unique backend_unique = {
	.at = offsetof(struct config_backend, name), .what = "backend"};

static const struct config_list backends = {ENTRIES(backend_entries), .max = BACKENDS_MAX,
	.entry_size = sizeof(struct config_backend), .unique = &backend_unique};

static const struct config_key haproxy_keys[] = {
	{.key = "socket", IS(socket, config, socket)},
	{.key = "replicas", IS(unsigned, config, replicas), .fallback = "1", .min = 1, .max = 1000},
	{.key = "replicas", .mapping = &replicas, .example = "'service: haproxy'"},
	{.key = "backends", LIST(backends, config, backends, n_backends), .example = "[a, b]"},
	{.key = "reloadCertificates", IS(bool, config, reload_certificates), .fallback = "false"},
};

static const struct config_mapping haproxy = {KEYS(haproxy_keys)};

/* ---- agentCheck, log, kubernetesAPI ---- */

static const struct config_key agent_check_keys[] = {
	{.key = "listen", IS(listen, config, agent_check), .required = true,
		.example = "127.0.0.1:9181"},
};

static const struct config_mapping agent_check = {KEYS(agent_check_keys)};

static const struct config_key log_keys[] = {
	{.key = "level", IS(choice, config, log_level), .fallback = "info",
		.choices = "error warn info debug"},
	{.key = "format", IS(choice, config, log_format), .fallback = "text",
		.choices = "text json"},
};

static const struct config_mapping logging = {KEYS(log_keys)};

static const struct config_key kubernetes_api_keys[] = {
	{.key = "server", IS(url, config, kube_server)},
	{.key = "tokenFile", IS(file, config, kube_token_file)},
	{.key = "caFile", IS(file, config, kube_ca_file)},
	{.key = "silence", IS(duration, config, kube_silence_ms), .fallback = "4m", .min = 1000,
		.max = 3600000},
};

static const struct config_mapping kubernetes_api = {KEYS(kubernetes_api_keys)};

/* ---- kubernetes ---- */

static const struct config_key kubernetes_keys[] = {
	{.key = "service", IS(service, config_kubernetes, service), .required = true,
		.example = "web"},
	{.key = "namespace", IS(label, config_kubernetes, namespace)},
	{.key = "backend", IS(name, config_kubernetes, backend)},
	{.key = "serverOptions", IS(options, config_kubernetes, server_options),
		.fallback = "check"},
};

static const struct config_mapping kubernetes_mapping = {KEYS(kubernetes_keys),
	.complete = config_complete_kubernetes};

static const struct config_key kubernetes_entries[] = {
	{.mapping = &kubernetes_mapping, .example = "'service: web'"},
};

static const struct config_unique kubernetes_unique = {
	.at = offsetof(struct config_kubernetes, backend), .what = "backend",
	.advice = "a backend has the pods of one Service"};

static const struct config_list kubernetes = {ENTRIES(kubernetes_entries), .max = KUBERNETES_MAX,
	.entry_size = sizeof(struct config_kubernetes), .unique = &kubernetes_unique};

/* ---- services ---- */

static const struct config_key server_keys[] = {
	{.key = "name", IS(name, config_server, name), .required = true, .example = "ws1"},
	{.key = "address", IS(connect, config_server, address), .required = true,
		.example = "10.0.0.1:8080"},
	{.key = "weight", IS(weight, config_server, weight), .fallback = "100", .min = 1,
		.max = 256},
};

static const struct config_mapping server = {KEYS(server_keys)};

static const struct config_key server_entries[] = {
	{.mapping = &server, .example = "'name: ws1'"},
};

static const struct config_unique server_unique = {.at = offsetof(struct config_server, name),
	.what = "server"};

static const struct config_list servers = {ENTRIES(server_entries), .max = SERVERS_MAX,
	.entry_size = sizeof(struct config_server), .unique = &server_unique};

static const struct config_key service_keys[] = {
	{.key = "name", IS(name, config_service, name), .required = true, .example = "ws"},
	{.key = "servers", LIST(servers, config_service, servers, n_servers), .required = true,
		.example = "[{name: ws1, address: 10.0.0.1:8080}]"},
	METRIC_KEYS(config_service),
};

static const struct config_mapping service = {KEYS(service_keys)};

static const struct config_key service_entries[] = {
	{.mapping = &service, .example = "'name: ws'"},
	/* The Traefik plugin's services are URLs: the likeliest thing to be pasted here. */
	{.kind = &config_kind_traefik_url},
};

static const struct config_unique service_unique = {.at = offsetof(struct config_service, name),
	.what = "service", .advice = "put its servers into one entry"};

static const struct config_list services = {ENTRIES(service_entries), .max = SERVICES_MAX,
	.entry_size = sizeof(struct config_service), .unique = &service_unique};

/* ---- the file ---- */

static const struct config_key root_keys[] = {
	{.key = "haproxy", .mapping = &haproxy, .example = "'socket: /run/haproxy/admin.sock'"},
	METRIC_KEYS(config),
	{.key = "pollInterval", IS(duration, config, poll_interval_ms), .fallback = "auto",
		.automatic = true, .example = "1s", .min = 100, .max = 3600000},
	{.key = "pollTimeout", IS(duration, config, poll_timeout_ms), .fallback = "auto",
		.automatic = true, .example = "500ms", .min = 10, .max = 3600000},
	{.key = "cacheTTL", IS(duration, config, cache_ttl_ms), .fallback = "30s", .min = 100,
		.max = 86400000, .bare_seconds = true},
	{.key = "ramp", IS(duration, config, ramp_ms), .fallback = "0s", .max = 86400000},
	{.key = "maxShare", IS(share, config, max_share), .fallback = "1"},
	{.key = "capacityMax", IS(unsigned, config, capacity_max), .fallback = "16", .min = 1,
		.max = 1000000},
	{.key = "listen", IS(listen, config, listen), .fallback = "127.0.0.1:9180"},
	{.key = "drainDelay", IS(duration, config, drain_delay_ms), .fallback = "15s",
		.max = 3600000},
	{.key = "closeOver", IS(duration, config, close_over_ms), .fallback = "0s", .max = 86400000},
	{.key = "closeRate", IS(unsigned, config, close_rate), .fallback = "0", .max = 1000000},
	{.key = "drainFile", IS(file, config, drain_file)},
	{.key = "balancerMetricPath", IS(page, config, balancer_metric_path),
		.fallback = "/balancer-metrics"},
	{.key = "listenNames", LIST(names, config, listen_names, n_listen_names),
		.example = "[balancer.example.com]"},
	{.key = "peers", LIST(peers, config, peers, n_peers),
		.example = "[http://10.0.0.2:9180/balancer-metrics]"},
	{.key = "listenTokenFile", IS(file, config, listen_token_file)},
	{.key = "listenTLSCert", IS(file, config, listen_tls_cert)},
	{.key = "listenTLSKey", IS(file, config, listen_tls_key)},
	{.key = "record", IS(file, config, record)},
	{.key = "recordMaxSize", IS(size, config, record_max_bytes), .fallback = "64MiB",
		.min = 1048576, .max = 1099511627776},
	{.key = "sandbox", IS(bool, config, sandbox), .fallback = "true"},
	{.key = "agentCheck", .mapping = &agent_check, .example = "'listen: 127.0.0.1:9181'"},
	{.key = "log", .mapping = &logging, .example = "'level: info'"},
	{.key = "kubernetes", LIST(kubernetes, config, kubernetes, n_kubernetes),
		.example = "[{service: web}]"},
	{.key = "kubernetesAPI", .mapping = &kubernetes_api, .example = "'silence: 4m'"},
	{.key = "services", LIST(services, config, services, n_services),
		.example = "[{name: ws, servers: [...]}]"},
};

/* clang-format on */

const struct config_mapping config_keys = {KEYS(root_keys), .complete = config_complete_root};

enum config_shape config_keys_shape(const struct config_key *row)
{
	if (row->kind)
		return CONFIG_VALUE;
	return row->mapping || row->list->name ? CONFIG_MAPPING : CONFIG_LIST;
}
