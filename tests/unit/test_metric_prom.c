/* SPDX-License-Identifier: MIT */
/* Pages in Prometheus' text format and in OpenMetrics: which series are summed, and what is
 * refused. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "run.h"

#define PAGE                                                       \
	"# HELP ws Open connections.\n"                            \
	"# TYPE ws gauge\n"                                        \
	"ws{app=\"chat\",proto=\"v1\"} 40\n"                       \
	"ws{app=\"chat\",proto=\"v2\"} 2\n"                        \
	"ws{app=\"api\",proto=\"v1\",} -3\n"                       \
	"ws{app=\"a\\\"b\\\\c\\nd\"} 7 1395066363000\n"            \
	"ws_total 1e+06\n"                                         \
	"plain 1.0E7\n"                                            \
	"\tspaced  { app = \"x\" , } \t 42.0 \r\n"                 \
	"half{x=\"1\"} 0.5\nhalf{x=\"2\"} 1.5\n"                   \
	"# TYPE empty gauge\n"                                     \
	"# TYPE opened counter\n"                                  \
	"# HELP told Only helped.\n"                               \
	"# TYPE hist histogram\n"                                  \
	"nan{x=\"1\"} NaN\nnan{x=\"2\"} 5\n"                       \
	"inf +Inf\nminus -Inf\nlow Nan\n"                          \
	"hex 0x2A\nodd nan(42)\nbare\nword many\nunder 1_000\n"    \
	"cut{x=\"1\" 5\nnolabel{x} 5\nnocomma{x=\"1\"y=\"2\"} 5\n" \
	"{\"quoted.name\",app=\"chat\"} 11\n"                      \
	"{\"quoted.name\",\"my.label\"=\"z\"} 12\n"                \
	"exemplar_bucket{le=\"1\"} 8 # {trace_id=\"x\"} 0.67\n"    \
	"stamped 9 1.5e9 # {a=\"}\"} 1 2\n"                        \
	"two 5 6 7\n"                                              \
	"large 9007199254740993000\nlarge -9007199254740993000\n"  \
	"ws:sum 33\n"                                              \
	"brace{x=\"}{\",y=\"#\"} 4\n"

static const struct {
	const char *key;
	enum metric_outcome outcome;
	uint32_t count;
} keys[] = {
	{"ws", METRIC_OK, 46},
	{"ws{app=\"chat\"}", METRIC_OK, 42},
	{"ws{app=\"chat\",proto!=\"v2\"}", METRIC_OK, 40},
	{"ws{ app = \"chat\" , proto =~ \"v[13]\" , }", METRIC_OK, 40},
	{"ws{proto!~\"v.*\"}", METRIC_OK, 7},
	/* A label that is absent is empty, and a pattern fits the whole value. */
	{"ws{proto=\"\"}", METRIC_OK, 7},
	{"ws{proto!=\"\",app!=\"api\"}", METRIC_OK, 42},
	{"ws{nolabel=~\"|x\",app=\"chat\"}", METRIC_OK, 42},
	{"ws{proto=~\"v\"}", METRIC_NO_KEY, 0},
	{"ws{app=~\"ch\"}", METRIC_NO_KEY, 0},
	{"ws{app=\"a\\\"b\\\\c\\nd\"}", METRIC_OK, 7},
	{"ws{app=~\"a.b.c.d\"}", METRIC_OK, 7},
	{"ws{app=~\"(a[^*+{(]+|[]x*]{2,10})c?.*[d]+\"}", METRIC_OK, 7},
	{"ws{app=\"api\"}", METRIC_NOT_A_COUNT, 0},
	{"ws{app=\"none\"}", METRIC_NO_KEY, 0},
	/* Sums. */
	{"ws{app=\"chat\"}+ws{app=\"api\"}", METRIC_OK, 39},
	{"ws{app=\"chat\"} - plain + plain", METRIC_OK, 42},
	{"ws{app=\"api\"} - ws{app=\"chat\"}", METRIC_NOT_A_COUNT, 0},
	{"half", METRIC_OK, 2},
	{"half{x=\"1\"}", METRIC_NOT_A_COUNT, 0},
	{"half{x=\"1\"} + half{x=\"1\"}", METRIC_OK, 1},
	{"ws + none", METRIC_NO_KEY, 0},
	/* Alternatives: the first that is there, if it is any good or not. */
	{"none | ws{app=\"chat\"}", METRIC_OK, 42},
	{"ws{app=\"chat\"} | none", METRIC_OK, 42},
	{"none + ws | other | plain", METRIC_OK, 10000000},
	{"ws{app=\"none\"} | plain", METRIC_NO_KEY, 0},
	{"nan | plain", METRIC_NOT_A_COUNT, 0},
	/* Numbers as libraries write them, and others. */
	{"ws_total", METRIC_OK, 1000000},
	{"plain", METRIC_OK, 10000000},
	{"spaced", METRIC_OK, 42},
	{"spaced{app=\"x\"}", METRIC_OK, 42},
	{"stamped", METRIC_OK, 9},
	{"exemplar_bucket", METRIC_OK, 8},
	{"ws:sum", METRIC_OK, 33},
	{"brace{y=\"#\"}", METRIC_OK, 4},
	{"nan", METRIC_NOT_A_COUNT, 0},
	{"nan{x=\"2\"}", METRIC_OK, 5},
	{"inf", METRIC_NOT_A_COUNT, 0},
	{"minus", METRIC_NOT_A_COUNT, 0},
	{"inf + minus", METRIC_NOT_A_COUNT, 0},
	{"low", METRIC_NOT_A_COUNT, 0},
	{"large", METRIC_NOT_A_COUNT, 0},
	{"hex", METRIC_NOT_PROMETHEUS, 0},
	{"odd", METRIC_NOT_PROMETHEUS, 0},
	{"bare", METRIC_NOT_PROMETHEUS, 0},
	{"word", METRIC_NOT_PROMETHEUS, 0},
	{"under", METRIC_NOT_PROMETHEUS, 0},
	{"two", METRIC_NOT_PROMETHEUS, 0},
	{"cut", METRIC_NOT_PROMETHEUS, 0},
	{"nolabel", METRIC_NOT_PROMETHEUS, 0},
	{"nocomma", METRIC_NOT_PROMETHEUS, 0},
	/* Quoted names. */
	{"{\"quoted.name\"}", METRIC_OK, 23},
	{"{\"quoted.name\",app=\"chat\"}", METRIC_OK, 11},
	{"{\"quoted.name\",\"my.label\"=\"z\"}", METRIC_OK, 12},
	{"{\"ws\",app=\"chat\"}", METRIC_OK, 42},
	/* A part of a name is another name. */
	{"w", METRIC_NO_KEY, 0},
	{"wss", METRIC_NO_KEY, 0},
	{"total", METRIC_NO_KEY, 0},
};

