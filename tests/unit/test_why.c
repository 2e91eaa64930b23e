/* SPDX-License-Identifier: MIT */
/* A reason is one text that always ends within its array. */
#include <check.h>
#include <string.h>

#include "core/base/why.h"
#include "run.h"

START_TEST(every_writer_returns_false_and_the_line_is_the_last_one_told)
{
	struct why why;

	memset(&why, 0x55, sizeof(why));
	ck_assert(!why_set(&why, "port %d", 80));
	ck_assert_uint_eq(why.line, 0);
	ck_assert_str_eq(why.text, "port 80");
	ck_assert(!why_set_line(&why, 7, "key"));
	ck_assert(!why_append(&why, ": %s", "value"));
	ck_assert_uint_eq(why.line, 7);
	ck_assert_str_eq(why.text, "key: value");
	ck_assert(!why_prepend(&why, "%s: ", "file"));
	ck_assert_uint_eq(why.line, 7);
	ck_assert_str_eq(why.text, "file: key: value");
	ck_assert(!why_set(&why, "other"));
	ck_assert_uint_eq(why.line, 0);
	ck_assert_str_eq(why.text, "other");
}
END_TEST

START_TEST(what_is_longer_is_cut)
{
	char text[2000];
	struct why why;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	why_set(&why, "%s", text);
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
	why_append(&why, "more");
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
	ck_assert_int_eq(why.text[sizeof(why.text) - 2], 'x');
	why_prepend(&why, "before: ");
	ck_assert_uint_eq(strlen(why.text), sizeof(why.text) - 1);
	ck_assert(strncmp(why.text, "before: x", 9) == 0);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{every_writer_returns_false_and_the_line_is_the_last_one_told, ONCE},
		{what_is_longer_is_cut, ONCE},
	};

	return run_suite("why", tests, N_OF(tests));
}
