/* SPDX-License-Identifier: MIT */
/* HAProxy's readiness variables: what is said to which process, and when no more. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/procvars.h"
#include "run.h"

static const struct hastate_info first = {.pid = 8, .start_time_s = 1000};
static const struct hastate_info second = {.pid = 9, .start_time_s = 2000};
/* Another container with the same pid. */
static const struct hastate_info third = {.pid = 9, .start_time_s = 3000};

static const char stopping[] = "experimental-mode on;set var proc.stopping int(1);show info\n";
static const char not_stopping[] = "experimental-mode on;set var proc.stopping int(0);show info\n";
static const char synced[] = "experimental-mode on;set var proc.stopping int(0);"
			     "set var proc.synced int(1);show info\n";
static const char not_synced[] = "experimental-mode on;set var proc.stopping int(0);"
				 "set var proc.synced int(0);show info\n";
static const char both[] = "experimental-mode on;set var proc.stopping int(1);"
			   "set var proc.synced int(1);show info\n";

static void expect_line(struct procvars *vars, const char *expected)
{
	char line[PROCVARS_LINE_MAX];

	ck_assert(procvars_is_due(vars));
	procvars_write(vars, line);
	ck_assert_str_eq(line, expected);
}

/* An answer as HAProxy gives it: what it says of the commands, then who it is. */
static enum procvars_outcome answer(struct procvars *vars, const char *words,
	const struct hastate_info *info, bool is_stopping, char complaint[100])
{
	char reply[400];

	complaint[0] = '\0';
	snprintf(reply, sizeof(reply),
		"%sName: HAProxy\nVersion: 2.6.12\nPid: %d\nUptime_sec: 5\nStopping: %d\n"
		"Start_time_sec: %d\n\n",
		words, (int)info->pid, is_stopping, (int)info->start_time_s);
	return procvars_read(vars, reply, strlen(reply), complaint, 100);
}

static void take(struct procvars *vars, const struct hastate_info *info)
{
	char complaint[100];

	ck_assert_int_eq(answer(vars, "\n\n", info, false, complaint), PROCVARS_TAKEN);
	ck_assert_str_eq(complaint, "");
}

