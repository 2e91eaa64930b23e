/* SPDX-License-Identifier: MIT */
/* Any bytes as the names that strangers chose, one up to each NUL, and as the filters of a query:
 * the JSON is JSON, a series is a line, and no name becomes markup. The first byte chooses the
 * report: the page, which costs most and is least varied, one time in sixteen. */
#include <json-c/json.h>

#include "../unit/rows.h"
#include "core/base/jsonparse.h"
#include "core/base/text.h"
#include "core/report/report.h"
#include "core/steer/steer.h"
#include "fuzz.h"

enum { N_WORDS = 9, WORD_MAX = 48 }; /* short ones: each stands in a hundred places */

static char words[N_WORDS][WORD_MAX + 1];

static void split(const unsigned char *data, size_t size)
{
	memset(words, 0, sizeof(words));
	for (size_t i = 0, at = 0, word = 0; i < size && word < N_WORDS; i++) {
		if (data[i] == 0) {
			word++;
			at = 0;
		} else if (at < WORD_MAX) {
			words[word][at++] = (char)data[i];
		}
	}
}

static void hear(struct server *server, const char *name)
{
	struct metric metric = {.count = 7};

	if (!server || !server->pod)
		return;
	/* As metric_json cuts and checks it. */
	if (text_is_utf8(name, strlen(name)) && strlen(name) <= METRIC_NAME_MAX) {
		strcpy(metric.pod_name, name);
		strcpy(metric.node_name, name);
		strcpy(metric.pod_ip, name);
	}
	pod_observe(server->pod, METRIC_OK, &metric, NULL, 1000100);
}

static struct cluster *make_cluster(void)
{
	const struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);
	struct hastate_server servers[2] = {
		row_up(words[0], "10.0.0.1", 3), row_up(words[1], "10.0.0.2", 4)};
	struct hastate_backend backends[] = {row_backend(words[2], "leastconn", servers, 2)};
	struct hastate_snapshot snapshot = row_answer(1, backends, 1);

	servers[0].fqdn = words[3];
	snprintf(snapshot.info.version, sizeof(snapshot.info.version), "%.20s", words[4]);
	promise(cluster && cluster_update(cluster, &snapshot, 1000000, NULL, NULL),
		"memory for a cluster");
	hear(row_find(cluster, words[2], words[0]), words[5]);
	hear(row_find(cluster, words[2], words[1]), words[6]);
	promise(steer_plan(cluster, 1000200), "memory for a plan");
	return cluster;
}

static void check_json(struct buf *text)
{
	struct json_object *root;

	promise(text->bytes && text_is_utf8(text->bytes, text->len), "the JSON is UTF-8");
	promise(jsonparse(text->bytes, text->len, &root) == JSONPARSE_OK, "the JSON is JSON");
	json_object_put(root);
	buf_fini(text);
}

/* name{label="value",...} number, or a comment. */
static bool is_series(const char *line, size_t len)
{
	size_t quotes = 0;

	if (len > 0 && *line == '#')
		return true;
	if (len < 3 || strncmp(line, "wsbalancer_", 11) != 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] == '\\' && quotes % 2 == 1)
			i++;
		else if (line[i] == '"')
			quotes++;
	}
	return quotes % 2 == 0 && line[len - 1] != ' ' && memchr(line, ' ', len);
}

static void check_series(struct buf *text)
{
	promise(text->bytes && text_is_utf8(text->bytes, text->len), "the series are UTF-8");
	for (const char *line = text->bytes; *line;) {
		size_t len = strcspn(line, "\n");

		promise(line[len] == '\n' && is_series(line, len), "each line is a series");
		line += len + 1;
	}
	buf_fini(text);
}

static void check_page(struct buf *text)
{
	promise(text->bytes && text_is_utf8(text->bytes, text->len), "the page is UTF-8");
	for (size_t i = 0; i < N_WORDS; i++) {
		/* A piece of markup that the page has not by itself. */
		const char *at = strchr(words[i], '<');

		if (at && strlen(at) > 8 && strncmp(at, "<zq", 3) == 0)
			promise(!strstr(text->bytes, "<zq"), "no name is markup");
	}
	buf_fini(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const struct stats stats = {.haproxy_reached = true};
	struct report_view view = {.stats = &stats,
		.now_ms = 1000300,
		.wall_ms = 1700000000123,
		.version = "9.9",
		.ready = true};
	unsigned choice;
	struct buf text;

	if (size == 0)
		return 0;
	choice = data[0];
	split(data + 1, size - 1);
	struct cluster *cluster = make_cluster();

	view.cluster = cluster;
	view.service = choice & 1 ? words[7] : NULL;
	view.pod = choice & 2 ? words[8] : NULL;
	if ((choice >> 2) % 16 == 15) {
		text = report_write(REPORT_PAGE, &view);
		check_page(&text);
	} else if (choice & 4) {
		text = report_write(REPORT_JSON, &view);
		check_json(&text);
	} else {
		text = report_write(choice & 128 ? REPORT_OPENMETRICS : REPORT_PROMETHEUS, &view);
		check_series(&text);
	}
	cluster_free(cluster);
	return 0;
}
