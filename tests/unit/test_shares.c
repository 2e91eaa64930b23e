/* SPDX-License-Identifier: MIT */
/* Where the next hundred connections go. */
#include <check.h>

#include "core/report/shares.h"
#include "run.h"

START_TEST(leastconn_fills_the_emptiest_first)
{
	struct shares_server servers[] = {{.weight = 100, .own = 100}, {.weight = 100, .own = 100},
		{.weight = 100, .own = 40}};

	ck_assert(shares_next("leastconn", servers, 3));
	/* 60 bring it level, the other 40 go round. */
	ck_assert_double_eq_tol(servers[2].share, 0.74, 0.011);
	ck_assert_double_eq_tol(servers[0].share, 0.13, 0.011);
	ck_assert_double_eq_tol(servers[0].share + servers[1].share + servers[2].share, 1.0, 1e-9);
}
END_TEST

START_TEST(a_server_of_weight_zero_gets_nothing_and_one_without_sessions_comes_first)
{
	struct shares_server servers[] = {
		{.weight = 0, .own = 0}, {.weight = 256, .own = 1}, {.weight = 1, .own = 0}};

	ck_assert(shares_next("leastconn", servers, 3));
	ck_assert_double_eq(servers[0].share, 0.0);
	/* One to the empty server, whatever its weight; then by the weights. */
	ck_assert_double_eq_tol(servers[2].share, 0.01, 1e-9);
	ck_assert_double_eq_tol(servers[1].share, 0.99, 1e-9);
}
END_TEST

START_TEST(roundrobin_goes_by_weight)
{
	struct shares_server servers[] = {{.weight = 30, .own = 500}, {.weight = 10, .own = 0}};

	ck_assert(shares_next("roundrobin", servers, 2));
	ck_assert_double_eq_tol(servers[0].share, 0.75, 1e-9);
	ck_assert_double_eq_tol(servers[1].share, 0.25, 1e-9);
}
END_TEST

START_TEST(where_nothing_can_be_said_nothing_is)
{
	struct shares_server servers[] = {{.weight = 0, .own = 3, .share = 7.0}};

	ck_assert(!shares_next("source", servers, 1));
	ck_assert(!shares_next("unknown", servers, 1));
	ck_assert_double_eq(servers[0].share, 7.0);
	ck_assert(shares_next("leastconn", servers, 1));
	ck_assert_double_eq(servers[0].share, 0.0);
	ck_assert(shares_next("roundrobin", servers, 1));
	ck_assert_double_eq(servers[0].share, 0.0);
	ck_assert(shares_next("leastconn", servers, 0));
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{leastconn_fills_the_emptiest_first, ONCE},
		{a_server_of_weight_zero_gets_nothing_and_one_without_sessions_comes_first, ONCE},
		{roundrobin_goes_by_weight, ONCE},
		{where_nothing_can_be_said_nothing_is, ONCE},
	};

	return run_suite("shares", tests, N_OF(tests));
}
