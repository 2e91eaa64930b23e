/* SPDX-License-Identifier: MIT */
/* JSON from outside: what is taken for it, by everything that reads it. */
#include <check.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonparse.h"
#include "core/base/jsonstream.h"
#include "core/record/record_parse.h"
#include "json_bodies.h"
#include "metrics.h"
#include "run.h"

/* From memory of exactly that length, so that a byte too far is seen. */
static char *exact(const struct json_body *body)
{
	char *copy = malloc(body->len);

	ck_assert(copy || body->len == 0);
	if (copy)
		memcpy(copy, body->bytes, body->len);
	return copy;
}

START_TEST(a_text_is_json_or_it_is_not)
{
	const struct json_body *body = &json_bodies[_i];
	char *copy = exact(body);
	struct json_object *root = NULL;
	enum jsonparse_outcome outcome = jsonparse(copy, body->len, &root);

	ck_assert_msg(outcome == body->outcome, "%s: %s, not %s", body->bytes,
		jsonparse_outcome_name(outcome), jsonparse_outcome_name(body->outcome));
	if (outcome != JSONPARSE_OK)
		ck_assert_ptr_null(root);
	json_object_put(root);
	free(copy);
}
END_TEST

START_TEST(a_pods_answer_is_read_by_the_same_rules)
{
	const struct json_body *body = &json_bodies[_i];
	char *copy = exact(body);
	struct metric metric;
	enum metric_outcome outcome =
		metrics_read(METRIC_JSON, "no.such.key", copy, body->len, &metric);

	ck_assert_msg(
		outcome == (body->outcome == JSONPARSE_OK                ? METRIC_NO_KEY
				   : body->outcome == JSONPARSE_NOT_JSON ? METRIC_NOT_JSON
									 : METRIC_DUPLICATE_KEY),
		"%s: %s", body->bytes, metric_outcome_label(outcome));
	free(copy);
}
END_TEST

START_TEST(a_recorded_round_is_read_by_the_same_rules)
{
	const struct json_body *body = &json_bodies[_i];
	char *copy = exact(body);
	struct record record;
	struct why why;

	ck_assert(!record_parse(copy, body->len, &record, &why));
	ck_assert_str_eq(why.text, body->outcome == JSONPARSE_OK
					   ? "not a record of this version"
					   : jsonparse_outcome_name(body->outcome));
	free(copy);
}
END_TEST

/* What a stream makes of a body that comes in two pieces: true when it is objects to its end. */
static bool is_stream(const struct json_body *body, size_t cut)
{
	struct jsonstream stream;
	enum jsonstream_outcome outcome = JSONSTREAM_MORE;
	bool is_whole;

	ck_assert(jsonstream_init(&stream, 1024, SIZE_MAX));
	for (int i = 0; i < 2 && outcome <= JSONSTREAM_MORE; i++) {
		const char *piece = body->bytes + (i == 0 ? 0 : cut);
		size_t len = i == 0 ? cut : body->len - cut;
		struct json_object *object;

		while ((outcome = jsonstream_next(&stream, &piece, &len, &object)) ==
			JSONSTREAM_OBJECT)
			json_object_put(object);
	}
	is_whole = outcome == JSONSTREAM_MORE && stream.n_bytes == 0;
	jsonstream_fini(&stream);
	return is_whole;
}

/* A stream's objects may follow one another, and it may hold none; all else is as in a text. */
static bool is_for_streams_alone(const struct json_body *body)
{
	return strspn(body->bytes, " \n\t\r") == body->len ||
	       strcmp(body->bytes, JSONPARSE_MARK) == 0 || strncmp(body->bytes, "{}{}", 4) == 0 ||
	       strncmp(body->bytes, "{} {}", 5) == 0;
}

