/* SPDX-License-Identifier: MIT */
/* What `wsbalancer top` and `wsbalancer status` make of a report that is none of an agent's. */
#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/screen.h"
#include "core/base/jsonget.h"
#include "core/base/jsonparse.h"
#include "core/report/report_age.h"
#include "run.h"

/* Members of which a reader takes a number: of a pod, and of the report's other objects. */
static const char *const members[] = {"trouble", "agentsConnections", "own_sessions", "level",
	"deviation", "share_next", "since_s", "age_s", "uptime_s", "connections_reckoned",
	"connections", "pods_known", "pods"};

static const char *const numbers[] = {"1e999", "-1e999", "1e308", "-1e308", "1e19", "-1e19",
	"9223372036854775807", "-9223372036854775808", "9223372036854775808",
	"18446744073709551616", "99999999999999999999999999", "-99999999999999999999999999", "-1",
	"0", "-0.0", "1e-320", "0.5", "null", "\"1\"", "true", "[]", "{}"};

static struct json_object *parse(const char *text)
{
	struct json_object *object;

	ck_assert_msg(jsonparse(text, strlen(text), &object) == JSONPARSE_OK, "%s", text);
	return object;
}

/* A report in which a member of each object has the number. */
static struct json_object *make_report(const char *member, const char *number)
{
	char text[2048];

	snprintf(text, sizeof(text),
		"{\"haproxy\": {\"reached\": %s, \"%s\": %s}, \"totals\": {\"%s\": %s},"
		"\"services\": [{\"url\": \"a\"}],"
		"\"podMetrics\": {\"a\": [{\"podName\": \"x\", \"%s\": %s},"
		" {\"podName\": \"y\", \"agentsConnections\": 5, \"own_sessions\": 2,"
		" \"level\": 4.0, \"deviation\": 0.2, \"share_next\": 0.3, \"since_s\": 7}]}}",
		strcmp(member, "age_s") == 0 ? "false" : "true", member, number, member, number,
		member, number);
	return parse(text);
}

static size_t longest_line(const char *text)
{
	size_t longest = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		longest = len > longest ? len : longest;
		text += len + (text[len] == '\n');
	}
	return longest;
}

START_TEST(no_number_of_a_report_does_harm)
{
	const char *member = members[_i];

	for (int n = 0; n < N_OF(numbers); n++) {
		for (int sort = 0; sort < SCREEN_N_SORTS; sort++) {
			struct json_object *report = make_report(member, numbers[n]);
			struct screen_options options = {
				.width = 100, .sort = (enum screen_sort)sort};
			struct screen screen = {.n_rows = 0};

			ck_assert(screen_make(&screen, report, &options));
			ck_assert_uint_eq(screen.n_shown, 2);
			ck_assert_ptr_nonnull(strstr(buf_text(&screen.rows), "x "));
			ck_assert_ptr_nonnull(strstr(buf_text(&screen.rows), "y "));
			ck_assert_uint_le(longest_line(buf_text(&screen.rows)), 120);
			ck_assert_uint_le(longest_line(buf_text(&screen.head)), 200);
			screen_fini(&screen);
			json_object_put(report);
		}
	}
}
END_TEST

START_TEST(a_number_beyond_a_double_is_missing)
{
	struct json_object *object = parse("{\"a\": 1e999, \"b\": -1e999, \"c\": 1e308}");

	ck_assert_double_eq(jsonget_number(object, "a", 7.0), 7.0);
	ck_assert_double_eq(jsonget_number(object, "b", 7.0), 7.0);
	ck_assert_double_eq(jsonget_number(object, "c", 7.0), 1e308);
	json_object_put(object);
}
END_TEST

START_TEST(any_age_is_told)
{
	static const struct {
		double s;
		const char *told;
		const char *whole;
	} ages[] = {
		{0.0, "0.0 s", "0 s"},
		{-5.0, "0.0 s", "0 s"},
		{-1e300, "0.0 s", "0 s"},
		{(double)NAN, "0.0 s", "0 s"},
		{9.5, "9.5 s", "9 s"},
		{59.0, "59 s", "59 s"},
		{1e300, "365250 d 0 h", "365250 d 0 h"},
		{(double)INFINITY, "365250 d 0 h", "365250 d 0 h"},
	};

	for (int i = 0; i < N_OF(ages); i++) {
		char text[40];

		ck_assert_str_eq(report_age(ages[i].s, text, sizeof(text)), ages[i].told);
		ck_assert_str_eq(report_age_whole(ages[i].s, text, sizeof(text)), ages[i].whole);
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{no_number_of_a_report_does_harm, N_OF(members)},
		{a_number_beyond_a_double_is_missing, ONCE},
		{any_age_is_told, ONCE},
	};

	setlocale(LC_ALL, "C.UTF-8");
	return run_suite("screen", tests, N_OF(tests));
}
