/* SPDX-License-Identifier: MIT */
/* Content negotiation by RFC 9110. */
#include <check.h>
#include <stdlib.h>

#include "core/report/negotiate.h"
#include "run.h"

static const char *const offers[] = {"text/html", "application/json"};

static const struct {
	const char *header;
	size_t chosen;
} cases[] = {
	{NULL, 0},
	{"", 0},
	{"*/*", 0},
	{"application/json", 1},
	{"APPLICATION/JSON", 1},
	{"application/*", 1},
	{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 0},
	{"application/json, text/plain, */*", 0},
	{"application/json, text/plain, */*;q=0.9", 1},
	{"text/html;q=0.5, application/json;q=0.9", 1},
	{"text/html;q=0.900, application/json;q=0.9", 0},
	{"text/html;q=0, application/json;q=0.001", 1},
	{"text/html ; q=0.2 , application/json ; q=0.3", 1},
	/* The range that names the type rules, even when a wider one is kinder. */
	{"*/*, text/html;q=0.1", 1},
	{"text/*;q=0.2, application/json;q=0.1, text/html;q=0.05", 1},
	/* One type twice, in two versions: the better one counts. */
	{"text/html;q=0.5, application/json;version=1;q=0.4, application/json;version=2;q=0.6", 1},
	/* Nothing offered will do, and what is no header at all. */
	{"image/png", 0},
	{"text/html;q=0, application/json;q=0", 0},
	{",,;;q=,/,*,", 0},
	{"application/json;q", 1},
	{"application/json;q=2", 1},
	{"application/json;q=0.1234, text/html;q=0.9", 1},
	{"text/htm", 0},
	{"application/jsonx;q=1, text/html;q=0.1", 0},
};

START_TEST(the_type_with_the_highest_quality_is_chosen)
{
	ck_assert_msg(negotiate_choose(cases[_i].header, offers, 2) == cases[_i].chosen,
		"Accept: %s", cases[_i].header ? cases[_i].header : "(none)");
}
END_TEST

static const struct {
	const char *header;
	bool taken;
} codings[] = {
	{NULL, false},
	{"", false},
	{"gzip", true},
	{"GZip", true},
	{"identity", false},
	{"deflate, gzip;q=1.0, *;q=0.5", true},
	{"gzip;q=0", false},
	{"*", true},
	{"*;q=0", false},
	{"*, gzip;q=0", false},
	{"gzip;q=0, *", false},
	{"br, *;q=0.1", true},
	{"xgzip, gzipx", false},
	{",;,", false},
};

START_TEST(a_coding_is_taken_where_it_is_named_and_not_refused)
{
	ck_assert_msg(negotiate_takes(codings[_i].header, "gzip") == codings[_i].taken,
		"Accept-Encoding: %s", codings[_i].header ? codings[_i].header : "(none)");
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{the_type_with_the_highest_quality_is_chosen, N_OF(cases)},
		{a_coding_is_taken_where_it_is_named_and_not_refused, N_OF(codings)},
	};

	return run_suite("negotiate", tests, N_OF(tests));
}