START_TEST(the_series_that_fit_are_summed_and_nothing_else_is)
{
	struct metric_query query = metrics_query(METRIC_PROMETHEUS, keys[_i].key);

	for (size_t piece = 0; piece < 40; piece += piece < 8 ? 1 : 13) {
		struct metric metric;
		enum metric_outcome outcome =
			metrics_read_pieces(&query, PAGE, strlen(PAGE), piece, NULL, &metric);

		ck_assert_msg(outcome == keys[_i].outcome, "%s: %s, not %s", keys[_i].key,
			metric_outcome_label(outcome), metric_outcome_label(keys[_i].outcome));
		if (outcome == METRIC_OK) {
			ck_assert_uint_eq(metric.count, keys[_i].count);
			ck_assert_uint_eq(metric.unsampled, 0);
		}
	}
	metric_query_fini(&query);
}
END_TEST

START_TEST(a_series_that_is_only_announced_is_told_from_one_that_is_not)
{
	static const struct {
		const char *key;
		enum metric_outcome outcome;
		uint32_t count;
		uint32_t sampled;
		uint32_t unsampled;
	} rows[] = {
		{"empty", METRIC_OK, 0, 0, 1},
		{"told", METRIC_OK, 0, 0, 1},
		{"empty{x=\"1\"}", METRIC_OK, 0, 0, 1},
		{"opened_total", METRIC_OK, 0, 0, 1},
		{"hist_count", METRIC_OK, 0, 0, 1},
		{"opened_count", METRIC_NO_KEY, 0, 0, 0},
		{"told_total", METRIC_NO_KEY, 0, 0, 0},
		{"empty_total", METRIC_NO_KEY, 0, 0, 0},
		{"empt", METRIC_NO_KEY, 0, 0, 0},
		{"ws_total - opened_total", METRIC_OK, 1000000, 1, 2},
		{"opened_total + empty", METRIC_OK, 0, 0, 3},
		{"none | ws_total - opened_total", METRIC_OK, 1000000, 2, 4},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metric metric;
		enum metric_outcome outcome =
			metrics_read(METRIC_PROMETHEUS, rows[i].key, PAGE, strlen(PAGE), &metric);

		ck_assert_msg(outcome == rows[i].outcome, "%s", rows[i].key);
		if (outcome != METRIC_OK)
			continue;
		ck_assert_uint_eq(metric.count, rows[i].count);
		ck_assert_uint_eq(metric.sampled, rows[i].sampled);
		ck_assert_uint_eq(metric.unsampled, rows[i].unsampled);
	}
}
END_TEST

