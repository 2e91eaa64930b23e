/* SPDX-License-Identifier: MIT */
/* What HAProxy complains of, in captured answers and in others. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "captures.h"
#include "core/haproxy/complaint.h"
#include "run.h"

START_TEST(a_complaint_is_found_among_commands_that_went_well)
{
	char complaint[64] = "";
	size_t len;
	char *reply = read_capture(_i, "complaints", &len);

	/* No such server, a weight too high, no such backend, and a line for each command that
	 * HAProxy knows instead of the unknown one. */
	ck_assert_uint_eq(complaint_find(reply, len, complaint, sizeof(complaint)), 12);
	ck_assert_str_eq(complaint, "No such server.");
	free(reply);
	reply = read_capture(_i, "forbidden", &len);
	ck_assert_uint_eq(complaint_find(reply, len, complaint, sizeof(complaint)), 1);
	ck_assert_str_eq(complaint, "Permission denied");
	free(reply);
}
END_TEST

START_TEST(where_all_went_well_there_is_no_complaint)
{
	char complaint[8] = "old";
	size_t len;
	char *reply = read_capture(_i, "obeyed", &len);

	ck_assert_uint_gt(len, 0);
	ck_assert_uint_eq(complaint_find(reply, len, complaint, sizeof(complaint)), 0);
	ck_assert_uint_eq(complaint_find(NULL, 0, complaint, sizeof(complaint)), 0);
	ck_assert_str_eq(complaint, "old");
	free(reply);
}
END_TEST

START_TEST(a_complaint_is_cut_to_the_room_that_it_has)
{
	static const char reply[] = "\n\nNo such server.\nnext";
	char complaint[8] = "1234567";

	ck_assert_uint_eq(complaint_find(reply, strlen(reply), complaint, 8), 2);
	ck_assert_str_eq(complaint, "No such");
	ck_assert_uint_eq(complaint_find(reply, strlen(reply), complaint, 1), 2);
	ck_assert_str_eq(complaint, "");
	ck_assert_uint_eq(complaint_find(reply, strlen(reply), NULL, 0), 2);
	/* The last line needs no newline, and "No such" of it are 7 bytes exactly. */
	ck_assert_uint_eq(complaint_find(reply + 2, 7, complaint, 8), 1);
	ck_assert_str_eq(complaint, "No such");
}
END_TEST

/* From and into memory of exactly that length. */
START_TEST(a_complaint_is_read_and_written_within_its_bounds)
{
	static const char reply[] = "\n\nabcd";

	for (size_t size = 1; size <= 6; size++) {
		char *bytes = malloc(strlen(reply));
		char *complaint = malloc(size);

		memcpy(bytes, reply, strlen(reply));
		ck_assert_uint_eq(complaint_find(bytes, strlen(reply), complaint, size), 1);
		ck_assert_uint_eq(strlen(complaint), size <= 4 ? size - 1 : 4);
		ck_assert_int_eq(strncmp(complaint, "abcd", strlen(complaint)), 0);
		free(complaint);
		free(bytes);
	}
}
END_TEST

START_TEST(only_what_haproxy_refuses_is_a_complaint)
{
	static const char fine[] =
		"IP changed from '127.0.0.1' to '10.0.0.1', port changed from '1' to '99' by "
		"'stats "
		"socket command'\n\n\n\nno need to change the addr, no need to change the port by "
		"'stats socket command'\n\nnothing changed\n\nNew server registered.\n\nServer deleted.\n\n";
	static const char wrong[] = "\n\nNo such server.\n\nServer deleted.\nNo such backend.\n";
	char complaint[16] = "";

	ck_assert_uint_eq(complaint_find(fine, strlen(fine), complaint, sizeof(complaint)), 0);
	ck_assert_uint_eq(complaint_find(wrong, strlen(wrong), complaint, sizeof(complaint)), 2);
	ck_assert_str_eq(complaint, "No such server.");
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_complaint_is_found_among_commands_that_went_well, N_VERSIONS},
		{where_all_went_well_there_is_no_complaint, N_VERSIONS},
		{a_complaint_is_cut_to_the_room_that_it_has, ONCE},
		{a_complaint_is_read_and_written_within_its_bounds, ONCE},
		{only_what_haproxy_refuses_is_a_complaint, ONCE},
	};

	return run_suite("complaint", tests, N_OF(tests));
}
