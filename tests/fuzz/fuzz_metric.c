/* SPDX-License-Identifier: MIT */
/* Any bytes as a pod's answer: a count and names within their limits, or a reason and nothing else.
 * The first line is the path to the count. */
#include <stdlib.h>
#include <string.h>

#include "core/metric.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static bool is_name(const char *name)
{
	size_t len = strnlen(name, METRIC_NAME_MAX + 1);

	return len <= METRIC_NAME_MAX && text_is_utf8(name, len);
}

static bool is_sound(const struct metric *metric)
{
	return metric->count <= INT32_MAX &&
	       (metric->capacity == 0.0 || (metric->capacity >= 1e-3 && metric->capacity <= 1e9)) &&
	       is_name(metric->pod_name) && is_name(metric->pod_ip) && is_name(metric->node_name);
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
	if (metric_parse((const char *)newline + 1, size - key_len - 1, key, &metric) !=
		METRIC_OK) {
		if (memcmp(&before, &metric, sizeof(metric)) != 0)
			abort();
	} else if (!is_sound(&metric)) {
		abort();
	}
	free(key);
	return 0;
}
