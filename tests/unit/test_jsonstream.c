/* SPDX-License-Identifier: MIT */
/* What the cutting of a stream into JSON objects promises. */
#include <check.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonstream.h"
#include "run.h"

/* Pretty-printed, CRLF, two in one line, a character of three bytes, braces in a text. */
static const char stream_text[] = "{\"n\":0}\n{\n  \"n\": 1,\n  \"t\": \"\xe2\x82\xac }{\"\n}\r\n"
				  "{\"n\":2}{\"n\":3}\n\n \t{\"n\":4,\"d\":[[{}]]}\n";

/* Feeds a piece; counts objects, which must carry their number in "n". */
static enum jsonstream_outcome feed(
	struct jsonstream *stream, const char *piece, size_t len, int *n)
{
	for (;;) {
		struct json_object *object;
		enum jsonstream_outcome outcome = jsonstream_next(stream, &piece, &len, &object);

		if (outcome != JSONSTREAM_OBJECT) {
			ck_assert_ptr_null(object);
			ck_assert(outcome > JSONSTREAM_MORE || len == 0);
			return outcome;
		}
		struct json_object *number;
		if (json_object_object_get_ex(object, "n", &number))
			ck_assert_int_eq(json_object_get_int(number), *n);
		(*n)++;
		json_object_put(object);
	}
}

START_TEST(every_cut_into_two_pieces_gives_the_same_objects)
{
	for (size_t cut = 0; cut < sizeof(stream_text); cut++) {
		struct jsonstream stream;
		int n = 0;

		ck_assert(jsonstream_init(&stream, 1024, SIZE_MAX));
		ck_assert_int_eq(feed(&stream, stream_text, cut, &n), JSONSTREAM_MORE);
		ck_assert_int_eq(
			feed(&stream, stream_text + cut, sizeof(stream_text) - 1 - cut, &n),
			JSONSTREAM_MORE);
		ck_assert_int_eq(n, 5);
		jsonstream_fini(&stream);
	}
}
END_TEST

START_TEST(single_bytes_give_the_same_objects)
{
	struct jsonstream stream;
	int n = 0;

	ck_assert(jsonstream_init(&stream, 1024, SIZE_MAX));
	for (size_t i = 0; i < sizeof(stream_text) - 1; i++)
		ck_assert_int_eq(feed(&stream, &stream_text[i], 1, &n), JSONSTREAM_MORE);
	ck_assert_int_eq(n, 5);
	jsonstream_fini(&stream);
}
END_TEST

static const char *const bad[] = {"x", "7 ", "null", "[{}]", "\"a\"", "{]", "{\"a\":}",
	"{\"a\":1,}", "{\"a\":tru}", "{\"a\" 1}", "<html>", "{\"a\":1}x"};

START_TEST(what_is_no_object_is_refused)
{
	struct jsonstream stream;
	int n = 0;

	ck_assert(jsonstream_init(&stream, 1024, SIZE_MAX));
	ck_assert_int_eq(feed(&stream, bad[_i], strlen(bad[_i]), &n), JSONSTREAM_BAD);
	jsonstream_reset(&stream);
	n = 0;
	ck_assert_int_eq(feed(&stream, "{\"n\":0}", 7, &n), JSONSTREAM_MORE);
	ck_assert_int_eq(n, 1);
	jsonstream_fini(&stream);
}
END_TEST

START_TEST(an_object_above_the_cap_is_refused_and_one_at_it_is_not)
{
	char text[256];

	for (int cap = 16; cap < 100; cap++) {
		for (int size = cap - 1; size <= cap + 1; size++) {
			struct jsonstream stream;
			int n = 0;

			ck_assert(jsonstream_init(&stream, (size_t)cap, SIZE_MAX));
			snprintf(text, sizeof(text), "{\"t\":\"%0*d\"}", size - 8, 0);
			ck_assert_uint_eq(strlen(text), (size_t)size);
			feed(&stream, text, 3, &n);
			ck_assert_int_eq(feed(&stream, text + 3, (size_t)size - 3, &n),
				size <= cap ? JSONSTREAM_MORE : JSONSTREAM_TOO_LARGE);
			ck_assert_int_eq(n, size <= cap ? 1 : 0);
			jsonstream_fini(&stream);
		}
	}
}
END_TEST

