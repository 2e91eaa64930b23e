/* SPDX-License-Identifier: MIT */
/* Any bytes as a pod's answer: a count and names within their limits, or a reason and nothing else.
 * The first line is the path to the count. */
#include "core/cluster/metric.h"
#include "core/base/text.h"
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

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const unsigned char *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	struct metric before;
	struct metric metric;
	size_t key_len;
	char *key;

	if (!newline)
		return 0;
	key_len = (size_t)(newline - data);
	key = strndup((const char *)data, key_len);
	if (!key)
		return 0;
	memset(&metric, 0x5a, sizeof(metric));
	memcpy(&before, &metric, sizeof(metric));
	if (metric_parse((const char *)newline + 1, size - key_len - 1, key, &metric) == METRIC_OK)
		check(&metric);
	else
		promise(memcmp(&before, &metric, sizeof(metric)) == 0,
			"what is refused changes nothing");
	free(key);
	return 0;
}
