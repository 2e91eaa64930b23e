/* SPDX-License-Identifier: MIT */
/* Any bytes as an agent-check's request, in any pieces: never another server than the one that is
 * named. */
#include <stdlib.h>
#include <string.h>

#include "core/answer.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct cluster *cluster_of_names(void)
{
	static const char *const names[] = {"s", "s1", "s10", "s2", "t.x:1"};
	struct hareply_server servers[5];
	struct hareply_backend backends[2] = {
		{.name = "b", .algo = "leastconn", .servers = servers, .n_servers = 5},
		{.name = "be", .algo = "leastconn", .servers = servers, .n_servers = 2},
	};
	struct hareply_snapshot answer = {
		.info = {.pid = 1}, .backends = backends, .n_backends = 2};
	struct cluster_params params = {.replicas = 1, .poll_interval_ms = 1000};
	struct cluster *cluster = cluster_new(&params);

	for (size_t i = 0; i < 5; i++)
		servers[i] = (struct hareply_server){.name = names[i],
			.address = "10.0.0.1",
			.port = 80,
			.fqdn = "",
			.status = "UP",
			.op_state = 2,
			.iweight = 100};
	if (cluster && !cluster_update(cluster, &answer, 1, NULL, NULL))
		abort();
	return cluster;
}

/* The name stands at the beginning, and what follows is the line's end or nothing. */
static bool is_named(const struct server *server, const char *bytes, size_t len)
{
	size_t n = strlen(server->id);

	if (len < n || memcmp(bytes, server->id, n) != 0)
		return false;
	return len == n || bytes[n] == '\n' || (len > n + 1 && memcmp(bytes + n, "\r\n", 2) == 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct cluster *cluster = cluster_of_names();
	struct server *decided = NULL;
	bool complete = false;

	for (size_t len = 1; cluster && len <= size && len <= ANSWER_REQUEST_MAX; len++) {
		struct server *server = (struct server *)cluster;
		enum answer_request request = answer_read(cluster, bytes, len, &server);

		if (server && !is_named(server, bytes, len))
			abort();
		if (request == ANSWER_MAYBE && !server)
			abort();
		/* What was decided stands, whatever comes behind. */
		if (complete && server && server != decided)
			abort();
		if (request == ANSWER_COMPLETE && !complete) {
			complete = true;
			decided = server;
		}
	}
	cluster_free(cluster);
	return 0;
}
