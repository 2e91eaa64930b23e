/* SPDX-License-Identifier: MIT */
/* Building JSON with json-c: strings that are always UTF-8, and one place for "out of memory". */
#ifndef WSB_JSONPUT_H
#define WSB_JSONPUT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A whole document is put together without a look at any result; at its end ok says whether all of
 * it is there. Keys are static, and new in their object.
 */
struct jsonput {
	bool ok; /* true at the start; false once memory ran out */
};

/* Takes over value; NULL means that it could not be made. Once it returns, use value only while
 * ok. */
void jsonput_add(
	struct jsonput *put, struct json_object *to, const char *key, struct json_object *value);
void jsonput_append(struct jsonput *put, struct json_object *to, struct json_object *value);

/* Bytes of s that are no UTF-8 come out as U+FFFD. NULL when out of memory. */
struct json_object *jsonput_new_string(const char *s);
/* With four decimals at most; what is no number in JSON (infinity) comes out as 0. */
struct json_object *jsonput_new_double(double d);

void jsonput_string(struct jsonput *put, struct json_object *to, const char *key, const char *s);
/* null for "". */
void jsonput_string_or_null(
	struct jsonput *put, struct json_object *to, const char *key, const char *s);
void jsonput_number(struct jsonput *put, struct json_object *to, const char *key, int64_t n);
void jsonput_double(struct jsonput *put, struct json_object *to, const char *key, double d);
/* null unless known. */
void jsonput_double_if(
	struct jsonput *put, struct json_object *to, const char *key, bool known, double d);
void jsonput_number_if(
	struct jsonput *put, struct json_object *to, const char *key, bool known, int64_t n);
void jsonput_bool_if(
	struct jsonput *put, struct json_object *to, const char *key, bool known, bool b);
void jsonput_bool(struct jsonput *put, struct json_object *to, const char *key, bool b);

#endif
