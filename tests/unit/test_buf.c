/* SPDX-License-Identifier: MIT */
/* Bytes that grow. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "run.h"

START_TEST(what_is_appended_stands_there_in_order_and_ends_in_a_nul)
{
	struct buf buf = {.bytes = NULL};
	size_t len = 0;
	char *text;

	ck_assert_str_eq(buf_text(&buf), "");
	buf_puts(&buf, "one");
	buf_putc(&buf, ' ');
	buf_append(&buf, "two more", 3);
	buf_printf(&buf, " %d%%", 3);
	ck_assert_str_eq(buf_text(&buf), "one two 3%");
	text = buf_finish(&buf, &len);
	ck_assert_str_eq(text, "one two 3%");
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_ptr_null(buf.bytes);
	free(text);
}
END_TEST

START_TEST(an_empty_text_is_a_text)
{
	struct buf buf = {.bytes = NULL};
	size_t len = 7;
	char *text = buf_finish(&buf, &len);

	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(len, 0);
	free(text);
}
END_TEST

START_TEST(a_nul_within_is_a_byte_like_any_other)
{
	struct buf buf = {.bytes = NULL};

	buf_append(&buf, "a\0b", 3);
	buf_putc(&buf, '\0');
	ck_assert_uint_eq(buf.len, 4);
	ck_assert_int_eq(memcmp(buf.bytes, "a\0b\0", 5), 0);
	buf_fini(&buf);
}
END_TEST

/* Formatted text of every length around the room that there is. */
START_TEST(formatted_text_of_any_length_comes_whole)
{
	char long_text[300];

	for (size_t before = 0; before < 140; before++) {
		for (size_t n = 0; n < 140; n++) {
			struct buf buf = {.bytes = NULL};

			for (size_t i = 0; i < before; i++)
				buf_putc(&buf, 'a');
			memset(long_text, 'b', n);
			long_text[n] = '\0';
			buf_printf(&buf, "%s", long_text);
			ck_assert_uint_eq(buf.len, before + n);
			ck_assert_uint_eq(strlen(buf_text(&buf)), before + n);
			ck_assert_uint_eq(strspn(buf_text(&buf), "a"), before);
			buf_fini(&buf);
		}
	}
}
END_TEST

START_TEST(room_that_was_asked_for_can_be_filled_to_its_last_byte)
{
	struct buf buf = {.bytes = NULL};

	for (size_t n = 1; n < 2000; n += 37) {
		char *to = buf_reserve(&buf, n);

		memset(to, 'x', n);
		to[n] = '\0';
		buf.len += n;
		ck_assert_uint_eq(strlen(buf.bytes), buf.len);
	}
	buf_clear(&buf);
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_str_eq(buf_text(&buf), "");
	buf_fini(&buf);
	buf_fini(&buf);
}
END_TEST

/* More than an address space holds, so that it fails on every machine. */
START_TEST(once_memory_ran_out_nothing_more_is_taken_in)
{
	struct buf buf = {.bytes = NULL};
	size_t len = 7;

	buf_puts(&buf, "kept");
	ck_assert_ptr_null(buf_reserve(&buf, (size_t)-1 / 2));
	ck_assert(buf.failed);
	buf_puts(&buf, "lost");
	buf_printf(&buf, "%s", "lost");
	ck_assert_str_eq(buf_text(&buf), "kept");
	ck_assert_ptr_null(buf_finish(&buf, &len));
	ck_assert_uint_eq(len, 7);
	ck_assert_ptr_null(buf.bytes);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{what_is_appended_stands_there_in_order_and_ends_in_a_nul, ONCE},
		{an_empty_text_is_a_text, ONCE},
		{a_nul_within_is_a_byte_like_any_other, ONCE},
		{formatted_text_of_any_length_comes_whole, ONCE},
		{room_that_was_asked_for_can_be_filled_to_its_last_byte, ONCE},
		{once_memory_ran_out_nothing_more_is_taken_in, ONCE},
	};

	return run_suite("buf", tests, N_OF(tests));
}
