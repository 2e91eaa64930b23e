/* SPDX-License-Identifier: MIT */
/* What the configuration file says, once it is read and checked (config_parse). */
#ifndef WSB_CONFIG_H
#define WSB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/metric/metric_query.h"

/*
 * Every key has a default but haproxy.socket, which only agent-check alone can do without (then
 * services names the servers). agent/etc/wsbalancer.yaml shows each key at its default; the man
 * page wsbalancer.yaml(5) explains them.
 */

/* Where to listen or connect: one of a path, or host and port. */
struct config_endpoint {
	char *path;    /* a Unix socket's path, or NULL */
	char *host;    /* an address or a name, without brackets; "*" for all; NULL with path */
	uint16_t port; /* 1..65535; 0 with path */
};

/* Choices that may be left unset begin at 1. */
enum config_scheme { CONFIG_SCHEME_UNSET, CONFIG_HTTP, CONFIG_HTTPS };
enum config_metric_format {
	CONFIG_FORMAT_UNSET,
	CONFIG_JSON,
	CONFIG_PROMETHEUS,
	CONFIG_TEXT,
};
enum config_metric_proxy { CONFIG_PROXY_UNSET, CONFIG_PROXY_OFF, CONFIG_PROXY_V1 };
enum config_truth { CONFIG_TRUTH_UNSET, CONFIG_FALSE, CONFIG_TRUE };
enum config_log_level { CONFIG_LOG_ERROR, CONFIG_LOG_WARN, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG };
enum config_log_format { CONFIG_LOG_TEXT, CONFIG_LOG_JSON };

/* A request header sent to every pod: exactly one of value and file is set. */
struct config_header {
	char *name;
	char *value;
	char *file; /* its first line is the value, read anew when the file changes */
};

/* How pods are asked. In a configuration that was parsed all of it is set: what a backend leaves
 * out is as its preset or the top level says, or at its default. */
struct config_metric {
	char *preset; /* one of metric_preset.h, or NULL */
	enum config_metric_format format;
	char *path;         /* begins with / */
	char *key;          /* see metric_key.h */
	char *draining_key; /* "": none */
	char *capacity_key; /* "": none */
	int port;           /* CONFIG_OWN_PORT: the server's own */
	enum config_scheme scheme;
	enum config_metric_proxy proxy;
	uint64_t max_bytes; /* of an answer; 0: the format's own limit */
	struct config_header *headers;
	size_t n_headers;
	enum config_truth tls_verify;
	char *tls_ca;          /* PEM file, or NULL for the system's */
	char *tls_cert;        /* PEM file, or NULL; with tls_key */
	char *tls_key;         /* PEM file, or NULL; with tls_cert */
	char *tls_server_name; /* verified in place of the address, or NULL */

	struct metric_query query; /* what the keys mean */
};

enum { CONFIG_OWN_PORT = -1 };

/* An entry of haproxy.backends. */
struct config_backend {
	char *name; /* a backend's name, or a pattern with * */
	struct config_metric metric;
};

/* A server named in the file, for agent-check without a Runtime API socket. */
struct config_server {
	char *name;
	struct config_endpoint address; /* host and port */
	int weight;                     /* the weight in haproxy.cfg, 1..256 */
};

struct config_service {
	char *name; /* HAProxy's backend */
	struct config_server *servers;
	size_t n_servers;
	struct config_metric metric;
};

struct config_kubernetes_service {
	char *name; /* a DNS label */
	char *port; /* its port's name, or the number that pods listen on; NULL: the first */
};

/* A Service in Kubernetes whose pods fill a backend's server slots. */
struct config_kubernetes {
	struct config_kubernetes_service service;
	char *namespace;      /* NULL: the agent's own */
	char *backend;        /* in HAProxy; the Service's name unless the file says otherwise */
	char *server_options; /* of servers that are added when all slots are taken */
};

enum {
	CONFIG_AUTO_MS = 1000,        /* pollInterval: auto asks at least so often */
	CONFIG_POLL_TIMEOUT_MS = 500, /* pollTimeout: auto, where pollInterval is no shorter */
};

struct config {
	bool has_socket;
	struct config_endpoint socket;
	unsigned replicas;      /* 1..1000; with replicas_service, until that is known */
	char *replicas_service; /* HAProxy's own Service in Kubernetes, whose pods are counted; or
				   NULL */
	struct config_backend *backends; /* empty: every HTTP backend that can be steered */
	size_t n_backends;
	bool reload_certificates; /* read renewed certificates and keys, and give them to HAProxy */

	struct config_service *services;
	size_t n_services;

	struct config_metric metric; /* of backends without settings of their own */
	int64_t poll_interval_ms;    /* 100 ms..1 h; 0: auto, at most CONFIG_AUTO_MS */
	int64_t poll_timeout_ms; /* 10 ms..pollInterval; of auto half a second, or pollInterval */
	int64_t cache_ttl_ms;    /* pollInterval..24 h */

	int64_t ramp_ms;       /* 0..24 h; see struct planner_params */
	double max_share;      /* above 0, at most 1: no limit */
	unsigned capacity_max; /* medians, see capacity_settle() */

	struct config_endpoint listen;
	char **listen_names; /* hosts that may be asked for there, beside addresses and localhost */
	size_t n_listen_names;
	char **peers; /* pages of the other instances, for links */
	size_t n_peers;
	char *listen_token_file;    /* its one word is asked for, or NULL */
	char *listen_tls_cert;      /* PEM file, or NULL; with listen_tls_key */
	char *listen_tls_key;       /* PEM file, or NULL; with listen_tls_cert */
	char *balancer_metric_path; /* begins with / */
	char *drain_file;           /* made by who asks for a drain, or NULL */
	int64_t drain_delay_ms;     /* 0..1 h; 0: hooks are answered at once */
	int64_t close_over_ms;      /* 0..24 h; 0: no WebSocket is closed */
	unsigned close_rate;        /* the most a second; 0: any number */

	char *record;              /* where the rounds are written, or NULL */
	uint64_t record_max_bytes; /* 1 MiB..1 TiB */

	struct config_kubernetes *kubernetes;
	size_t n_kubernetes;
	char *kube_server;     /* "https://host:port", or NULL for what a pod is given */
	char *kube_token_file; /* or NULL, as above */
	char *kube_ca_file;    /* PEM, or NULL, as above */
	int64_t kube_silence_ms;

	bool has_agent_check;
	struct config_endpoint agent_check;

	bool sandbox; /* give up what is never needed */

	enum config_log_level log_level;
	enum config_log_format log_format;
};

/* Frees what *config owns; takes NULL and a zeroed struct. */
void config_fini(struct config *config);

#endif