START_TEST(values_above_the_cap_are_refused_before_they_take_memory)
{
	static const char piece[] = "{},{},{},{},{},{},{},{},";
	struct jsonstream stream;
	int n = 0;
	size_t fed = 0;
	enum jsonstream_outcome outcome;

	ck_assert(jsonstream_init(&stream, SIZE_MAX, 20000));
	outcome = feed(&stream, "{\"a\":[", 6, &n);
	for (; outcome == JSONSTREAM_MORE && fed < 1000000; fed += sizeof(piece) - 1)
		outcome = feed(&stream, piece, sizeof(piece) - 1, &n);
	ck_assert_int_eq(outcome, JSONSTREAM_TOO_COSTLY);
	ck_assert_uint_le(fed, 4000 + sizeof(piece));
	jsonstream_fini(&stream);
}
END_TEST

START_TEST(a_name_twice_is_told_as_that)
{
	struct jsonstream stream;
	int n = 0;

	ck_assert(jsonstream_init(&stream, 1024, SIZE_MAX));
	ck_assert_int_eq(feed(&stream, "{\"a\":1,\"a\":2}", 13, &n), JSONSTREAM_DUPLICATE_KEY);
	ck_assert_str_eq(jsonstream_outcome_name(JSONSTREAM_DUPLICATE_KEY), "a duplicate key");
	jsonstream_fini(&stream);
}
END_TEST

START_TEST(space_between_objects_never_counts_towards_the_cap)
{
	struct jsonstream stream;
	int n = 0;

	ck_assert(jsonstream_init(&stream, 16, SIZE_MAX));
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(feed(&stream, " \r\n\t", 4, &n), JSONSTREAM_MORE);
	ck_assert_int_eq(feed(&stream, "{\"n\":0}", 7, &n), JSONSTREAM_MORE);
	ck_assert_int_eq(n, 1);
	jsonstream_fini(&stream);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	struct jsonstream stream;
	char text[512] = "{\"a\":";
	int n = 0;

	memset(text + 5, '[', 400);
	ck_assert(jsonstream_init(&stream, 1024, SIZE_MAX));
	ck_assert_int_eq(feed(&stream, text, 405, &n), JSONSTREAM_BAD);
	jsonstream_fini(&stream);
}
END_TEST

START_TEST(no_random_stream_in_random_pieces_does_harm)
{
	static const char bytes[] = "{}{}{}[]\"\"::,,0123nulltruefalse \n\\u00e9\xe2\x82\xac";

	for (int round = 0; round < 20000; round++) {
		struct jsonstream stream;

		ck_assert(jsonstream_init(&stream, 64, SIZE_MAX));
		for (int piece = 0; piece < 8; piece++) {
			char text[16];
			const char *at = text;
			size_t len = (size_t)rand() % sizeof(text);
			struct json_object *object;

			for (size_t i = 0; i < len; i++)
				text[i] = rand() % 50 ? bytes[(size_t)rand() % sizeof(bytes)]
						      : (char)rand();
			while (jsonstream_next(&stream, &at, &len, &object) == JSONSTREAM_OBJECT)
				json_object_put(object);
			ck_assert(at >= text && at + len <= text + sizeof(text));
		}
		jsonstream_fini(&stream);
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{every_cut_into_two_pieces_gives_the_same_objects, ONCE},
		{single_bytes_give_the_same_objects, ONCE},
		{what_is_no_object_is_refused, N_OF(bad)},
		{an_object_above_the_cap_is_refused_and_one_at_it_is_not, ONCE},
		{values_above_the_cap_are_refused_before_they_take_memory, ONCE},
		{a_name_twice_is_told_as_that, ONCE},
		{space_between_objects_never_counts_towards_the_cap, ONCE},
		{deep_nesting_is_refused, ONCE},
		{no_random_stream_in_random_pieces_does_harm, ONCE},
	};

	run_dice("jsonstream");
	return run_suite("jsonstream", tests, N_OF(tests));
}