/* A page that is cut anywhere: the count is the whole page's, or it is refused. */
START_TEST(a_page_that_breaks_off_in_a_wanted_line_is_refused)
{
	static const char page[] = "# TYPE other gauge\nother 5\nws_connections 421\nlast 6\n";
	const size_t wanted = strlen("# TYPE other gauge\nother 5\n");
	const size_t behind = wanted + strlen("ws_connections 421\n");
	struct metric_query query = metrics_query(METRIC_PROMETHEUS, "ws_connections");

	for (size_t len = 0; len < sizeof(page); len++) {
		struct metric metric;
		enum metric_outcome outcome =
			metrics_read_pieces(&query, page, len, 0, NULL, &metric);

		if (len >= behind)
			ck_assert_int_eq(outcome, METRIC_OK);
		else if (len > wanted)
			ck_assert_int_eq(outcome, METRIC_BROKEN);
		else
			ck_assert_int_eq(outcome, METRIC_NO_KEY);
	}
	metric_query_fini(&query);
}
END_TEST

START_TEST(a_page_of_openmetrics_has_its_last_line)
{
	static const char *const type = "application/openmetrics-text; version=1.0.0";
	static const struct {
		const char *page;
		const char *type;
		enum metric_outcome outcome;
	} rows[] = {
		{"ws 5\n# EOF\n", type, METRIC_OK},
		{"ws 5\n# EOF", type, METRIC_OK},
		{"ws 5\n", type, METRIC_BROKEN},
		{"ws 5\n# EO", type, METRIC_BROKEN},
		{"ws 5\n", "text/plain", METRIC_OK},
		{"ws 5\n", NULL, METRIC_OK},
		/* What follows the end is not the page's. */
		{"ws 5\n# EOF\nws 6\n", type, METRIC_OK},
		{"# TYPE ws gauge\n# TYPE w", "text/plain", METRIC_OK},
	};
	struct metric_query query = metrics_query(METRIC_PROMETHEUS, "ws");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metric metric;
		enum metric_outcome outcome = metrics_read_pieces(
			&query, rows[i].page, strlen(rows[i].page), 0, rows[i].type, &metric);

		ck_assert_msg(outcome == rows[i].outcome, "%s", rows[i].page);
		if (outcome == METRIC_OK && metric.sampled)
			ck_assert_uint_eq(metric.count, 5);
	}
	metric_query_fini(&query);
}
END_TEST

START_TEST(an_unfinished_announcement_announces_nothing)
{
	struct metric metric;

	ck_assert_int_eq(
		metrics_read(METRIC_PROMETHEUS, "w", "# TYPE w", 8, &metric), METRIC_NO_KEY);
	ck_assert_int_eq(
		metrics_read(METRIC_PROMETHEUS, "w", "# TYPE w gauge\n", 15, &metric), METRIC_OK);
}
END_TEST

START_TEST(what_is_no_page_is_refused_in_the_right_words)
{
	struct metric metric;

	ck_assert_int_eq(metrics_read(METRIC_PROMETHEUS, "ws", "\x1f\x8b\x08\0\0\n", 6, &metric),
		METRIC_COMPRESSED);
	ck_assert_int_eq(
		metrics_read(METRIC_PROMETHEUS, "ws", "\x1f\x8b", 2, &metric), METRIC_COMPRESSED);
	ck_assert_int_eq(
		metrics_read(METRIC_PROMETHEUS, "ws", "\xef\xbb\xbfws 5\n", 8, &metric), METRIC_OK);
	ck_assert_uint_eq(metric.count, 5);
	ck_assert_int_eq(metrics_read(METRIC_PROMETHEUS, "ws", "", 0, &metric), METRIC_NO_KEY);
	ck_assert_int_eq(metrics_read(METRIC_PROMETHEUS, "ws", "<html>\n</html>\n", 15, &metric),
		METRIC_NO_KEY);
}
END_TEST

