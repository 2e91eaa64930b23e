/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_path.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

/* What is left of a path's text. */
struct cursor {
	const char *at;
	const char *end;
	struct why *why;
};

static void step_fini(struct metric_step *step)
{
	free(step->name);
	free(step->value);
}

void metric_path_fini(struct metric_path *path)
{
	for (size_t i = 0; i < path->n_steps; i++)
		step_fini(&path->steps[i]);
	free(path->steps);
	*path = (struct metric_path){.n_steps = 0};
}

/* A text in double quotes, in which \ takes the next character as it is. NULL with *why set. */
static char *parse_quoted(struct cursor *in)
{
	char *out = malloc((size_t)(in->end - in->at) + 1);
	size_t len = 0;

	if (!out) {
		why_set(in->why, "out of memory");
		return NULL;
	}
	for (in->at++; in->at < in->end && *in->at != '"'; in->at++) {
		if (*in->at == '\\' && in->at + 1 < in->end)
			in->at++;
		out[len++] = *in->at;
	}
	if (in->at == in->end) {
		why_set(in->why, "a quotation mark is not closed");
		free(out);
		return NULL;
	}
	in->at++;
	out[len] = '\0';
	return out;
}

static bool copy_name(struct cursor *in, const char *end, struct metric_step *step)
{
	step->name = strndup(in->at, (size_t)(end - in->at));
	in->at = end;
	return step->name || why_set(in->why, "out of memory");
}

static bool parse_index(struct cursor *in, struct metric_step *step)
{
	char digits[16] = "";
	size_t len = strspn(in->at, "0123456789");
	uint64_t index = 0;

	if (len < sizeof(digits))
		memcpy(digits, in->at, len);
	if (!text_parse_u64(digits, 0, 1000000, &index))
		return why_set(in->why, "an index is a number from 0 to 1000000, such as [0]");
	step->kind = METRIC_STEP_INDEX;
	step->index = (size_t)index;
	in->at += len;
	return true;
}

static bool parse_where(struct cursor *in, struct metric_step *step)
{
	const char *equals = memchr(in->at, '=', (size_t)(in->end - in->at));

	if (!equals || equals == in->at || equals + 1 == in->end || equals[1] != '"')
		return why_set(in->why,
			"in brackets stands nothing, an index, a \"key\" or name=\"value\"");
	step->kind = METRIC_STEP_WHERE;
	if (!copy_name(in, equals, step))
		return false;
	in->at++;
	step->value = parse_quoted(in);
	return step->value != NULL;
}

/* What stands in brackets, of which the first was seen. */
static bool parse_bracket(struct cursor *in, struct metric_step *step)
{
	bool ok = true;

	in->at++;
	if (in->at < in->end && *in->at == ']') {
		step->kind = METRIC_STEP_ALL;
	} else if (in->at < in->end && *in->at == '"') {
		step->kind = METRIC_STEP_MEMBER;
		step->name = parse_quoted(in);
		ok = step->name != NULL;
	} else if (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
		ok = parse_index(in, step);
	} else {
		ok = parse_where(in, step);
	}
	if (!ok)
		return false;
	if (in->at == in->end || *in->at != ']')
		return why_set(in->why, "a bracket is not closed");
	in->at++;
	return true;
}

static bool parse_name(struct cursor *in, struct metric_step *step)
{
	const char *end = in->at;

	while (end < in->end && *end != '.' && *end != '[') {
		if (*end == ']' || *end == '"')
			return why_set(in->why,
				"a key with brackets, quotation marks or dots stands as [\"key\"]");
		end++;
	}
	if (end == in->at)
		return why_set(in->why, "between two dots stands a key");
	if (end - in->at == 1 && *in->at == '*') {
		step->kind = METRIC_STEP_ANY_KEY;
		in->at = end;
		return true;
	}
	step->kind = METRIC_STEP_MEMBER;
	return copy_name(in, end, step);
}

/* One more step. A dot stands before each name but the first. */
static bool parse_step(struct cursor *in, bool first, struct metric_step *step)
{
	if (*in->at == '[')
		return parse_bracket(in, step);
	if (!first && *in->at != '.')
		return why_set(in->why, "after a bracket comes a dot or another bracket");
	if (!first)
		in->at++;
	return parse_name(in, step);
}

