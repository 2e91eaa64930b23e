/* SPDX-License-Identifier: MIT */
/* What pods may answer to /metric, and what is made of it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "metrics.h"
#include "run.h"

static enum metric_outcome parse(const char *body, size_t len, const char *key, struct metric *out)
{
	return metrics_read(METRIC_JSON, key, body, len, out);
}

#define BODY(text) text, sizeof(text) - 1

static const struct {
	const char *body;
	size_t len;
	enum metric_outcome outcome;
	uint32_t count;
} counts[] = {
	{BODY("{\"n\":42}"), METRIC_OK, 42},
	{BODY("{\"n\":0}"), METRIC_OK, 0},
	{BODY("{\"n\":-0}"), METRIC_OK, 0},
	{BODY("{\"n\":2147483647}"), METRIC_OK, INT32_MAX},
	{BODY(" \t\r\n{ \"n\" : 42 } \t\r\n"), METRIC_OK, 42},
	{BODY("\xef\xbb\xbf{\"n\":42}"), METRIC_OK, 42},
	{BODY("{\"other\":{\"n\":1},\"n\":42,\"more\":[1,2]}"), METRIC_OK, 42},
	{BODY("{\"n\":1,\"n\":2}"), METRIC_DUPLICATE_KEY, 0},
	{BODY("{\"n\":\"1\",\"n\":2}"), METRIC_DUPLICATE_KEY, 0},
	{BODY("{\"\\u006e\":42}"), METRIC_OK, 42},
	/* Numbers that are no count. */
	{BODY("{\"n\":2147483648}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":4294967296}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":9223372036854775808}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":18446744073709551616}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":18446744073709551658}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":-1}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":-9223372036854775809}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":42.0}"), METRIC_OK, 42},
	{BODY("{\"n\":4.2e1}"), METRIC_OK, 42},
	{BODY("{\"n\":42.5}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":1e300}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":2147483647.5}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":1e3}"), METRIC_OK, 1000},
	/* Other things than numbers. */
	{BODY("{\"n\":\"42\"}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":true}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":false}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":[42]}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":{}}"), METRIC_NOT_A_COUNT, 0},
	{BODY("{\"n\":null}"), METRIC_NOT_A_COUNT, 0},
	/* Nothing there. */
	{BODY("{}"), METRIC_NO_KEY, 0},
	{BODY("{\"N\":42}"), METRIC_NO_KEY, 0},
	{BODY("{\"nn\":42}"), METRIC_NO_KEY, 0},
	{BODY("{\"m\":{\"n\":42}}"), METRIC_NO_KEY, 0},
	{BODY("[]"), METRIC_NO_KEY, 0},
	{BODY("[{\"n\":42}]"), METRIC_NO_KEY, 0},
	{BODY("42"), METRIC_NO_KEY, 0},
	{BODY("42\n"), METRIC_NO_KEY, 0},
	{BODY("\"n\""), METRIC_NO_KEY, 0},
	{BODY("true"), METRIC_NO_KEY, 0},
	{BODY("null"), METRIC_NO_KEY, 0},
	/* No JSON, or not JSON alone. */
	{BODY(""), METRIC_NOT_JSON, 0},
	{BODY(" \n"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42abc}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":+42}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":042}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":0x2a}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":.5}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":1 2}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":TRUE}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42"), METRIC_NOT_JSON, 0},
	{BODY("{n:42}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42}}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42}{\"n\":43}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42} x"), METRIC_NOT_JSON, 0},
	{BODY("42x"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42}\v"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42}/* none */"), METRIC_NOT_JSON, 0},
	{BODY("{/* none */\"n\":42}"), METRIC_NOT_JSON, 0},
	{BODY("agentsConnections 42\n"), METRIC_NOT_JSON, 0},
	{BODY("<html></html>"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":NaN}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":Infinity}"), METRIC_NOT_JSON, 0},
	{BODY("\0"), METRIC_NOT_JSON, 0},
	{BODY("\0{\"n\":42}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42}\0"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42\0}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":4\0"
	      "2}"),
		METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"podName\":\"a\0b\"}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"podName\":\"\\ux\"}"), METRIC_NOT_JSON, 0},
	/* No UTF-8, wherever it stands: a byte alone, cut short, overlong, a surrogate, too high.
	 */
	{BODY("{\"n\":42,\"podName\":\"\xff\"}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"podName\":\"\x80\"}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"podName\":\"\xe2\x82\"}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"podName\":\"\xc0\x80\"}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"podName\":\"\xe0\x80\xaf\"}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"podName\":\"\xed\xa0\x80\"}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"podName\":\"\xf4\x90\x80\x80\"}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42,\"\xff\":1}"), METRIC_NOT_JSON, 0},
	{BODY("{\"n\":42}\xff"), METRIC_NOT_JSON, 0},
};

