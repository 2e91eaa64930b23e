/* SPDX-License-Identifier: MIT */
/* HAProxy's answers as structs, for tests of what is made of them. */
#ifndef WSB_TEST_ROWS_H
#define WSB_TEST_ROWS_H

#include <string.h>

#include "core/cluster/cluster.h"
#include "core/haproxy/hastate.h"

/* A server that is up, of weight 100, at 10.0.0.x:80. */
static inline struct hastate_server row_up(const char *name, const char *address, uint32_t scur)
{
	return (struct hastate_server){
		.name = name,
		.address = address,
		.port = 80,
		.fqdn = "",
		.status = "UP",
		.op_state = 2,
		.uweight = 100,
		.iweight = 100,
		.scur = scur,
		.stot = scur,
	};
}

static inline struct hastate_backend row_backend(
	const char *name, const char *algo, struct hastate_server *servers, size_t n)
{
	return (struct hastate_backend){
		.name = name, .algo = algo, .servers = servers, .n_servers = n};
}

/* An answer of the HAProxy process with this pid. */
static inline struct hastate_snapshot row_answer(
	int64_t pid, struct hastate_backend *backends, size_t n)
{
	return (struct hastate_snapshot){
		.info = {.version = "2.6", .pid = pid, .start_time_s = 1000},
		.backends = backends,
		.n_backends = n,
	};
}

static inline struct cluster_settings row_settings(void)
{
	return (struct cluster_settings){
		.replicas = 1, .poll_interval_ms = 1000, .cache_ttl_ms = 30000};
}

static inline struct server *row_find(
	struct cluster *cluster, const char *backend, const char *server)
{
	return cluster_find_server(cluster, backend, strlen(backend), server, strlen(server));
}

/* The pod answers with this count at now_ms. */
static inline void row_hear(struct server *server, uint32_t count, int64_t now_ms)
{
	struct metric metric = {.count = count};

	pod_observe(server->pod, METRIC_OK, &metric, NULL, now_ms);
}

#endif
