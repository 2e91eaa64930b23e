/* SPDX-License-Identifier: MIT */
/* Reads a pod's /metric answer. */
#include "core/cluster/metric.h"

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "core/base/jsonparse.h"

static const struct {
	const char *label;
	const char *text;
} outcomes[METRIC_N_OUTCOMES] = {
	[METRIC_OK] = {"ok", "ok"},
	[METRIC_CONNECT_FAILED] = {"connect_failed", "no connection"},
	[METRIC_TIMED_OUT] = {"timed_out", "no answer in time"},
	[METRIC_TLS_FAILED] = {"tls_failed", "TLS failed"},
	[METRIC_BROKEN] = {"broken", "the answer broke off"},
	[METRIC_TOO_LARGE] = {"too_large", "the answer is over 64 KiB"},
	[METRIC_REDIRECT] = {"redirect", "a redirect, which is not followed"},
	[METRIC_BAD_STATUS] = {"bad_status", "the status is not 200"},
	[METRIC_NOT_JSON] = {"not_json", "the answer is not JSON"},
	[METRIC_DUPLICATE_KEY] = {"duplicate_key", "the answer has a key twice"},
	[METRIC_NO_KEY] = {"no_key", "the answer lacks metricKey"},
	[METRIC_NOT_A_COUNT] = {"not_a_count", "the count is no whole number from 0 to 2147483647"},
	[METRIC_BAD_FIELD] = {"bad_field",
		"draining is no boolean, or capacity no number from 0.001 to 1e9"},
	[METRIC_OUT_OF_MEMORY] = {"out_of_memory", "out of memory"},
};

const char *metric_outcome_label(enum metric_outcome outcome)
{
	return outcomes[outcome].label;
}

const char *metric_outcome_text(enum metric_outcome outcome)
{
	return outcomes[outcome].text;
}

/* Finds the value at a dotted path, which may be null (NULL in json-c). False where a step is
 * missing or leads through something else than an object. */
static bool find(struct json_object *object, const char *path, struct json_object **value)
{
	while (*path) {
		size_t len = strcspn(path, ".");
		char step[METRIC_NAME_MAX + 1];

		if (len >= sizeof(step) || !json_object_is_type(object, json_type_object))
			return false;
		memcpy(step, path, len);
		step[len] = '\0';
		if (!json_object_object_get_ex(object, step, &object))
			return false;
		path += len;
		if (*path == '.')
			path++;
	}
	*value = object;
	return true;
}

/* Copies a name, cut before the character that does not fit whole (UTF-8 continuation bytes are
 * 10xxxxxx). Anything but a string leaves "". */
static void copy_name(struct json_object *object, const char *key, char out[METRIC_NAME_MAX + 1])
{
	struct json_object *value = NULL;
	const char *name;
	size_t len;

	if (!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_string))
		return;
	name = json_object_get_string(value);
	len = strlen(name);
	if (len > METRIC_NAME_MAX) {
		len = METRIC_NAME_MAX;
		while (len > 0 && ((unsigned char)name[len] & 0xC0) == 0x80)
			len--;
	}
	memcpy(out, name, len);
	out[len] = '\0';
}

/* json-c reads 42 from "42abc" and 1 from true, so the type comes first. */
static bool read_count(struct json_object *value, uint32_t *count)
{
	int64_t number;

	if (!json_object_is_type(value, json_type_int))
		return false;
	number = json_object_get_int64(value);
	if (number < 0 || number > INT32_MAX)
		return false;
	*count = (uint32_t)number;
	return true;
}

static bool read_fields(struct json_object *root, struct metric *metric)
{
	struct json_object *value = NULL;

	if (json_object_object_get_ex(root, "draining", &value)) {
		if (!json_object_is_type(value, json_type_boolean))
			return false;
		metric->draining = json_object_get_boolean(value);
	}
	if (json_object_object_get_ex(root, "capacity", &value)) {
		double capacity = json_object_get_double(value);

		if (!json_object_is_type(value, json_type_int) &&
			!json_object_is_type(value, json_type_double))
			return false;
		/* Bounds that keep every sum of 10,000 capacities an ordinary number. */
		if (!isfinite(capacity) || capacity < 1e-3 || capacity > 1e9)
			return false;
		metric->capacity = capacity;
	}
	return true;
}

static enum metric_outcome read_root(struct json_object *root, const char *key, struct metric *out)
{
	struct metric metric = {0};
	struct json_object *value;

	if (!json_object_is_type(root, json_type_object) || !find(root, key, &value))
		return METRIC_NO_KEY;
	if (!read_count(value, &metric.count))
		return METRIC_NOT_A_COUNT;
	if (!read_fields(root, &metric))
		return METRIC_BAD_FIELD;
	copy_name(root, "podName", metric.pod_name);
	copy_name(root, "podIP", metric.pod_ip);
	copy_name(root, "nodeName", metric.node_name);
	*out = metric;
	return METRIC_OK;
}

enum metric_outcome metric_parse(const char *body, size_t len, const char *key, struct metric *out)
{
	static const enum metric_outcome refusals[] = {
		[JSONPARSE_NOT_JSON] = METRIC_NOT_JSON,
		[JSONPARSE_DUPLICATE_KEY] = METRIC_DUPLICATE_KEY,
		[JSONPARSE_OUT_OF_MEMORY] = METRIC_OUT_OF_MEMORY,
	};
	struct json_object *root;
	enum jsonparse_outcome parsed;
	enum metric_outcome outcome;

	if (len > METRIC_BODY_MAX)
		return METRIC_TOO_LARGE;
	parsed = jsonparse(body, len, &root);
	outcome = parsed == JSONPARSE_OK ? read_root(root, key, out) : refusals[parsed];
	json_object_put(root);
	return outcome;
}