/* Megabytes pass, and of them a line is kept; a line without an end is not waited for. */
START_TEST(a_page_is_taken_up_to_its_limit_and_a_line_up_to_64_kib)
{
	const size_t size = METRIC_PROMETHEUS_MAX;
	struct metric_query query = metrics_query(METRIC_PROMETHEUS, "ws");
	char *page = malloc(size + 1);
	struct metric metric;

	ck_assert_ptr_nonnull(page);
	for (size_t i = 0; i < size + 1; i++)
		page[i] = i % 100 == 99 ? '\n' : 'x';
	memcpy(page, "ws 5\n", 5);
	page[size - 1] = '\n';
	ck_assert_int_eq(metrics_read_pieces(&query, page, size, 16384, NULL, &metric), METRIC_OK);
	ck_assert_int_eq(metrics_read_pieces(&query, page, size + 1, 16384, NULL, &metric),
		METRIC_TOO_LARGE);
	memset(page + 5, 'y', 70000);
	ck_assert_int_eq(
		metrics_read_pieces(&query, page, size, 16384, NULL, &metric), METRIC_TOO_LARGE);
	ck_assert_int_eq(
		metrics_read_pieces(&query, page, size, 0, NULL, &metric), METRIC_TOO_LARGE);
	free(page);
	metric_query_fini(&query);
}
END_TEST

START_TEST(draining_and_capacity_are_read_from_series_of_their_own)
{
	static const struct {
		const char *page;
		bool draining;
		bool odd_draining;
		double capacity;
		bool odd_capacity;
	} rows[] = {
		{"ws 5\n", false, false, 0, false},
		{"ws 5\nstop 1\nroom 2.5\n", true, false, 2.5, false},
		{"ws 5\nstop 0\nroom 0\n", false, false, 0, true},
		{"ws 5\nstop 2\nroom NaN\n", false, true, 0, true},
		{"ws 5\n# TYPE stop gauge\nroom x\n", false, false, 0, true},
	};
	struct metric_words words = {.format = METRIC_PROMETHEUS, .keys = {"ws", "stop", "room"}};
	struct metric_query query;
	enum metric_role bad;
	struct why why;

	ck_assert(metric_query_parse(&words, &query, &bad, &why));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metric metric;

		ck_assert_int_eq(metrics_read_pieces(&query, rows[i].page, strlen(rows[i].page), 0,
					 NULL, &metric),
			METRIC_OK);
		ck_assert_uint_eq(metric.count, 5);
		ck_assert(metric.draining == rows[i].draining);
		ck_assert(metric.odd_draining == rows[i].odd_draining);
		ck_assert_double_eq(metric.capacity, rows[i].capacity);
		ck_assert(metric.odd_capacity == rows[i].odd_capacity);
	}
	metric_query_fini(&query);
}
END_TEST

