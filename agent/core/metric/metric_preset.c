/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_preset.h"

#include <string.h>

/* clang-format off */
static const struct metric_preset presets[] = {
	{"anycable", METRIC_PROMETHEUS, 0, "/metrics", "anycable_go_clients_num",
		"clients of this node, as of up to five seconds ago (stats_refresh_interval)",
		"AnyCable's instrumentation page", "1.5.0"},
	{"centrifugo", METRIC_PROMETHEUS, 0, "/metrics",
		"centrifugo_client_connections_inflight | centrifugo_node_num_clients",
		"clients of this node; the older name lags (/api/info is the whole cluster)",
		"Centrifugo's metrics page", "6.9.1"},
	{"emqx", METRIC_PROMETHEUS, 18083, "/api/v5/prometheus/stats",
		"emqx_live_connections_count",
		"clients connected to this node (emqx_sessions_count has the absent too)",
		"EMQX's Prometheus page, 5.x", NULL},
	{"jvb", METRIC_JSON, 8080, "/colibri/stats", "local_endpoints",
		"endpoints of this bridge (participants has other bridges' too)",
		"Jitsi Videobridge, doc/statistics.md", NULL},
	{"mercure", METRIC_PROMETHEUS, 0, "/metrics",
		"mercure_subscribers_connected | mercure_subscribers",
		"subscribers of this hub; the second name is that before 0.14.3",
		"Mercure's metrics", "0.18.2"},
	{"nats", METRIC_JSON, 8222, "/varz", "connections", "clients of this server, WebSockets among them",
		"NATS' monitoring page", "2.15.3"},
	{"nginx", METRIC_TEXT, 0, "/stub_status", "Active connections - Waiting",
		"connections that are not idle", "nginx, ngx_http_stub_status_module", "1.22.1"},
	{"signalr", METRIC_PROMETHEUS, 0, "/metrics",
		"signalr_server_active_connections"
		" | microsoft_aspnetcore_http_connections_signalr_server_active_connections",
		"connections of this process; the names are OpenTelemetry's and prometheus-net's",
		".NET 8, Microsoft.AspNetCore.Http.Connections", NULL},
	{"socketio", METRIC_PROMETHEUS, 0, "/metrics", "socket_io_connected",
		"sockets of this process", "socket.io-prometheus", "socket.io 4, prom-client 15.1.3"},
	{"soketi", METRIC_PROMETHEUS, 9601, "/metrics", "soketi_connected",
		"sockets of this process, over its apps", "soketi's Prometheus page", "1.6.1, its metrics alone"},
	{"vernemq", METRIC_JSON, 8888, "/status.json", "[].*.num_online",
		"clients that are connected to this node", "VerneMQ's status page", NULL},
	{"vllm", METRIC_PROMETHEUS, 0, "/metrics",
		"vllm:num_requests_running + vllm:num_requests_waiting",
		"requests that are answered or wait, streams among them", "vLLM's metrics page", NULL},
};
/* clang-format on */

const struct metric_preset *metric_preset_all(size_t *n)
{
	*n = sizeof(presets) / sizeof(presets[0]);
	return presets;
}

const struct metric_preset *metric_preset_find(const char *name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	}
	return NULL;
}