START_TEST(a_haproxy_that_neither_stops_nor_is_filled_is_told_nothing)
{
	struct procvars vars = {.stopping = false};

	ck_assert(!procvars_is_due(&vars));
	procvars_see(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
	procvars_see(&vars, &second);
	ck_assert(!procvars_is_due(&vars));
}
END_TEST

START_TEST(a_stop_is_told_once_and_taken_back_once)
{
	struct procvars vars = {.stopping = true};

	procvars_see(&vars, &first);
	expect_line(&vars, stopping);
	take(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
	procvars_see(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
	vars.stopping = false;
	expect_line(&vars, not_stopping);
	take(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
}
END_TEST

START_TEST(a_haproxy_that_was_never_seen_is_told_too)
{
	struct procvars vars = {.stopping = true};

	expect_line(&vars, stopping);
	take(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
	ck_assert_int_eq(vars.seen.pid, first.pid);
}
END_TEST

START_TEST(a_new_process_is_told_that_it_stops)
{
	struct procvars vars = {.stopping = true};

	expect_line(&vars, stopping);
	take(&vars, &first);
	procvars_see(&vars, &second);
	expect_line(&vars, stopping);
	take(&vars, &second);
	procvars_see(&vars, &third);
	expect_line(&vars, stopping);
	take(&vars, &third);
	ck_assert(!procvars_is_due(&vars));
}
END_TEST

START_TEST(a_new_process_needs_no_word_that_it_does_not_stop)
{
	struct procvars vars = {.stopping = true};

	expect_line(&vars, stopping);
	take(&vars, &first);
	vars.stopping = false;
	procvars_see(&vars, &second);
	ck_assert(!procvars_is_due(&vars));
	/* Nor does a lost line matter to it. */
	vars.stopping = true;
	expect_line(&vars, stopping);
	procvars_lose(&vars);
	vars.stopping = false;
	procvars_see(&vars, &third);
	ck_assert(!procvars_is_due(&vars));
}
END_TEST

START_TEST(full_slots_are_told_and_what_an_agent_before_has_left_is_put_right)
{
	struct procvars vars = {.stopping = false};

	procvars_see(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
	procvars_fill(&vars, &first);
	expect_line(&vars, synced);
	take(&vars, &first);
	procvars_fill(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
}
END_TEST

START_TEST(a_new_process_is_synced_when_its_own_slots_are_full_and_not_before)
{
	struct procvars vars = {.stopping = false};

	procvars_fill(&vars, &first);
	expect_line(&vars, synced);
	take(&vars, &first);
	procvars_see(&vars, &second);
	ck_assert(!procvars_is_due(&vars));
	procvars_fill(&vars, &second);
	expect_line(&vars, synced);
	take(&vars, &second);
	procvars_see(&vars, &third);
	vars.stopping = true;
	expect_line(&vars, "experimental-mode on;set var proc.stopping int(1);"
			   "set var proc.synced int(0);show info\n");
}
END_TEST

START_TEST(what_reached_an_empty_new_process_by_mistake_is_taken_back)
{
	struct procvars vars = {.stopping = false};

	procvars_fill(&vars, &first);
	expect_line(&vars, synced);
	/* A reload came between. */
	take(&vars, &second);
	expect_line(&vars, not_synced);
	take(&vars, &second);
	ck_assert(!procvars_is_due(&vars));
	procvars_fill(&vars, &second);
	expect_line(&vars, synced);
}
END_TEST

START_TEST(both_are_told_in_one_line)
{
	struct procvars vars = {.stopping = true};

	procvars_fill(&vars, &first);
	expect_line(&vars, both);
	take(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
}
END_TEST

START_TEST(what_changes_while_a_line_is_under_way_is_told_after_it)
{
	struct procvars vars = {.stopping = true};

	expect_line(&vars, stopping);
	vars.stopping = false;
	take(&vars, &first);
	expect_line(&vars, not_stopping);
}
END_TEST

START_TEST(a_lost_line_is_told_again_whatever_it_said)
{
	struct procvars vars = {.stopping = true};

	procvars_see(&vars, &first);
	expect_line(&vars, stopping);
	procvars_lose(&vars);
	expect_line(&vars, stopping);
	/* It may have come through, so this cannot be left unsaid. */
	procvars_lose(&vars);
	vars.stopping = false;
	expect_line(&vars, not_stopping);
	take(&vars, &first);
	ck_assert(!procvars_is_due(&vars));
}
END_TEST

START_TEST(a_worker_on_its_way_out_does_not_count)
{
	struct procvars vars = {.stopping = true};
	char complaint[100];

	expect_line(&vars, stopping);
	ck_assert_int_eq(answer(&vars, "\n\n", &first, true, complaint), PROCVARS_LOST);
	ck_assert_str_eq(complaint, "a worker on its way out answered");
	expect_line(&vars, stopping);
	take(&vars, &second);
	ck_assert(!procvars_is_due(&vars));
}
END_TEST

/* As 2.6 says it on a socket of level operator, and where "set var" is another's. */
static const struct {
	const char *words;
	const char *complaint;
} refusals[] = {
	{"\nPermission denied\n\nThis command is restricted to experimental mode only.\n\n",
		"Permission denied"},
	{"\nUnknown command: 'set var', but maybe one of the following ones is a better match:\n"
	 "  show info                               : report information\n\n",
		"Unknown command: 'set var', but maybe one of the following ones is a better "
		"match:"},
};
enum { N_REFUSALS = sizeof(refusals) / sizeof(refusals[0]) };

START_TEST(a_refusal_is_told_and_not_repeated_to_the_same_process)
{
	struct procvars vars = {.stopping = true};
	char complaint[100];

	expect_line(&vars, stopping);
	ck_assert_int_eq(
		answer(&vars, refusals[_i].words, &first, false, complaint), PROCVARS_REFUSED);
	ck_assert_str_eq(complaint, refusals[_i].complaint);
	ck_assert(vars.refused);
	ck_assert(!procvars_is_due(&vars));
	procvars_see(&vars, &second);
	ck_assert(!vars.refused);
	expect_line(&vars, stopping);
	take(&vars, &second);
	ck_assert(!vars.refused);
}
END_TEST

static const char whole[] = "\n\nName: HAProxy\nPid: 8\nStopping: 0\nStart_time_sec: 1000\n\n";

START_TEST(an_answer_cut_at_any_byte_is_none)
{
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		struct procvars vars = {.stopping = true};
		char complaint[100] = "";

		expect_line(&vars, stopping);
		ck_assert_int_eq(procvars_read(&vars, whole, len, complaint, sizeof(complaint)),
			PROCVARS_LOST);
		ck_assert_str_ne(complaint, "");
		ck_assert(procvars_is_due(&vars));
	}
}
END_TEST

START_TEST(no_bytes_at_all_are_no_answer)
{
	struct procvars vars = {.stopping = true};
	char complaint[10];

	expect_line(&vars, stopping);
	ck_assert_int_eq(
		procvars_read(&vars, NULL, 0, complaint, sizeof(complaint)), PROCVARS_LOST);
	ck_assert_str_eq(complaint, "the answe");
}
END_TEST

START_TEST(a_name_amid_a_line_is_not_where_the_info_begins)
{
	struct procvars vars = {.stopping = true};
	char complaint[100];

	expect_line(&vars, stopping);
	ck_assert_int_eq(
		answer(&vars, "\nno Name: here\n\n", &first, false, complaint), PROCVARS_REFUSED);
	ck_assert_str_eq(complaint, "no Name: here");
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_haproxy_that_neither_stops_nor_is_filled_is_told_nothing, ONCE},
		{a_stop_is_told_once_and_taken_back_once, ONCE},
		{a_haproxy_that_was_never_seen_is_told_too, ONCE},
		{a_new_process_is_told_that_it_stops, ONCE},
		{a_new_process_needs_no_word_that_it_does_not_stop, ONCE},
		{full_slots_are_told_and_what_an_agent_before_has_left_is_put_right, ONCE},
		{a_new_process_is_synced_when_its_own_slots_are_full_and_not_before, ONCE},
		{what_reached_an_empty_new_process_by_mistake_is_taken_back, ONCE},
		{both_are_told_in_one_line, ONCE},
		{what_changes_while_a_line_is_under_way_is_told_after_it, ONCE},
		{a_lost_line_is_told_again_whatever_it_said, ONCE},
		{a_worker_on_its_way_out_does_not_count, ONCE},
		{a_refusal_is_told_and_not_repeated_to_the_same_process, N_REFUSALS},
		{an_answer_cut_at_any_byte_is_none, ONCE},
		{no_bytes_at_all_are_no_answer, ONCE},
		{a_name_amid_a_line_is_not_where_the_info_begins, ONCE},
	};

	return run_suite("procvars", tests, N_OF(tests));
}
