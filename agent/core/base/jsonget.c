/* SPDX-License-Identifier: MIT */
#include "core/base/jsonget.h"

#include <math.h>

struct json_object *jsonget_member(
	struct json_object *object, const char *name, enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
		!json_object_object_get_ex(object, name, &value) ||
		!json_object_is_type(value, type))
		return NULL;
	return value;
}

const char *jsonget_text(struct json_object *object, const char *name)
{
	struct json_object *value = jsonget_member(object, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

double jsonget_number(struct json_object *object, const char *name, double missing)
{
	struct json_object *value = jsonget_member(object, name, json_type_double);
	double number;

	if (!value)
		value = jsonget_member(object, name, json_type_int);
	number = value ? json_object_get_double(value) : missing;
	/* 1e999 is JSON. */
	return isfinite(number) ? number : missing;
}

int64_t jsonget_whole(struct json_object *object, const char *name, int64_t missing)
{
	struct json_object *value = jsonget_member(object, name, json_type_int);

	return value ? json_object_get_int64(value) : missing;
}

bool jsonget_flag(struct json_object *object, const char *name, bool missing)
{
	struct json_object *value = jsonget_member(object, name, json_type_boolean);

	return value ? json_object_get_boolean(value) : missing;
}

size_t jsonget_len(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}
