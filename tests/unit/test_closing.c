/* SPDX-License-Identifier: MIT */
/* Which streams are closed, and how many at a time. */
#include <check.h>
#include <string.h>

#include "core/haproxy/closing.h"
#include "run.h"

START_TEST(streams_with_a_server_are_read)
{
	static const char reply[] =
		"0x55941d7243a0: proto=tcpv4 src=127.0.0.1:32916 fe=fe_clients be=be srv=s ts=00\n"
		"0x55941d83fff0: proto=unix_stream src=unix:1 fe=GLOBAL be=<NONE> srv=<none> ts=00\n"
		"0x7f00aa: proto=tcpv4 src=127.0.0.1:1 fe=fe_clients be=be srv=<none> ts=00\n"
		"nonsense\n0x: srv=s\n0xzz: srv=s\n0x12 srv=s\n"
		"0x7f00bb: proto=tcpv4 src=1.2.3.4:1 fe=fe be=be srv=pod2 ts=00";
	struct closing_streams streams;

	ck_assert(closing_read(reply, sizeof(reply) - 1, &streams));
	ck_assert_uint_eq(streams.n, 2);
	ck_assert_uint_eq(streams.ids[0], 0x55941d7243a0);
	ck_assert_uint_eq(streams.ids[1], 0x7f00bb);
	closing_fini(&streams);
	ck_assert(closing_read("", 0, &streams));
	ck_assert_uint_eq(streams.n, 0);
	closing_fini(&streams);
}
END_TEST

#define STREAM(id, txn) \
	id ": [28/Nov/2026:11:31:04.994396] id=0 proto=tcpv4\n  server=s\n  " txn "\n  res=0x5\n"
#define TUNNEL \
	"txn=0x5 flags=0x8000 meth=1 status=101 req.st=MSG_TUNNEL rsp.st=MSG_TUNNEL req.f=0xcc"

START_TEST(only_tunnels_after_101_are_websockets)
{
	static const char reply[] = STREAM("0xa1", TUNNEL) "\n" STREAM("0xa2",
		"txn=0x5 meth=1 status=200 req.st=MSG_DONE rsp.st=MSG_DATA") "\nSession not "
									     "found.\n\n" STREAM(
										     "0xa3",
										     "txn=0x5 meth=8 status=200 req.st=MSG_TUNNEL rsp.st=MSG_TUNNEL")
										     STREAM("0xa4",
											     "txn=0x5 meth=1 status=101 req.st=MSG_DONE rsp.st=MSG_TUNNEL")
											     STREAM("0xa5",
												     TUNNEL);
	uint64_t ids[4];

	ck_assert_uint_eq(closing_websockets(reply, sizeof(reply) - 1, ids, 4), 2);
	ck_assert_uint_eq(ids[0], 0xa1);
	ck_assert_uint_eq(ids[1], 0xa5);
	ck_assert_uint_eq(closing_websockets(reply, sizeof(reply) - 1, ids, 1), 1);
	ck_assert_uint_eq(closing_websockets("", 0, ids, 4), 0);
}
END_TEST

static const struct {
	size_t n;
	int64_t left_ms;
	unsigned rate;
	size_t due;
} times[] = {
	{9000, 335000, 0, 27},
	{9000, 1000, 0, 9000},
	{9000, -5, 0, 9000},
	{9000, 1001, 0, 8992},
	{1, 335000, 0, 1},
	{0, 1000, 0, 0},
	{9000, 335000, 10, 10},
	{9000, 0, 10, 10},
	{5, 0, 10, 5},
};

START_TEST(the_last_goes_when_the_time_is_over)
{
	ck_assert_uint_eq(
		closing_due(times[_i].n, times[_i].left_ms, 1000, times[_i].rate), times[_i].due);
}
END_TEST

START_TEST(no_second_takes_much_more_than_its_share)
{
	size_t n = 9000, most = 0;

	for (int64_t left_ms = 335000; left_ms > 0; left_ms -= 1000) {
		size_t due = closing_due(n, left_ms, 1000, 0);

		most = due > most ? due : most;
		n -= due;
	}
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_le(most, 9000 / 335 + 1);
}
END_TEST

static double last(void)
{
	return 0.999999;
}

START_TEST(a_line_names_each_of_a_batch)
{
	uint64_t ids[] = {1, 2, 3};
	struct closing_streams streams = {.ids = ids, .n = 3};
	char line[CLOSING_LINE_SIZE];
	uint64_t many[CLOSING_BATCH];

	closing_choose(&streams, 2, last);
	closing_write("shutdown session", ids, 2, line);
	ck_assert_str_eq(line, "shutdown session 0x3;shutdown session 0x1\n");
	memset(many, 0xff, sizeof(many));
	closing_write("shutdown session", many, CLOSING_BATCH, line);
	ck_assert_uint_lt(strlen(line), CLOSING_LINE_SIZE);
	ck_assert_int_eq(line[strlen(line) - 1], '\n');
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{streams_with_a_server_are_read, ONCE},
		{only_tunnels_after_101_are_websockets, ONCE},
		{the_last_goes_when_the_time_is_over, N_OF(times)},
		{no_second_takes_much_more_than_its_share, ONCE},
		{a_line_names_each_of_a_batch, ONCE},
	};

	return run_suite("closing", tests, N_OF(tests));
}
