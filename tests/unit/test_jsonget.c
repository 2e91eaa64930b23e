/* SPDX-License-Identifier: MIT */
/* Members of JSON from outside: of the right type, or missing. */
#include <check.h>

#include "core/base/jsonget.h"
#include "run.h"

static struct json_object *object;

static void parse(const char *text)
{
	object = json_tokener_parse(text);
	ck_assert_ptr_nonnull(object);
}

START_TEST(a_member_of_the_right_type_is_given)
{
	parse("{\"n\": 7, \"d\": 0.5, \"t\": \"x\", \"yes\": true, \"no\": false, \"a\": [1, 2]}");
	ck_assert_int_eq(jsonget_whole(object, "n", -1), 7);
	ck_assert_double_eq(jsonget_number(object, "d", -1.0), 0.5);
	ck_assert_double_eq(jsonget_number(object, "n", -1.0), 7.0);
	ck_assert_str_eq(jsonget_text(object, "t"), "x");
	ck_assert(jsonget_flag(object, "yes", false));
	ck_assert(!jsonget_flag(object, "no", true));
	ck_assert_uint_eq(jsonget_len(jsonget_member(object, "a", json_type_array)), 2);
	json_object_put(object);
}
END_TEST

static void all_missing(struct json_object *from, const char *name)
{
	ck_assert_int_eq(jsonget_whole(from, name, -1), -1);
	ck_assert_double_eq(jsonget_number(from, name, -1.0), -1.0);
	ck_assert_ptr_null(jsonget_text(from, name));
	ck_assert(jsonget_flag(from, name, true));
	ck_assert(!jsonget_flag(from, name, false));
	ck_assert_uint_eq(jsonget_len(jsonget_member(from, name, json_type_array)), 0);
}

START_TEST(whatever_else_is_missing)
{
	parse("{\"null\": null, \"object\": {}, \"d\": 0.5, \"t\": \"7\"}");
	all_missing(object, "nowhere");
	all_missing(object, "null");
	all_missing(object, "object");
	all_missing(jsonget_member(object, "object", json_type_object), "null");
	all_missing(NULL, "null");
	/* No number is cut to a whole one, and no text is read as a number. */
	ck_assert_int_eq(jsonget_whole(object, "d", -1), -1);
	ck_assert_int_eq(jsonget_whole(object, "t", -1), -1);
	ck_assert_double_eq(jsonget_number(object, "t", -1.0), -1.0);
	ck_assert(jsonget_flag(object, "t", true));
	json_object_put(object);
	parse("[1]");
	all_missing(object, "null");
	json_object_put(object);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_member_of_the_right_type_is_given, ONCE},
		{whatever_else_is_missing, ONCE},
	};

	return run_suite("jsonget", tests, N_OF(tests));
}
