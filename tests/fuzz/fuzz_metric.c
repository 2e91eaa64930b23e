/* SPDX-License-Identifier: MIT */
/* Any bytes as a pod's answer, in any format and cut into any pieces: a count and names within
 * their limits, or a reason and nothing else. The first line is the format's letter and metricKey.
 */
#include "core/base/text.h"
#include "core/metric/metric_reader.h"
#include "fuzz.h"

static void check_name(const char name[METRIC_NAME_MAX + 1])
{
	size_t len = strnlen(name, METRIC_NAME_MAX + 1);

	promise(len <= METRIC_NAME_MAX, "a name ends within its array");
	promise(text_is_utf8(name, len), "a name is valid UTF-8");
}

static void check(const struct metric *metric)
{
	promise(metric->count <= INT32_MAX, "a count is at most 2^31-1");
	promise(metric->capacity == 0.0 || (metric->capacity >= 1e-3 && metric->capacity <= 1e9),
		"a capacity is 0 or from 0.001 to 1e9");
	check_name(metric->pod_name);
	check_name(metric->pod_ip);
	check_name(metric->node_name);
}

static enum metric_outcome read_pieces(const struct metric_query *query, const char *body,
	size_t len, size_t piece, struct metric *metric)
{
	struct metric_reader *reader = metric_reader_new(query);
	enum metric_outcome outcome = METRIC_OK;
	struct metric before;

	promise(reader, "memory for a reader");
	memset(metric, 0x5a, sizeof(*metric));
	memcpy(&before, metric, sizeof(before));
	metric_reader_begin(reader);
	for (size_t at = 0; at < len && outcome == METRIC_OK; at += piece) {
		size_t n = piece < len - at ? piece : len - at;
		char *copy = fuzz_copy(body + at, n);

		if (!metric_reader_feed(reader, copy, n))
			outcome = metric_reader_refusal(reader);
		free(copy);
	}
	if (outcome == METRIC_OK)
		outcome = metric_reader_end(reader, NULL, metric);
	if (outcome == METRIC_OK)
		check(metric);
	else
		promise(memcmp(&before, metric, sizeof(before)) == 0,
			"what is refused changes nothing");
	metric_reader_free(reader);
	return outcome;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const unsigned char *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	struct metric_words words = {.format = METRIC_JSON, .keys = {NULL, "stop", "room"}};
	struct metric_query query;
	enum metric_role bad;
	struct why why;
	char *key;

	if (!newline || newline == data)
		return 0;
	if (*data == 'p')
		words.format = METRIC_PROMETHEUS;
	else if (*data == 't')
		words.format = METRIC_TEXT;
	key = strndup((const char *)data + 1, (size_t)(newline - data) - 1);
	promise(key, "memory for a key");
	words.keys[METRIC_ROLE_COUNT] = key;
	if (metric_query_parse(&words, &query, &bad, &why)) {
		const char *body = (const char *)newline + 1;
		size_t len = size - (size_t)(newline - data) - 1;
		struct metric whole;
		struct metric cut;
		enum metric_outcome outcome = read_pieces(&query, body, len, len + 1, &whole);

		promise(read_pieces(&query, body, len, 7, &cut) == outcome,
			"pieces mean what the whole means");
		promise(outcome != METRIC_OK || whole.count == cut.count,
			"pieces count what the whole counts");
		metric_query_fini(&query);
	} else {
		promise(why.text[0] != '\0', "a refused key has a reason");
	}
	free(key);
	return 0;
}
