/* SPDX-License-Identifier: MIT */
#include "core/base/jsonput.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

enum { FLAGS = JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT };

void jsonput_add(
	struct jsonput *put, struct json_object *to, const char *key, struct json_object *value)
{
	if (!to || !value || json_object_object_add_ex(to, key, value, FLAGS) != 0) {
		json_object_put(value);
		put->ok = false;
	}
}

void jsonput_append(struct jsonput *put, struct json_object *to, struct json_object *value)
{
	if (!to || !value || json_object_array_add(to, value) != 0) {
		json_object_put(value);
		put->ok = false;
	}
}

static void add_null(struct jsonput *put, struct json_object *to, const char *key)
{
	if (!to || json_object_object_add_ex(to, key, NULL, FLAGS) != 0)
		put->ok = false;
}

/* json-c writes the bytes of a string as they are, so they must be UTF-8 before. */
struct json_object *jsonput_new_string(const char *s)
{
	size_t len = strlen(s);
	struct json_object *value;
	char *copy;
	char *to;

	if (text_is_utf8(s, len))
		return json_object_new_string(s);
	copy = to = malloc(3 * len + 1);
	if (!copy)
		return NULL;
	while (len > 0) {
		uint32_t point;
		size_t n = text_utf8_decode(s, len, &point);

		to = n > 0 ? mempcpy(to, s, n) : mempcpy(to, "\xef\xbf\xbd", 3);
		s += n > 0 ? n : 1;
		len -= n > 0 ? n : 1;
	}
	*to = '\0';
	value = json_object_new_string(copy);
	free(copy);
	return value;
}

struct json_object *jsonput_new_double(double d)
{
	/* json-c takes the format as what a serializer may change, and never does. */
	static char format[] = "%.4f";
	struct json_object *value = json_object_new_double(isfinite(d) ? d : 0.0);

	if (value)
		json_object_set_serializer(value, json_object_double_to_json_string, format, NULL);
	return value;
}

void jsonput_string(struct jsonput *put, struct json_object *to, const char *key, const char *s)
{
	jsonput_add(put, to, key, jsonput_new_string(s));
}

void jsonput_string_or_null(
	struct jsonput *put, struct json_object *to, const char *key, const char *s)
{
	if (s[0])
		jsonput_string(put, to, key, s);
	else
		add_null(put, to, key);
}

void jsonput_number(struct jsonput *put, struct json_object *to, const char *key, int64_t n)
{
	jsonput_add(put, to, key, json_object_new_int64(n));
}

void jsonput_number_if(
	struct jsonput *put, struct json_object *to, const char *key, bool known, int64_t n)
{
	if (known)
		jsonput_number(put, to, key, n);
	else
		add_null(put, to, key);
}

void jsonput_double(struct jsonput *put, struct json_object *to, const char *key, double d)
{
	jsonput_add(put, to, key, jsonput_new_double(d));
}

void jsonput_double_if(
	struct jsonput *put, struct json_object *to, const char *key, bool known, double d)
{
	if (known)
		jsonput_double(put, to, key, d);
	else
		add_null(put, to, key);
}

void jsonput_bool(struct jsonput *put, struct json_object *to, const char *key, bool b)
{
	jsonput_add(put, to, key, json_object_new_boolean(b));
}

void jsonput_bool_if(
	struct jsonput *put, struct json_object *to, const char *key, bool known, bool b)
{
	if (known)
		jsonput_bool(put, to, key, b);
	else
		add_null(put, to, key);
}
