/* SPDX-License-Identifier: MIT */
/* Every key of the configuration file that has one value: the one list that all else follows. */
#ifndef WSB_CONFIG_KEYS_H
#define WSB_CONFIG_KEYS_H

/*
 * One row a key: X(mapping, "key", member, ...), where member is that of struct config and the rest
 * are fields of struct config_setting. From a row come the raw struct's member, libcyaml's schema,
 * the default, the conversion and the release. A new key needs its row, its member in struct
 * config, and a place in the example file and the man page, which tests ask for. A new mapping
 * needs a list here, its raw struct and its schema in config_schema, and a line in config.c.
 */

/* clang-format off */
#define CONFIG_KEYS_ROOT(X) \
	X(root, "metricPath", metric_path, .kind = &config_kind_target, .fallback = "/metric") \
	X(root, "metricKey", metric_key, .kind = &config_kind_json_path, \
		.fallback = "agentsConnections") \
	X(root, "metricPort", metric_port, .kind = &config_kind_port, .fallback = "0", .max = 65535) \
	X(root, "metricScheme", metric_scheme, .kind = &config_kind_choice, .fallback = "http", \
		.choices = "http https") \
	X(root, "pollInterval", poll_interval_ms, .kind = &config_kind_duration, .fallback = "1s", \
		.min = 100, .max = 3600000) \
	X(root, "pollTimeout", poll_timeout_ms, .kind = &config_kind_duration, .fallback = "500ms", \
		.min = 10, .max = 3600000) \
	X(root, "cacheTTL", cache_ttl_ms, .kind = &config_kind_duration, .fallback = "30s", \
		.min = 100, .max = 86400000, .bare_seconds = true) \
	X(root, "ramp", ramp_ms, .kind = &config_kind_duration, .fallback = "0s", \
		.max = 86400000) \
	X(root, "maxShare", max_share, .kind = &config_kind_share, .fallback = "1") \
	X(root, "tlsVerify", tls_verify, .kind = &config_kind_bool, .fallback = "true") \
	X(root, "tlsCA", tls_ca, .kind = &config_kind_file) \
	X(root, "tlsCert", tls_cert, .kind = &config_kind_file) \
	X(root, "tlsKey", tls_key, .kind = &config_kind_file) \
	X(root, "tlsServerName", tls_server_name, .kind = &config_kind_host) \
	X(root, "listen", listen, .kind = &config_kind_listen, .fallback = "127.0.0.1:9180") \
	X(root, "drainDelay", drain_delay_ms, .kind = &config_kind_duration, .fallback = "15s", \
		.max = 3600000) \
	X(root, "balancerMetricPath", balancer_metric_path, .kind = &config_kind_page, \
		.fallback = "/balancer-metrics") \
	X(root, "listenTokenFile", listen_token_file, .kind = &config_kind_file) \
	X(root, "listenTLSCert", listen_tls_cert, .kind = &config_kind_file) \
	X(root, "listenTLSKey", listen_tls_key, .kind = &config_kind_file) \
	X(root, "record", record, .kind = &config_kind_file) \
	X(root, "recordMaxSize", record_max_bytes, .kind = &config_kind_size, \
		.fallback = "64MiB", .min = 1048576, .max = 1099511627776)

/* And haproxy.replicas, which has two shapes: see config_kubernetes. */
#define CONFIG_KEYS_HAPROXY(X) \
	X(haproxy, "socket", socket, .kind = &config_kind_socket)

#define CONFIG_KEYS_AGENT_CHECK(X) \
	X(agent_check, "listen", agent_check, .kind = &config_kind_listen, .required = true, \
		.example = "127.0.0.1:9181")

#define CONFIG_KEYS_LOG(X) \
	X(log, "level", log_level, .kind = &config_kind_choice, .fallback = "info", \
		.choices = "error warn info debug") \
	X(log, "format", log_format, .kind = &config_kind_choice, .fallback = "text", \
		.choices = "text json")

#define CONFIG_KEYS_KUBERNETES_API(X) \
	X(kubernetes_api, "server", kube_server, .kind = &config_kind_url) \
	X(kubernetes_api, "tokenFile", kube_token_file, .kind = &config_kind_file) \
	X(kubernetes_api, "caFile", kube_ca_file, .kind = &config_kind_file) \
	X(kubernetes_api, "silence", kube_silence_ms, .kind = &config_kind_duration, \
		.fallback = "4m", .min = 1000, .max = 3600000)

/* Of an entry of kubernetes, into struct config_kubernetes. */
#define CONFIG_KEYS_KUBERNETES(X) \
	X(kubernetes, "service", service, .kind = &config_kind_service, .required = true, \
		.example = "web") \
	X(kubernetes, "namespace", namespace, .kind = &config_kind_label) \
	X(kubernetes, "backend", backend, .kind = &config_kind_name) \
	X(kubernetes, "serverOptions", server_options, .kind = &config_kind_options, \
		.fallback = "check")

/* Of an entry of services, into struct config_service. */
#define CONFIG_KEYS_SERVICE(X) \
	X(service, "name", name, .kind = &config_kind_name, .required = true, .example = "ws")

/* Of an entry of its servers, into struct config_server. */
#define CONFIG_KEYS_SERVER(X) \
	X(server, "name", name, .kind = &config_kind_name, .required = true, .example = "ws1") \
	X(server, "address", address, .kind = &config_kind_connect, .required = true, \
		.example = "10.0.0.1:8080") \
	X(server, "weight", weight, .kind = &config_kind_weight, .fallback = "100", \
		.min = 1, .max = 256)
/* clang-format on */

#endif