START_TEST(only_a_whole_number_at_the_key_is_a_count)
{
	struct metric metric;

	enum metric_outcome outcome = parse(counts[_i].body, counts[_i].len, "n", &metric);

	ck_assert_msg(outcome == counts[_i].outcome, "%s: %s, not %s", counts[_i].body,
		metric_outcome_label(outcome), metric_outcome_label(counts[_i].outcome));
	if (counts[_i].outcome != METRIC_OK)
		return;
	ck_assert_uint_eq(metric.count, counts[_i].count);
	ck_assert(!metric.draining);
	ck_assert(metric.capacity == 0.0);
	ck_assert_str_eq(metric.pod_name, "");
	ck_assert_str_eq(metric.pod_ip, "");
	ck_assert_str_eq(metric.node_name, "");
}
END_TEST

START_TEST(no_byte_of_a_good_answer_can_be_missing)
{
	static const char body[] = "{\"n\":{\"m\":42},\"podName\":\"p\xc3\xa4\",\"draining\":true}";
	struct metric metric;

	for (size_t len = 0; len + 1 < sizeof(body); len++)
		ck_assert_int_eq(parse(body, len, "n.m", &metric), METRIC_NOT_JSON);
	ck_assert_int_eq(parse(body, sizeof(body) - 1, "n.m", &metric), METRIC_OK);
}
END_TEST

START_TEST(a_path_leads_to_one_number_or_to_a_sum)
{
	static const char body[] =
		"{\"a\":{\"b\":{\"c\":7},\"d\":8,\"e\":[{\"f\":9}],\"\":10},\"a.d\":11,\"g\":null,"
		"\"o\":[],\"p\":{},\"with-minus\":6,\"l\":[{\"name\":\"x\",\"v\":5},"
		"{\"name\":\"y\",\"v\":\"5\"},30,{\"name\":7,\"v\":8}]}";
	static const struct {
		const char *key;
		enum metric_outcome outcome;
		uint32_t count;
	} paths[] = {
		{"a.b.c", METRIC_OK, 7},
		{"a.d", METRIC_OK, 8},
		{"a.b", METRIC_NOT_A_COUNT, 0},
		{"a", METRIC_NOT_A_COUNT, 0},
		{"a.d.x", METRIC_NO_KEY, 0},
		{"a.e.f", METRIC_NO_KEY, 0},
		{"a.e.0", METRIC_NO_KEY, 0},
		{"g.x", METRIC_NO_KEY, 0},
		{"a.x.c", METRIC_NO_KEY, 0},
		{"d", METRIC_NO_KEY, 0},
		/* Quoted, indexed, summed, filtered. */
		{"[\"a.d\"]", METRIC_OK, 11},
		{"a[\"b\"].c", METRIC_OK, 7},
		{"[\"a\"][\"b\"][\"c\"]", METRIC_OK, 7},
		{"a.e[0].f", METRIC_OK, 9},
		{"a.e[1].f", METRIC_NO_KEY, 0},
		{"a.e[].f", METRIC_OK, 9},
		{"a.e[]", METRIC_NOT_A_COUNT, 0},
		{"a[].f", METRIC_NO_KEY, 0},
		{"a.*", METRIC_NOT_A_COUNT, 0},
		{"a.b.*", METRIC_OK, 7},
		{"g.*", METRIC_NO_KEY, 0},
		{"none[]", METRIC_NO_KEY, 0},
		{"o", METRIC_NOT_A_COUNT, 0},
		{"o[]", METRIC_OK, 0},
		{"o[].x", METRIC_OK, 0},
		{"p.*", METRIC_NO_KEY, 0},
		{"l[name=\"x\"].v", METRIC_OK, 5},
		{"l[name=\"y\"].v", METRIC_NOT_A_COUNT, 0},
		{"l[name=\"z\"].v", METRIC_NO_KEY, 0},
		{"l[].v", METRIC_NO_KEY, 0},
		{"l[2]", METRIC_OK, 30},
		{"a.b.c + a.d", METRIC_OK, 15},
		{"a.d - a.b.c", METRIC_OK, 1},
		{"a.b.c - a.d", METRIC_NOT_A_COUNT, 0},
		{"none | a.d", METRIC_OK, 8},
		{"g | a.d", METRIC_NOT_A_COUNT, 0},
		{"with-minus", METRIC_OK, 6},
		{"", METRIC_NOT_A_COUNT, 0},
		{"A.d", METRIC_NO_KEY, 0},
		{"a/d", METRIC_NO_KEY, 0},
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct metric metric;

		ck_assert_msg(parse(body, strlen(body), paths[i].key, &metric) == paths[i].outcome,
			"%s", paths[i].key);
		if (paths[i].outcome == METRIC_OK)
			ck_assert_uint_eq(metric.count, paths[i].count);
	}
}
END_TEST