START_TEST(a_stream_of_objects_is_read_by_the_same_rules_however_it_is_cut)
{
	const struct json_body *body = &json_bodies[_i];
	const char *begin = body->bytes + strspn(body->bytes, " \n\t\r\xef\xbb\xbf");
	bool wanted =
		(body->outcome == JSONPARSE_OK && *begin == '{') || is_for_streams_alone(body);

	for (size_t cut = 0; cut <= body->len; cut++)
		ck_assert_msg(is_stream(body, cut) == wanted, "%s, cut at %zu", body->bytes, cut);
}
END_TEST

START_TEST(what_is_read_is_what_was_written)
{
	static const char text[] =
		"{\"a\":[1,-2,0.5,true,false,null,\"\xc3\xbc\\\"\"],\"\xc3\xa4\":{}}";
	struct json_object *root;

	ck_assert_int_eq(jsonparse(text, strlen(text), &root), JSONPARSE_OK);
	ck_assert_str_eq(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN), text);
	json_object_put(root);
}
END_TEST

START_TEST(nesting_is_read_up_to_a_limit_that_no_version_of_json_c_moves)
{
	char text[4 * JSONCHECK_DEPTH_MAX];

	for (size_t depth = 1; depth <= JSONCHECK_DEPTH_MAX + 3; depth++) {
		struct json_object *root;
		bool fits = depth <= JSONCHECK_DEPTH_MAX;

		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		ck_assert_int_eq(jsonparse(text, 2 * depth, &root),
			fits ? JSONPARSE_OK : JSONPARSE_NOT_JSON);
		json_object_put(root);
	}
}
END_TEST

/* json-c is the other reader: what passes the check and is refused there would be called a want of
 * memory. */
START_TEST(no_text_that_passes_is_beyond_json_c)
{
	static const char *const parts[] = {"{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"b\"",
		"0", "1", "-", ".", "e", "E+5", "true", "null", " ", "\\u0000", "\\", "\xc3\xbc",
		"\x80"};
	size_t n_good = 0;

	for (int round = 0; round < 200000; round++) {
		char text[128] = "";
		struct json_object *root;
		enum jsonparse_outcome outcome;

		for (int i = rand() % 8; i >= 0; i--)
			strcat(text, parts[(size_t)rand() % N_OF(parts)]);
		outcome = jsonparse(text, strlen(text), &root);
		ck_assert_msg(outcome != JSONPARSE_OUT_OF_MEMORY, "%s", text);
		n_good += outcome == JSONPARSE_OK;
		json_object_put(root);
	}
	ck_assert_uint_gt(n_good, 1000);
}
END_TEST

START_TEST(a_text_of_too_many_values_is_refused_before_it_is_read)
{
	static const char text[] = "[1, {\"a\": [\"b\", null]}]";
	const size_t cost = 5 + 2 * JSONCHECK_COST_ARRAY + JSONCHECK_COST_OBJECT + 1;
	struct json_object *root;

	ck_assert_int_eq(
		jsonparse_within(text, strlen(text), cost - 1, &root), JSONPARSE_TOO_COSTLY);
	ck_assert_ptr_null(root);
	ck_assert_int_eq(jsonparse_within(text, strlen(text), cost, &root), JSONPARSE_OK);
	json_object_put(root);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_text_is_json_or_it_is_not, N_OF(json_bodies)},
		{a_pods_answer_is_read_by_the_same_rules, N_OF(json_bodies)},
		{a_recorded_round_is_read_by_the_same_rules, N_OF(json_bodies)},
		{a_stream_of_objects_is_read_by_the_same_rules_however_it_is_cut,
			N_OF(json_bodies)},
		{what_is_read_is_what_was_written, ONCE},
		{nesting_is_read_up_to_a_limit_that_no_version_of_json_c_moves, ONCE},
		{no_text_that_passes_is_beyond_json_c, ONCE},
		{a_text_of_too_many_values_is_refused_before_it_is_read, ONCE},
	};

	run_dice("jsonparse");
	return run_suite("jsonparse", tests, N_OF(tests));
}
