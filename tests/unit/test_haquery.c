/* SPDX-License-Identifier: MIT */
/* The question of a round. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/commands.h"
#include "core/haproxy/haquery.h"
#include "run.h"

static const char all[] = "show stat -1 6 -1;show servers state;show info\n";

START_TEST(without_names_all_backends_are_asked_for)
{
	char *line = haquery_write(NULL, 0);

	ck_assert_str_eq(line, all);
	free(line);
}
END_TEST

/* hareply_parse tells a whole answer by the last command's. */
START_TEST(named_backends_are_asked_for_one_by_one_and_info_at_last)
{
	static const struct haquery_backend backends[] = {{"web", 3}, {"api.v1", 4294967295}};
	char *line = haquery_write(backends, 2);

	ck_assert_str_eq(line, "show stat 3 6 -1;show servers state web;"
			       "show stat 4294967295 6 -1;show servers state api.v1;show info\n");
	free(line);
}
END_TEST

START_TEST(more_names_than_a_line_holds_mean_all)
{
	static char names[COMMANDS_LINE_MAX][8];
	static struct haquery_backend pointers[COMMANDS_LINE_MAX];
	bool fell_back = false;

	for (size_t n = 0; n < COMMANDS_LINE_MAX; n++) {
		snprintf(names[n], sizeof(names[n]), "b%06zu", n);
		pointers[n] = (struct haquery_backend){names[n], 1};
	}
	for (size_t n = 1; n < 200; n++) {
		char *line = haquery_write(pointers, n);

		ck_assert_uint_le(strlen(line), COMMANDS_LINE_MAX);
		/* Each name stands there, or none at all, and never again one once it did not
		 * fit. */
		if (strcmp(line, all) == 0)
			fell_back = true;
		else
			ck_assert(!fell_back && strstr(line, names[n - 1]));
		ck_assert_str_eq(line + strlen(line) - strlen("show info\n"), "show info\n");
		free(line);
	}
	ck_assert(fell_back);
}
END_TEST

START_TEST(a_question_may_fill_a_line_to_its_last_byte)
{
	static char name[COMMANDS_LINE_MAX];
	const struct haquery_backend names[] = {{name, 7}};
	size_t fixed = strlen("show stat 7 6 -1;show servers state ;show info\n");
	size_t len = COMMANDS_LINE_MAX - fixed;

	for (size_t extra = 0; extra < 2; extra++) {
		char *line;

		memset(name, 'x', len + extra);
		line = haquery_write(names, 1);
		if (extra == 0)
			ck_assert_uint_ge(strlen(line), COMMANDS_LINE_MAX - 1);
		else
			ck_assert_str_eq(line, all);
		free(line);
	}
}
END_TEST

/* ---- without a socket ---- */

int main(void)
{
	const struct run_test tests[] = {
		{without_names_all_backends_are_asked_for, ONCE},
		{named_backends_are_asked_for_one_by_one_and_info_at_last, ONCE},
		{more_names_than_a_line_holds_mean_all, ONCE},
		{a_question_may_fill_a_line_to_its_last_byte, ONCE},
	};

	return run_suite("haquery", tests, N_OF(tests));
}