START_TEST(an_empty_key_is_the_whole_answer)
{
	struct metric metric;

	ck_assert_int_eq(parse("42\n", 3, "", &metric), METRIC_OK);
	ck_assert_uint_eq(metric.count, 42);
	ck_assert_int_eq(parse("[1,2,3]", 7, "[]", &metric), METRIC_OK);
	ck_assert_uint_eq(metric.count, 6);
	ck_assert_int_eq(parse("\"42\"", 4, "", &metric), METRIC_NOT_A_COUNT);
	ck_assert_int_eq(parse("null", 4, "", &metric), METRIC_NOT_A_COUNT);
	ck_assert_int_eq(parse("", 0, "", &metric), METRIC_NOT_JSON);
}
END_TEST

static const struct {
	const char *key;
	const char *body;
	enum metric_outcome outcome;
	uint32_t count;
} texts[] = {
	{"Active connections:", "Active connections: 291 \nserver accepts\n 1 2 3\n", METRIC_OK,
		291},
	{"Active connections", "Active connections: 291", METRIC_OK, 291},
	{"Writing:", "Reading: 6 Writing: 179 Waiting: 106\n", METRIC_OK, 179},
	{"Reading + Writing", "Reading: 6 Writing: 179 Waiting: 106\n", METRIC_OK, 185},
	{"Active connections - Waiting", "Active connections: 291\nWaiting: 106\n", METRIC_OK, 185},
	{"Sockets", "WebSockets 8\nSockets 9\n", METRIC_OK, 9},
	{"Sockets", "WebSockets 8\n", METRIC_NO_KEY, 0},
	{"Sockets", "Sockets_open 8\n", METRIC_NO_KEY, 0},
	{"open", "a=1\r\nopen=12\r\n", METRIC_OK, 12},
	{"open", "open n/a\n", METRIC_NOT_A_COUNT, 0},
	{"open", "open 1,234\n", METRIC_NOT_A_COUNT, 0},
	{"open", "open 12.0\n", METRIC_NOT_A_COUNT, 0},
	{"open", "open -1\n", METRIC_NOT_A_COUNT, 0},
	{"open", "open 12abc\n", METRIC_NOT_A_COUNT, 0},
	{"open", "open\n12\n", METRIC_NOT_A_COUNT, 0},
	{"open", "open 99999999999999999999\n", METRIC_NOT_A_COUNT, 0},
	{"open", "open 4294967296\n", METRIC_NOT_A_COUNT, 0},
	/* The first line with the word counts, if its number is any good or not. */
	{"open", "open: 1\nopen: 2\n", METRIC_OK, 1},
	{"open", "open: ?\nopen: 2\n", METRIC_NOT_A_COUNT, 0},
	{"none | open", "open: 2\n", METRIC_OK, 2},
	{"open", "\xef\xbb\xbfopen 2", METRIC_OK, 2},
	{"open", "", METRIC_NO_KEY, 0},
};