bool metric_path_parse(const char *text, size_t len, struct metric_path *path, struct why *why)
{
	struct cursor in = {.at = text, .end = text + len, .why = why};
	struct metric_path out = {.steps = calloc(METRIC_PATH_STEPS_MAX, sizeof(*out.steps))};

	if (!out.steps)
		return why_set(why, "out of memory");
	while (in.at < in.end) {
		if (out.n_steps == METRIC_PATH_STEPS_MAX) {
			metric_path_fini(&out);
			return why_set(why, "a path has at most 16 steps");
		}
		out.n_steps++;
		if (!parse_step(&in, out.n_steps == 1, &out.steps[out.n_steps - 1])) {
			metric_path_fini(&out);
			return false;
		}
	}
	*path = out;
	return true;
}

/* A path on its way through an answer. */
struct walk {
	bool optional;
	bool truth;
	struct metric_found *found;
};

/* json-c reads 42 from "42abc" and 1 from true, so the type comes first. False: it is absent. */
static bool read_number(const struct walk *walk, struct json_object *value)
{
	if (!value && walk->optional)
		return false;
	if (json_object_is_type(value, json_type_int) ||
		json_object_is_type(value, json_type_double) ||
		(walk->truth && json_object_is_type(value, json_type_boolean)))
		metric_found_add(walk->found, json_object_get_double(value));
	else
		metric_found_note(walk->found, METRIC_FOUND_OTHER);
	return true;
}

static bool follow(const struct walk *walk, const struct metric_step *steps, size_t n,
	struct json_object *value);

/* A sum over no element is 0. */
static bool follow_all(const struct walk *walk, const struct metric_step *steps, size_t n,
	struct json_object *array)
{
	size_t len = json_object_array_length(array);

	if (len == 0)
		metric_found_add(walk->found, 0.0);
	for (size_t i = 0; i < len; i++) {
		if (!follow(walk, steps + 1, n - 1, json_object_array_get_idx(array, i)))
			return false;
	}
	return true;
}

static bool is_where(const struct metric_step *step, struct json_object *element)
{
	struct json_object *value = NULL;

	return json_object_is_type(element, json_type_object) &&
	       json_object_object_get_ex(element, step->name, &value) &&
	       json_object_is_type(value, json_type_string) &&
	       strcmp(json_object_get_string(value), step->value) == 0;
}

static bool follow_where(const struct walk *walk, const struct metric_step *steps, size_t n,
	struct json_object *array)
{
	size_t len = json_object_array_length(array);
	bool any = false;

	for (size_t i = 0; i < len; i++) {
		struct json_object *element = json_object_array_get_idx(array, i);

		if (!is_where(steps, element))
			continue;
		any = true;
		if (!follow(walk, steps + 1, n - 1, element))
			return false;
	}
	return any;
}

static bool follow_any_key(const struct walk *walk, const struct metric_step *steps, size_t n,
	struct json_object *object)
{
	struct json_object_iter member;
	bool any = false;

	json_object_object_foreachC(object, member)
	{
		any = true;
		if (!follow(walk, steps + 1, n - 1, member.val))
			return false;
	}
	return any;
}

static bool follow_index(const struct walk *walk, const struct metric_step *steps, size_t n,
	struct json_object *array)
{
	return steps->index < json_object_array_length(array) &&
	       follow(walk, steps + 1, n - 1, json_object_array_get_idx(array, steps->index));
}

static bool follow_member(const struct walk *walk, const struct metric_step *steps, size_t n,
	struct json_object *object)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, steps->name, &value) &&
	       follow(walk, steps + 1, n - 1, value);
}

/* False: something on the way, or at its end, is absent. */
static bool follow(const struct walk *walk, const struct metric_step *steps, size_t n,
	struct json_object *value)
{
	static const struct {
		enum json_type through;
		bool (*follow)(const struct walk *walk, const struct metric_step *steps, size_t n,
			struct json_object *value);
	} kinds[] = {
		[METRIC_STEP_MEMBER] = {json_type_object, follow_member},
		[METRIC_STEP_INDEX] = {json_type_array, follow_index},
		[METRIC_STEP_ALL] = {json_type_array, follow_all},
		[METRIC_STEP_ANY_KEY] = {json_type_object, follow_any_key},
		[METRIC_STEP_WHERE] = {json_type_array, follow_where},
	};

	if (n == 0)
		return read_number(walk, value);
	return json_object_is_type(value, kinds[steps->kind].through) &&
	       kinds[steps->kind].follow(walk, steps, n, value);
}

void metric_path_find(const struct metric_path *path, struct json_object *root, bool optional,
	bool truth, struct metric_found *found)
{
	struct walk walk = {.optional = optional, .truth = truth, .found = found};

	if (!follow(&walk, path->steps, path->n_steps, root))
		*found = (struct metric_found){.state = METRIC_FOUND_NOTHING};
}
