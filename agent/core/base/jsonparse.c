/* SPDX-License-Identifier: MIT */
/* The one way in for JSON from outside: strict, and the same with every version of json-c. */
#include "core/base/jsonparse.h"

#include <json.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_BASE = 8192, MEMORY_A_BYTE = 3, MEMORY_A_COST = 240 };

struct json_tokener *jsonparse_tokener_new(void)
{
	/* json-c counts levels in another way, so its limit lies beyond ours. */
	return json_tokener_new_ex(JSONCHECK_DEPTH_MAX + 2);
}

bool jsonparse_has_memory(size_t len, size_t cost)
{
	/* Measured at most: 204 bytes for each cost, where an object has just grown, and 2 for each
	 * byte, where a long string has. */
	void *room = malloc(MEMORY_BASE + MEMORY_A_BYTE * len + MEMORY_A_COST * cost);
	bool has = room != NULL;

	free(room);
	return has;
}

/* As deep as the check allows, no deeper. */
static size_t count_members(struct json_object *value)
{
	size_t n = 0;

	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			n += count_members(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			n += 1 + count_members(member);
		}
	}
	return n;
}

bool jsonparse_has_all(struct json_object *root, const struct jsoncheck *check)
{
	/* Of two members with one name json-c keeps the last. */
	return count_members(root) == check->n_members;
}

/* Sets *end to where the value ends; only space follows it. */
static bool is_one_text(struct jsoncheck *check, const char *bytes, size_t len, size_t *end)
{
	enum jsoncheck_outcome outcome = jsoncheck_feed(check, bytes, len, end);
	size_t none;

	/* The end of the text is the end of a bare number. */
	if (outcome == JSONCHECK_MORE)
		outcome = jsoncheck_feed(check, "\n", 1, &none);
	if (outcome != JSONCHECK_END)
		return false;
	for (size_t i = *end; i < len; i++) {
		if (!jsoncheck_is_space(bytes[i]))
			return false;
	}
	return true;
}

enum jsonparse_outcome jsonparse(const char *bytes, size_t len, struct json_object **root)
{
	return jsonparse_within(bytes, len, SIZE_MAX, root);
}

enum jsonparse_outcome jsonparse_within(
	const char *bytes, size_t len, size_t max_cost, struct json_object **root)
{
	struct jsoncheck check = {.depth = 0};
	struct json_tokener *tokener;
	size_t end;
	bool ok;

	*root = NULL;
	if (len >= JSONPARSE_MARK_LEN && memcmp(bytes, JSONPARSE_MARK, JSONPARSE_MARK_LEN) == 0) {
		bytes += JSONPARSE_MARK_LEN;
		len -= JSONPARSE_MARK_LEN;
	}
	if (len > INT_MAX || !is_one_text(&check, bytes, len, &end))
		return JSONPARSE_NOT_JSON;
	if (check.cost > max_cost)
		return JSONPARSE_TOO_COSTLY;
	tokener = jsonparse_has_memory(end, check.cost) ? jsonparse_tokener_new() : NULL;
	if (!tokener)
		return JSONPARSE_OUT_OF_MEMORY;
	*root = json_tokener_parse_ex(tokener, bytes, (int)end);
	/* json-c too waits for what ends a bare number. */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		*root = json_tokener_parse_ex(tokener, "", 1);
	ok = json_tokener_get_error(tokener) == json_tokener_success;
	json_tokener_free(tokener);
	if (ok && jsonparse_has_all(*root, &check))
		return JSONPARSE_OK;
	json_object_put(*root);
	*root = NULL;
	/* What has passed the check fails in json-c only for want of memory. */
	return ok ? JSONPARSE_DUPLICATE_KEY : JSONPARSE_OUT_OF_MEMORY;
}

const char *jsonparse_outcome_name(enum jsonparse_outcome outcome)
{
	switch (outcome) {
	case JSONPARSE_OK:
		return "ok";
	case JSONPARSE_NOT_JSON:
		return "not JSON";
	case JSONPARSE_DUPLICATE_KEY:
		return "a duplicate key";
	case JSONPARSE_TOO_COSTLY:
		return "too many values";
	case JSONPARSE_OUT_OF_MEMORY:
		break;
	}
	return "out of memory";
}