START_TEST(in_text_a_number_follows_its_word)
{
	struct metric_query query = metrics_query(METRIC_TEXT, texts[_i].key);

	for (size_t piece = 0; piece < 5; piece++) {
		struct metric metric;
		enum metric_outcome outcome = metrics_read_pieces(
			&query, texts[_i].body, strlen(texts[_i].body), piece, NULL, &metric);

		ck_assert_msg(outcome == texts[_i].outcome, "%s: %s", texts[_i].body,
			metric_outcome_label(outcome));
		if (outcome == METRIC_OK)
			ck_assert_uint_eq(metric.count, texts[_i].count);
	}
	metric_query_fini(&query);
}
END_TEST

static const struct {
	const char *fields;
	enum metric_outcome outcome;
	bool draining;
	double capacity;
	bool odd;
} fields[] = {
	{"\"draining\":true", METRIC_OK, true, 0.0, false},
	{"\"draining\":false", METRIC_OK, false, 0.0, false},
	{"\"draining\":null", METRIC_OK, false, 0.0, false},
	{"\"draining\":1", METRIC_OK, true, 0.0, false},
	{"\"draining\":0", METRIC_OK, false, 0.0, false},
	{"\"draining\":2", METRIC_OK, false, 0.0, true},
	{"\"draining\":\"true\"", METRIC_OK, false, 0.0, true},
	{"\"draining\":[]", METRIC_OK, false, 0.0, true},
	{"\"Draining\":1", METRIC_OK, false, 0.0, false},
	{"\"capacity\":1", METRIC_OK, false, 1.0, false},
	{"\"capacity\":2.5", METRIC_OK, false, 2.5, false},
	{"\"capacity\":0.001", METRIC_OK, false, 0.001, false},
	{"\"capacity\":1e9", METRIC_OK, false, 1e9, false},
	{"\"capacity\":1000000000", METRIC_OK, false, 1e9, false},
	{"\"capacity\":0.00099", METRIC_OK, false, 0.0, true},
	{"\"capacity\":1000000001", METRIC_OK, false, 0.0, true},
	{"\"capacity\":0", METRIC_OK, false, 0.0, true},
	{"\"capacity\":0.0", METRIC_OK, false, 0.0, true},
	{"\"capacity\":-1", METRIC_OK, false, 0.0, true},
	{"\"capacity\":1e999", METRIC_OK, false, 0.0, true},
	{"\"capacity\":18446744073709551615", METRIC_OK, false, 0.0, true},
	{"\"capacity\":NaN", METRIC_NOT_JSON, false, 0.0, false},
	{"\"capacity\":Infinity", METRIC_NOT_JSON, false, 0.0, false},
	{"\"capacity\":-Infinity", METRIC_NOT_JSON, false, 0.0, false},
	{"\"capacity\":\"1\"", METRIC_OK, false, 0.0, true},
	{"\"capacity\":true", METRIC_OK, false, 0.0, true},
	{"\"capacity\":null", METRIC_OK, false, 0.0, false},
	{"\"draining\":true,\"capacity\":0", METRIC_OK, true, 0.0, true},
	{"\"draining\":true,\"capacity\":3", METRIC_OK, true, 3.0, false},
};

START_TEST(what_draining_and_capacity_cannot_be_is_absent_and_costs_no_count)
{
	char body[256];
	struct metric metric;

	snprintf(body, sizeof(body), "{\"n\":5,%s}", fields[_i].fields);
	ck_assert_msg(parse(body, strlen(body), "n", &metric) == fields[_i].outcome, "%s", body);
	if (fields[_i].outcome != METRIC_OK)
		return;
	ck_assert_uint_eq(metric.count, 5);
	ck_assert(metric.draining == fields[_i].draining);
	ck_assert_double_eq_tol(metric.capacity, fields[_i].capacity, 1e-12);
	ck_assert((metric.odd_draining || metric.odd_capacity) == fields[_i].odd);
}
END_TEST

