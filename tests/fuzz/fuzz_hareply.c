/* SPDX-License-Identifier: MIT */
/* Any bytes as HAProxy's answers, the next one after a NUL: what is accepted can be taken and
 * planned, and becomes commands that mean what they say. */
#include "core/haproxy/complaint.h"
#include "core/haproxy/hareply.h"
#include "core/haproxy/hastate.h"
#include "core/steer/reconcile.h"
#include "core/steer/steer.h"
#include "fuzz.h"

enum { N_ANSWERS = 4, CHECK_PORT = 8405 };

/* NULL is what a field holds that no line has filled. */
static bool lies_within(const char *s, const struct hastate_snapshot *snapshot, size_t len)
{
	return s && ((s >= snapshot->text && s <= snapshot->text + len) || *s == '\0' ||
			    strcmp(s, "random") == 0);
}

static void check_server(
	const struct hastate_server *server, const struct hastate_snapshot *snapshot, size_t len)
{
	promise(lies_within(server->name, snapshot, len) &&
			lies_within(server->address, snapshot, len) &&
			lies_within(server->fqdn, snapshot, len) &&
			lies_within(server->status, snapshot, len),
		"a server's strings lie in the text");
	promise(server->uweight >= 0 && server->uweight <= 256, "uweight is 0 to 256");
	promise(server->iweight >= 0 && server->iweight <= 256, "iweight is 0 to 256");
	promise(server->op_state <= 3, "op_state is 0 to 3");
}

static void check_snapshot(const struct hastate_snapshot *snapshot, size_t len)
{
	promise(snapshot->info.pid > 0, "HAProxy has a pid");
	promise(memchr(snapshot->info.version, '\0', sizeof(snapshot->info.version)),
		"the version ends within its array");
	for (size_t b = 0; b < snapshot->n_backends; b++) {
		const struct hastate_backend *backend = &snapshot->backends[b];

		promise(lies_within(backend->name, snapshot, len) &&
				lies_within(backend->algo, snapshot, len) && *backend->algo,
			"a backend's strings lie in the text, and it has an algorithm");
		for (size_t i = 0; i < backend->n_servers; i++)
			check_server(&backend->servers[i], snapshot, len);
	}
}

static void check_cluster(struct cluster *cluster)
{
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);

	for (size_t b = 0; b < n; b++) {
		const struct backend *backend = backends[b];

		for (size_t i = 0; i < backend->n_servers; i++) {
			const struct server *server = backend->servers[i];

			promise(server->backend == backend, "a server is its own backend's");
			promise(cluster_find_server(cluster, backend->name, strlen(backend->name),
					server->name, strlen(server->name)) == server,
				"a server is found by its name");
			promise(server->plan.weight >= 0 &&
					server->plan.weight <= PLANNER_WEIGHT_MAX,
				"a wanted weight is 0 to 256");
		}
	}
}

/* Of a command's arguments none has a byte that would end it or begin another. */
static void check_commands(const struct commands *commands)
{
	for (size_t i = 0; i < commands->n_lines; i++) {
		const char *line = commands->lines[i];
		size_t len = strlen(line);

		promise(len <= COMMANDS_LINE_MAX && strchr(line, '\n') == line + len - 1,
			"a line of commands is one line");
		for (const char *at = line; at; at = strchr(at, ';')) {
			at += at != line;
			promise(strncmp(at, "set server ", 11) == 0,
				"each command sets something of a server");
		}
	}
}

static void hear_pods(struct cluster *cluster, int64_t now_ms)
{
	size_t n;
	struct pod *const *pods = cluster_edit_pods(cluster, &n);

	for (size_t i = 0; i < n; i++) {
		uint16_t port = pods[i]->port;
		struct metric metric = {.count = port, .draining = port % 7 == 0};

		if (pods[i]->wanted)
			pod_observe(pods[i], METRIC_OK, &metric, NULL, now_ms + port % 2000);
	}
}

/* An answer that broke off is not taken for a whole one. */
static void check_cut(const char *reply, size_t len)
{
	struct hastate_snapshot cut;

	promise(hareply_parse(reply, len - 1, &cut, NULL) != HAREPLY_OK &&
			hareply_parse(reply, len / 2, &cut, NULL) != HAREPLY_OK,
		"no answer is the beginning of another");
}

static void take(struct cluster *cluster, const char *bytes, size_t len, int64_t now_ms)
{
	struct hastate_snapshot snapshot = {.n_backends = 4711};
	struct why why;
	char *reply = fuzz_copy(bytes, len);
	enum hareply_outcome outcome = hareply_parse(reply, len, &snapshot, &why);
	struct commands commands = {.n_lines = 0};

	promise(memchr(why.text, '\0', sizeof(why.text)) && *hareply_outcome_name(outcome),
		"an outcome has words");
	if (outcome == HAREPLY_OK)
		check_cut(reply, len);
	free(reply);
	if (outcome != HAREPLY_OK) {
		promise(snapshot.n_backends == 4711, "what is refused changes nothing");
		return;
	}
	check_snapshot(&snapshot, len);
	promise(cluster_update(cluster, &snapshot, now_ms, NULL, NULL),
		"the cluster takes what was accepted");
	hastate_fini(&snapshot);
	promise(steer_plan(cluster, now_ms), "what was taken can be planned");
	promise(reconcile_plan(cluster, CHECK_PORT, &commands), "the plan can be said");
	check_cluster(cluster);
	check_commands(&commands);
	commands_fini(&commands);
	hear_pods(cluster, now_ms);
}

static void check_complaints(const char *bytes, size_t len)
{
	char complaint[40];
	char *reply = fuzz_copy(bytes, len);

	if (complaint_find(reply, len, complaint, sizeof(complaint)) > 0)
		promise(strnlen(complaint, sizeof(complaint)) < sizeof(complaint),
			"a complaint ends within its array");
	free(reply);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const struct cluster_settings settings = {
		.replicas = 2,
		.poll_interval_ms = 1000,
		.cache_ttl_ms = 30000,
		.percent_steps = true,
	};
	struct cluster *cluster = cluster_new(&settings);
	const char *bytes = (const char *)data;
	int64_t now_ms = 1000000;

	promise(cluster, "memory for a cluster");
	check_complaints(bytes, size);
	take(cluster, bytes, size, now_ms);
	for (int i = 0; i < N_ANSWERS && size > 0; i++) {
		const char *zero = memchr(bytes, '\0', size);
		size_t len = zero ? (size_t)(zero - bytes) : size;

		now_ms += 1000;
		take(cluster, bytes, len, now_ms);
		len += zero ? 1 : 0;
		bytes += len;
		size -= len;
	}
	cluster_free(cluster);
	return 0;
}
