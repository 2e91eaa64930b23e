/* SPDX-License-Identifier: MIT */
/* Any bytes as HAProxy's answers, one after the other with a zero byte between them: what is taken
 * is taken whole, and what comes out are commands that HAProxy reads as meant. */
#include <stdlib.h>
#include <string.h>

#include "core/answer.h"
#include "core/reconcile.h"
#include "core/steer.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void hear(struct pod *pod, void *arg)
{
	struct metric metric = {.count = pod->port, .draining = pod->port % 7 == 0};
	const int64_t *now_ms = arg;

	if (pod->wanted)
		pod_observe(pod, METRIC_OK, &metric, NULL, *now_ms + pod->port % 2000);
}

static void check_server(const struct server *server)
{
	char line[ANSWER_SIZE];

	if (server->planned && (server->weight < 0 || server->weight > 256 || !server->pod ||
				       server->state != SERVER_STEERED))
		abort();
	if (answer_write(server, line) != strlen(line))
		abort();
}

/* A line is at most so long, ends in its only newline, and has as many commands as it should. */
static size_t check_line(const char *line)
{
	size_t len = strlen(line);
	size_t n = 1;

	if (len < 2 || len > RECONCILE_LINE_MAX || strchr(line, '\n') != line + len - 1)
		abort();
	for (; *line; line++)
		n += *line == ';';
	return n;
}

static void round_of(
	struct cluster *cluster, const struct hareply_snapshot *snapshot, int64_t now_ms)
{
	struct reconcile out = {.n_lines = 0};
	size_t n_backends;
	size_t n_commands = 0;

	if (!cluster_update(cluster, snapshot, now_ms, NULL, NULL) || !steer_plan(cluster, now_ms))
		abort();
	struct backend *const *backends = cluster_backends(cluster, &n_backends);
	for (size_t b = 0; b < n_backends; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			check_server(backends[b]->servers[i]);
	}
	/* A name of thousands of bytes makes a command that fits no line. */
	(void)reconcile_plan(cluster, 9000, &out);
	for (size_t i = 0; i < out.n_lines; i++)
		n_commands += check_line(out.lines[i]);
	if (n_commands < out.n_weights)
		abort();
	reconcile_fini(&out);
	cluster_each_pod(cluster, hear, &now_ms);
}

static void take(struct cluster *cluster, const char *reply, size_t len, int64_t now_ms)
{
	struct hareply_snapshot snapshot = {.n_backends = 4711};
	struct hareply_snapshot cut;
	const char *why = NULL;
	char complaint[32];

	hareply_complaints(reply, len, complaint, sizeof(complaint));
	if (hareply_parse(reply, len, &snapshot, &why) != HAREPLY_OK) {
		if (snapshot.n_backends != 4711 || !why)
			abort();
		return;
	}
	/* No answer is the beginning of another. */
	if (hareply_parse(reply, len - 1, &cut, NULL) == HAREPLY_OK ||
		hareply_parse(reply, len / 2, &cut, NULL) == HAREPLY_OK)
		abort();
	round_of(cluster, &snapshot, now_ms);
	hareply_fini(&snapshot);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct cluster_params params = {.replicas = 2,
		.poll_interval_ms = 1000,
		.cache_ttl_ms = 5000,
		.percent_steps = true};
	struct cluster *cluster = cluster_new(&params);

	for (int64_t now_ms = 1000; cluster && size > 0; now_ms += 1000) {
		const unsigned char *zero = memchr(data, 0, size);
		size_t len = zero ? (size_t)(zero - data) : size;

		take(cluster, (const char *)data, len, now_ms);
		data += zero ? len + 1 : len;
		size -= zero ? len + 1 : len;
	}
	cluster_free(cluster);
	return 0;
}