START_TEST(names_are_taken_as_they_are_and_anything_but_text_is_none)
{
	static const char named[] = "{\"n\":1,\"podName\":\"<b>\\\"\\u00e4\",\"podIP\":\"fd00::1\","
				    "\"nodeName\":\"line\\nline\"}";
	static const char others[] = "{\"n\":1,\"podName\":7,\"podIP\":null,\"nodeName\":[\"a\"]}";
	struct metric metric;

	ck_assert_int_eq(parse(named, strlen(named), "n", &metric), METRIC_OK);
	ck_assert_str_eq(metric.pod_name, "<b>\"\xc3\xa4");
	ck_assert_str_eq(metric.pod_ip, "fd00::1");
	ck_assert_str_eq(metric.node_name, "line\nline");
	ck_assert_int_eq(parse(others, strlen(others), "n", &metric), METRIC_OK);
	ck_assert_str_eq(metric.pod_name, "");
	ck_assert_str_eq(metric.pod_ip, "");
	ck_assert_str_eq(metric.node_name, "");
}
END_TEST

START_TEST(half_a_surrogate_pair_comes_out_as_valid_utf8)
{
	static const char *const halves[] = {"\\ud800", "\\udc00", "\\ud800\\ud800", "\\udc00x"};

	for (size_t i = 0; i < sizeof(halves) / sizeof(*halves); i++) {
		char body[128];
		struct metric metric;

		snprintf(body, sizeof(body), "{\"n\":1,\"podName\":\"%s\"}", halves[i]);
		ck_assert_int_eq(parse(body, strlen(body), "n", &metric), METRIC_OK);
		ck_assert(text_is_utf8(metric.pod_name, strlen(metric.pod_name)));
	}
}
END_TEST

/* prefix bytes of "a", then the character, then more: what is kept must end at a character. */
START_TEST(a_long_name_is_cut_before_the_character_that_does_not_fit)
{
	static const char *const characters[] = {
		"b", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

	for (size_t i = 0; i < sizeof(characters) / sizeof(*characters); i++) {
		size_t size = strlen(characters[i]);

		for (size_t prefix = METRIC_NAME_MAX - 5; prefix <= METRIC_NAME_MAX + 1; prefix++) {
			char name[METRIC_NAME_MAX + 16];
			char body[METRIC_NAME_MAX + 64];
			size_t kept = prefix;
			struct metric metric;

			memset(name, 'a', prefix);
			name[prefix] = '\0';
			for (int n = 0; n < 2; n++)
				strcat(name, characters[i]);
			snprintf(body, sizeof(body), "{\"n\":1,\"nodeName\":\"%s\"}", name);
			ck_assert_int_eq(parse(body, strlen(body), "n", &metric), METRIC_OK);
			while (kept + size <= METRIC_NAME_MAX && kept < strlen(name))
				kept += size;
			if (kept > METRIC_NAME_MAX)
				kept = METRIC_NAME_MAX;
			ck_assert_uint_eq(strlen(metric.node_name), kept);
			ck_assert_int_eq(strncmp(metric.node_name, name, kept), 0);
		}
	}
}
END_TEST

/* A body of the given length: a count and a name that fills it. */
static char *body_of(size_t len)
{
	static const char head[] = "{\"n\":1,\"podName\":\"";
	char *body = malloc(len);

	ck_assert_ptr_nonnull(body);
	memset(body, 'x', len);
	memcpy(body, head, strlen(head));
	memcpy(body + len - 2, "\"}", 2);
	return body;
}

START_TEST(a_body_is_taken_up_to_64_kib_and_no_byte_more)
{
	char *body = body_of(METRIC_JSON_MAX + 1);
	struct metric metric;

	ck_assert_int_eq(parse(body, METRIC_JSON_MAX + 1, "n", &metric), METRIC_TOO_LARGE);
	free(body);
	body = body_of(METRIC_JSON_MAX);
	ck_assert_int_eq(parse(body, METRIC_JSON_MAX, "n", &metric), METRIC_OK);
	ck_assert_uint_eq(strlen(metric.pod_name), METRIC_NAME_MAX);
	free(body);
}
END_TEST

/* The depth of an honest answer is 2; an array of 64 KiB of brackets must cost nothing. */
START_TEST(deep_nesting_is_refused_and_some_is_not)
{
	static const int depths[] = {1, 8, 63, 64, 30000};
	struct metric metric;

	for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
		size_t depth = (size_t)depths[i];
		char *body = malloc(2 * depth + 32);
		size_t len = (size_t)sprintf(body, "{\"n\":1,\"x\":");

		memset(body + len, '[', depth);
		memset(body + len + depth, ']', depth);
		body[len + 2 * depth] = '}';
		ck_assert_int_eq(parse(body, len + 2 * depth + 1, "n", &metric),
			depth < 64 ? METRIC_OK : METRIC_NOT_JSON);
		/* Without its end. */
		ck_assert_int_eq(parse(body, len + depth, "n", &metric), METRIC_NOT_JSON);
		free(body);
	}
}
END_TEST

