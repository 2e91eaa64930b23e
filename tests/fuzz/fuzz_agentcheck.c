/* SPDX-License-Identifier: MIT */
/* Two weights and any bytes as an agent-check: the server that is meant is the one named, and the
 * line that answers makes HAProxy set exactly the weight. */
#include "../unit/rows.h"
#include "core/plan/planner.h"
#include "core/steer/agentcheck.h"
#include "core/steer/percent.h"
#include "fuzz.h"

static const char *const names[] = {"s1", "s10", "s1.a", "web-0", "web-01"};
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

static struct cluster *make_cluster(void)
{
	const struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);
	struct hastate_server servers[N_NAMES];

	for (size_t i = 0; i < N_NAMES; i++)
		servers[i] = row_up(names[i], "10.0.0.1", 0);
	struct hastate_backend backends[] = {row_backend("ws", "leastconn", servers, N_NAMES),
		row_backend("w", "roundrobin", servers, 1)};
	struct hastate_snapshot snapshot = row_answer(1, backends, 2);

	promise(cluster && cluster_update(cluster, &snapshot, 1000, NULL, NULL),
		"memory for a cluster");
	return cluster;
}

/* What HAProxy makes of "N%" (server_parse_weight_change_request in server.c). */
static int haproxy_weight(int iweight, int percent)
{
	int weight = iweight * percent / 100;

	return weight > PLANNER_WEIGHT_MAX ? PLANNER_WEIGHT_MAX : weight;
}

static void check_line(const struct server *server)
{
	char line[AGENTCHECK_SIZE];
	size_t len = agentcheck_write(server, line);
	char *end = line;

	promise(len > 0 && len < AGENTCHECK_SIZE && strlen(line) == len && line[len - 1] == '\n',
		"an answer is one line that fits");
	if (!server || !server->plan.made || server->haproxy.iweight == 0) {
		promise(len == 1, "without a plan the answer is an empty line");
		return;
	}
	long percent = strtol(line, &end, 10);
	promise(end > line && strcmp(end, "%\n") == 0, "an answer is a percentage alone");
	promise(percent >= 0 && haproxy_weight(server->haproxy.iweight, (int)percent) ==
					server->plan.weight,
		"the percentage gives the weight");
}

static void check_weights(struct server *server, int iweight, int wanted)
{
	server->haproxy.iweight = iweight;
	server->plan.made = iweight > 0;
	server->plan.weight = iweight > 0 ? percent_reachable(iweight, wanted) : wanted;
	promise((server->plan.weight == 0) == (wanted == 0) || iweight == 0, "0 is for 0 alone");
	check_line(server);
	server->plan.made = false;
	check_line(server);
	check_line(NULL);
}

/* The id that the bytes say, up to where they end it. */
static bool says(const char *bytes, size_t len, const char *id)
{
	return strlen(id) == len && memcmp(bytes, id, len) == 0;
}

static bool begins_another(const struct cluster *cluster, const struct server *server)
{
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);

	for (size_t b = 0; b < n; b++)
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			if (backends[b]->servers[i] != server &&
				strncmp(backends[b]->servers[i]->id, server->id,
					strlen(server->id)) == 0)
				return true;
	return false;
}

static void check_request(struct cluster *cluster, const char *bytes, size_t size)
{
	char *request = fuzz_copy(bytes, size);
	struct server *server = NULL;
	enum agentcheck_request read = agentcheck_read(cluster, request, size, &server);
	const char *end = size > 0 ? memchr(request, '\n', size) : NULL;
	size_t len = end ? (size_t)(end - request) : size;

	if (end && len > 0 && request[len - 1] == '\r')
		len--;
	promise(!server || says(request, len, server->id), "the server meant is the one named");
	if (end)
		promise(read == AGENTCHECK_COMPLETE, "a line is complete");
	else if (!server)
		promise(read == AGENTCHECK_PARTIAL, "without a name more may come");
	else
		promise((read == AGENTCHECK_MAYBE) == begins_another(cluster, server),
			"a name that begins another may go on");
	free(request);
}

/* In whatever pieces the bytes come: what was decided stands. */
static void check_pieces(struct cluster *cluster, const char *bytes, size_t size)
{
	struct server *decided = NULL;

	for (size_t len = 0; len <= size && len <= AGENTCHECK_REQUEST_MAX; len++) {
		struct server *server = NULL;

		if (agentcheck_read(cluster, bytes, len, &server) != AGENTCHECK_COMPLETE)
			continue;
		promise(!decided || !server || server == decided,
			"no more bytes make it another server");
		decided = decided ? decided : server;
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	if (size < 4)
		return 0;
	struct cluster *cluster = make_cluster();
	int iweight = (data[0] << 8 | data[1]) % (PLANNER_WEIGHT_MAX + 1);
	int wanted = (data[2] << 8 | data[3]) % (PLANNER_WEIGHT_MAX + 1);

	check_request(cluster, (const char *)data + 4, size - 4);
	check_pieces(cluster, (const char *)data + 4, size - 4);
	check_weights(row_find(cluster, "ws", "s1"), iweight, wanted);
	cluster_free(cluster);
	return 0;
}