static const struct {
	enum metric_format format;
	const char *key;
	const char *word; /* in the reason */
} mistakes[] = {
	{METRIC_PROMETHEUS, "", "name of a series is missing"},
	{METRIC_PROMETHEUS, "ws +", "name of a series is missing"},
	{METRIC_PROMETHEUS, "- ws", "name of a series is missing"},
	{METRIC_PROMETHEUS, "1ws", "name of a series is missing"},
	{METRIC_PROMETHEUS, "ws ws", "joined by"},
	{METRIC_PROMETHEUS, "ws{", "not closed"},
	{METRIC_PROMETHEUS, "ws{a=\"b\"", "not closed"},
	{METRIC_PROMETHEUS, "ws{a=\"b}", "not closed"},
	{METRIC_PROMETHEUS, "ws{a=b}", "double quotes"},
	{METRIC_PROMETHEUS, "ws{a}", "=~"},
	{METRIC_PROMETHEUS, "ws{a~\"b\"}", "=~"},
	{METRIC_PROMETHEUS, "ws{a=\"b\" c=\"d\"}", "comma"},
	{METRIC_PROMETHEUS, "{a=\"b\"}", "name of a series is missing"},
	{METRIC_PROMETHEUS, "\"a.b\"", "braces"},
	{METRIC_PROMETHEUS, "ws{a=~\"(\"}", "regular expression"},
	{METRIC_PROMETHEUS, "ws{a=~\"\\\\d+\"}", "[0-9]"},
	{METRIC_PROMETHEUS, "ws{a=~\"c**\"}", "too costly"},
	{METRIC_PROMETHEUS, "ws{a=~\"c{1,9}+\"}", "too costly"},
	{METRIC_PROMETHEUS, "ws{a=~\"c{30000}\"}", "too costly"},
	{METRIC_PROMETHEUS, "ws{a=~\"((c{11}){11})\"}", "too costly"},
	{METRIC_PROMETHEUS, "ws{a=~\"(((((c)))))\"}", "too costly"},
	{METRIC_PROMETHEUS, "ws{a=~\"a*b*c*d*e*f*g*h*i*j*k*l*m*n*o*p*q*\"}", "too costly"},
	{METRIC_TEXT, "", "word"},
	{METRIC_TEXT, "a + ", "word"},
	{METRIC_JSON, "a..b", "between two dots"},
	{METRIC_JSON, "a.", "between two dots"},
	{METRIC_JSON, ".a", "between two dots"},
	{METRIC_JSON, "a[", "brackets"},
	{METRIC_JSON, "a[x]", "brackets"},
	{METRIC_JSON, "a[1", "not closed"},
	{METRIC_JSON, "a[99999999]", "index"},
	{METRIC_JSON, "a[\"b]", "not closed"},
	{METRIC_JSON, "a[n=\"b\"", "not closed"},
	{METRIC_JSON, "a[]b", "dot"},
	{METRIC_JSON, "a\"b", "quotation"},
	{METRIC_JSON, "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", "16 steps"},
	{METRIC_JSON, "a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a",
		"16 terms"},
};

START_TEST(a_wrong_key_is_refused_in_words)
{
	struct metric_key key = {.n_terms = 7};
	struct why why = {.line = 0};

	ck_assert_msg(!metric_key_parse(mistakes[_i].key, mistakes[_i].format, &key, &why), "%s",
		mistakes[_i].key);
	ck_assert_uint_eq(key.n_terms, 7);
	ck_assert_msg(strstr(why.text, mistakes[_i].word), "%s: %s", mistakes[_i].key, why.text);
}
END_TEST

START_TEST(spoilt_pages_do_no_harm)
{
	static const char lures[] = "{}\"\\,=#\n \t0123456789.eE+-NaIif\r_w\0\xff";
	struct metric_query query = metrics_query(
		METRIC_PROMETHEUS, "ws{app=~\"c.*\",x!=\"1\"} - half | {\"quoted.name\"}");

	for (int round = 0; round < 20000; round++) {
		char page[] = PAGE;
		struct metric metric;

		for (int i = rand() % 8; i >= 0; i--)
			page[(size_t)rand() % (sizeof(page) - 1)] =
				lures[(size_t)rand() % (sizeof(lures) - 1)];
		if (metrics_read_pieces(&query, page, sizeof(page) - 1, (size_t)rand() % 500, NULL,
			    &metric) == METRIC_OK)
			ck_assert_uint_le(metric.count, INT32_MAX);
	}
	metric_query_fini(&query);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{the_series_that_fit_are_summed_and_nothing_else_is, N_OF(keys)},
		{a_series_that_is_only_announced_is_told_from_one_that_is_not, ONCE},
		{a_page_that_breaks_off_in_a_wanted_line_is_refused, ONCE},
		{a_page_of_openmetrics_has_its_last_line, ONCE},
		{an_unfinished_announcement_announces_nothing, ONCE},
		{what_is_no_page_is_refused_in_the_right_words, ONCE},
		{a_page_is_taken_up_to_its_limit_and_a_line_up_to_64_kib, ONCE},
		{draining_and_capacity_are_read_from_series_of_their_own, ONCE},
		{a_wrong_key_is_refused_in_words, N_OF(mistakes)},
		{spoilt_pages_do_no_harm, ONCE},
	};

	run_dice("metric_prom");
	return run_suite("metric_prom", tests, N_OF(tests));
}
