/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_json.h"

#include <json-c/json.h>
#include <string.h>

#include "core/base/jsonparse.h"

/* Numbers that an answer of full size may have: one for so many bytes, and with the default size
 * 1.2 ms of json-c at most. What people write, names and all, has fewer. */
enum { BYTES_A_COST = 4 };

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

static enum metric_outcome read_root(
	struct json_object *root, const struct metric_query *query, struct metric *out)
{
	struct metric_found found[METRIC_N_ROLES * METRIC_TERMS_MAX] = {0};
	struct metric metric;
	enum metric_outcome outcome;
	size_t n = 0;

	for (size_t role = 0; role < METRIC_N_ROLES; role++) {
		const struct metric_key *key = &query->keys[role];

		for (size_t i = 0; i < key->n_terms; i++)
			metric_path_find(&key->terms[i].is.path, root, role != METRIC_ROLE_COUNT,
				role == METRIC_ROLE_DRAINING, &found[n++]);
	}
	outcome = metric_query_answer(query, found, &metric);
	if (outcome != METRIC_OK)
		return outcome;
	if (json_object_is_type(root, json_type_object)) {
		copy_name(root, "podName", metric.pod_name);
		copy_name(root, "podIP", metric.pod_ip);
		copy_name(root, "nodeName", metric.node_name);
	}
	*out = metric;
	return METRIC_OK;
}

enum metric_outcome metric_json_read(
	const char *body, size_t len, const struct metric_query *query, struct metric *out)
{
	static const enum metric_outcome refusals[] = {
		[JSONPARSE_NOT_JSON] = METRIC_NOT_JSON,
		[JSONPARSE_DUPLICATE_KEY] = METRIC_DUPLICATE_KEY,
		[JSONPARSE_TOO_COSTLY] = METRIC_TOO_COSTLY,
		[JSONPARSE_OUT_OF_MEMORY] = METRIC_OUT_OF_MEMORY,
	};
	struct json_object *root;
	enum jsonparse_outcome parsed =
		jsonparse_within(body, len, query->max_bytes / BYTES_A_COST, &root);
	enum metric_outcome outcome =
		parsed == JSONPARSE_OK ? read_root(root, query, out) : refusals[parsed];

	json_object_put(root);
	return outcome;
}