START_TEST(spoilt_bytes_do_no_harm)
{
	static const char body[] = "{\"n\":{\"m\":42},\"podName\":\"p\xc3\xa4\\u00e4\",\"podIP\":"
				   "\"10.0.0.1\",\"draining\":false,\"capacity\":1.5}";
	static const char lures[] = "{}[]\":,\\u0123456789.-+eEnNtfI \0\xc3\xff";

	for (int round = 0; round < 20000; round++) {
		char copy[sizeof(body)];
		struct metric metric;

		memcpy(copy, body, sizeof(body));
		for (int i = rand() % 4; i >= 0; i--)
			copy[(size_t)rand() % (sizeof(body) - 1)] =
				lures[(size_t)rand() % (sizeof(lures) - 1)];
		if (parse(copy, sizeof(body) - 1, "n.m", &metric) != METRIC_OK)
			continue;
		ck_assert_uint_le(metric.count, INT32_MAX);
		ck_assert(metric.capacity == 0.0 ||
			  (metric.capacity >= 1e-3 && metric.capacity <= 1e9));
		ck_assert(text_is_utf8(metric.pod_name, strlen(metric.pod_name)));
		ck_assert(text_is_utf8(metric.pod_ip, strlen(metric.pod_ip)));
	}
}
END_TEST

START_TEST(every_outcome_has_a_label_and_words_of_its_own)
{
	for (int i = 0; i < METRIC_N_OUTCOMES; i++) {
		const char *label = metric_outcome_label((enum metric_outcome)i);

		ck_assert_uint_gt(strlen(label), 0);
		ck_assert_uint_eq(strspn(label, "abcdefghijklmnopqrstuvwxyz_"), strlen(label));
		for (int j = 0; j < i; j++) {
			ck_assert_str_ne(label, metric_outcome_label((enum metric_outcome)j));
			ck_assert_str_ne(metric_outcome_name((enum metric_outcome)i),
				metric_outcome_name((enum metric_outcome)j));
		}
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{only_a_whole_number_at_the_key_is_a_count, N_OF(counts)},
		{no_byte_of_a_good_answer_can_be_missing, ONCE},
		{a_path_leads_to_one_number_or_to_a_sum, ONCE},
		{an_empty_key_is_the_whole_answer, ONCE},
		{in_text_a_number_follows_its_word, N_OF(texts)},
		{what_draining_and_capacity_cannot_be_is_absent_and_costs_no_count, N_OF(fields)},
		{names_are_taken_as_they_are_and_anything_but_text_is_none, ONCE},
		{half_a_surrogate_pair_comes_out_as_valid_utf8, ONCE},
		{a_long_name_is_cut_before_the_character_that_does_not_fit, ONCE},
		{a_body_is_taken_up_to_64_kib_and_no_byte_more, ONCE},
		{deep_nesting_is_refused_and_some_is_not, ONCE},
		{spoilt_bytes_do_no_harm, ONCE},
		{every_outcome_has_a_label_and_words_of_its_own, ONCE},
	};

	run_dice("metric");
	return run_suite("metric", tests, N_OF(tests));
}
