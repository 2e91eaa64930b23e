/* SPDX-License-Identifier: MIT */
/* How commands fill lines. */
#include <check.h>
#include <string.h>

#include "core/haproxy/commands.h"
#include "run.h"

static void fill(char *command, char c, size_t len)
{
	memset(command, c, len);
	command[len] = '\0';
}

START_TEST(commands_join_into_lines_that_end_in_a_newline)
{
	struct commands commands = {.n_lines = 0};

	ck_assert(commands_append(&commands, "one"));
	ck_assert_str_eq(commands.lines[0], "one\n");
	ck_assert(commands_append(&commands, "two 2"));
	ck_assert_uint_eq(commands.n_lines, 1);
	ck_assert_str_eq(commands.lines[0], "one;two 2\n");
	ck_assert_uint_eq(commands.n_weights, 0);
	commands_fini(&commands);
	ck_assert_ptr_null(commands.lines);
	ck_assert_uint_eq(commands.n_lines, 0);
	commands_fini(&commands);
}
END_TEST

START_TEST(a_line_is_filled_to_its_last_byte_and_no_further)
{
	static char command[COMMANDS_LINE_MAX + 2];
	struct commands commands = {.n_lines = 0};

	/* Alone: command and newline. */
	fill(command, 'a', COMMANDS_LINE_MAX);
	ck_assert(!commands_append(&commands, command));
	ck_assert_uint_eq(commands.n_lines, 0);
	fill(command, 'a', COMMANDS_LINE_MAX - 1);
	ck_assert(commands_append(&commands, command));
	ck_assert_uint_eq(strlen(commands.lines[0]), COMMANDS_LINE_MAX);
	commands_fini(&commands);

	/* Two, with the joint between them. */
	fill(command, 'a', 1000);
	ck_assert(commands_append(&commands, command));
	fill(command, 'b', COMMANDS_LINE_MAX - 1000 - 2);
	ck_assert(commands_append(&commands, command));
	ck_assert_uint_eq(commands.n_lines, 1);
	ck_assert_uint_eq(strlen(commands.lines[0]), COMMANDS_LINE_MAX);
	ck_assert(commands_append(&commands, "c"));
	ck_assert_uint_eq(commands.n_lines, 2);
	ck_assert_str_eq(commands.lines[1], "c\n");
	commands_fini(&commands);

	/* One byte more begins a line. */
	fill(command, 'a', 1000);
	ck_assert(commands_append(&commands, command));
	fill(command, 'b', COMMANDS_LINE_MAX - 1000 - 1);
	ck_assert(commands_append(&commands, command));
	ck_assert_uint_eq(commands.n_lines, 2);
	ck_assert_uint_eq(strlen(commands.lines[0]), 1001);
	/* What is refused leaves the rest. */
	fill(command, 'c', COMMANDS_LINE_MAX);
	ck_assert(!commands_append(&commands, command));
	ck_assert_uint_eq(commands.n_lines, 2);
	commands_fini(&commands);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{commands_join_into_lines_that_end_in_a_newline, ONCE},
		{a_line_is_filled_to_its_last_byte_and_no_further, ONCE},
	};

	return run_suite("commands", tests, N_OF(tests));
}
