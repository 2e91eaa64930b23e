/* SPDX-License-Identifier: MIT */
/* Strict parsers take what people write and nothing else; escapers let nothing foreign through. */
#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "run.h"

static const char *const no_numbers[] = {"", " 1", "1 ", "+1", "-1", "01", "00", "1.0", "0x1",
	"1e3", "1_000", "18446744073709551616", "99999999999999999999", "one", "\xd9\xa1"};

START_TEST(no_text_is_the_same_as_no_text_alone)
{
	ck_assert(text_is_same(NULL, NULL));
	ck_assert(text_is_same("a", (char[]){'a', '\0'}));
	ck_assert(!text_is_same("a", "b"));
	ck_assert(!text_is_same("", NULL));
	ck_assert(!text_is_same(NULL, ""));
}
END_TEST

START_TEST(what_is_no_plain_number_is_refused)
{
	uint64_t value = 7;

	ck_assert(!text_parse_u64(no_numbers[_i], 0, UINT64_MAX, &value));
	ck_assert_uint_eq(value, 7);
}
END_TEST

START_TEST(numbers_are_taken_from_min_to_max)
{
	uint64_t value = 7;

	ck_assert(text_parse_u64("0", 0, 5, &value) && value == 0);
	ck_assert(text_parse_u64("5", 0, 5, &value) && value == 5);
	ck_assert(!text_parse_u64("6", 0, 5, &value));
	ck_assert(!text_parse_u64("1", 2, 5, &value));
	ck_assert_uint_eq(value, 5);
	ck_assert(text_parse_u64("18446744073709551615", 0, UINT64_MAX, &value));
	ck_assert(value == UINT64_MAX);
}
END_TEST

static const struct {
	const char *text;
	int64_t ms;
} durations[] = {
	{"0ms", 0},
	{"1ms", 1},
	{"500ms", 500},
	{"1s", 1000},
	{"30s", 30000},
	{"2m", 120000},
	{"1h", 3600000},
	{"9223372036854775807ms", INT64_MAX},
	{"2562047788015h", 9223372036854000000},
};

START_TEST(durations_are_a_number_and_a_unit)
{
	int64_t ms = -1;

	ck_assert(text_parse_duration(durations[_i].text, &ms));
	ck_assert_int_eq(ms, durations[_i].ms);
}
END_TEST

static const char *const no_durations[] = {"", "s", "1", "1 s", "1sec", "1S", "1.5s", "-1s", "1s ",
	"1m30s", "01s", "9223372036854775808ms", "2562047788016h", "18446744073709551616ms"};

START_TEST(what_is_no_duration_is_refused)
{
	int64_t ms = -7;

	ck_assert_msg(!text_parse_duration(no_durations[_i], &ms), "%s", no_durations[_i]);
	ck_assert_int_eq(ms, -7);
}
END_TEST

START_TEST(a_duration_is_spelt_as_it_is_parsed)
{
	static const int64_t values[] = {
		0, 1, 999, 1000, 1500, 60000, 90000, 3600000, 86400000, INT64_MAX};

	for (int i = 0; i < N_OF(values); i++) {
		char buf[24];
		int64_t ms = -1;

		ck_assert(text_parse_duration(
			text_format_duration(values[i], buf, sizeof(buf)), &ms));
		ck_assert_int_eq(ms, values[i]);
	}
}
END_TEST

static const struct {
	const char *text;
	uint64_t bytes;
} sizes[] = {
	{"0KiB", 0},
	{"1KiB", 1024},
	{"64MiB", 67108864},
	{"3GiB", 3221225472},
	{"17179869183GiB", 18446744072635809792u},
};

START_TEST(sizes_are_a_number_and_a_unit_and_spelt_as_they_are_parsed)
{
	uint64_t bytes = 7;
	char buf[24];

	ck_assert(text_parse_size(sizes[_i].text, &bytes));
	ck_assert_uint_eq(bytes, sizes[_i].bytes);
	ck_assert_str_eq(text_format_size(bytes, buf, sizeof(buf)), sizes[_i].text);
}
END_TEST

static const char *const no_sizes[] = {"", "1", "MiB", "1MB", "1mib", "1 MiB", "1.5GiB", "-1KiB",
	"01KiB", "1MiBx", "17179869184GiB", "18446744073709551616KiB"};

START_TEST(what_is_no_size_is_refused)
{
	uint64_t bytes = 7;

	ck_assert_msg(!text_parse_size(no_sizes[_i], &bytes), "%s", no_sizes[_i]);
	ck_assert_uint_eq(bytes, 7);
}
END_TEST

static const char *const decimals[] = {"0", "1", "0.5", "0.1", "0.3", "12.75", "0.000001",
	"0.12345678901234", "999999999999999", "3.14159265358979", "1.0"};

START_TEST(a_decimal_is_the_double_that_strtod_gives)
{
	double value = -1.0;

	ck_assert(text_parse_decimal(decimals[_i], &value));
	ck_assert(value == strtod(decimals[_i], NULL));
}
END_TEST

static const char *const no_decimals[] = {"", ".", ".5", "1.", "+1", "-0.5", "1e3", "0x1", "nan",
	"inf", "1,5", " 1", "1 ", "00.5", "1.2.3", "0.123456789012345", "1234567890123456"};

START_TEST(what_is_no_decimal_is_refused)
{
	double value = 7.0;

	ck_assert_msg(!text_parse_decimal(no_decimals[_i], &value), "%s", no_decimals[_i]);
	ck_assert(value == 7.0);
}
END_TEST

static const struct {
	const char *text;
	const char *host;
	unsigned port;
} endpoints[] = {
	{"127.0.0.1:9180", "127.0.0.1", 9180},
	{"[::1]:9180", "::1", 9180},
	{"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
	{"*:65535", "*", 65535},
	{":80", "*", 80},
	{"[::]:80", "::", 80},
	{"ws-0.ws.default.svc:8080", "ws-0.ws.default.svc", 8080},
	{"my_host:1", "my_host", 1},
};

START_TEST(endpoints_are_host_and_port)
{
	struct text_endpoint endpoint;

	ck_assert(text_parse_endpoint(endpoints[_i].text, &endpoint));
	ck_assert_uint_eq(endpoint.host_len, strlen(endpoints[_i].host));
	ck_assert(memcmp(endpoint.host, endpoints[_i].host, endpoint.host_len) == 0);
	ck_assert_uint_eq(endpoint.port, endpoints[_i].port);
}
END_TEST

START_TEST(an_endpoint_is_written_as_it_is_read)
{
	char buf[TEXT_ENDPOINT_SIZE];

	ck_assert_str_eq(text_format_endpoint("10.0.0.7", 80, buf, sizeof(buf)), "10.0.0.7:80");
	ck_assert_str_eq(text_format_endpoint("web", 65535, buf, sizeof(buf)), "web:65535");
	ck_assert_str_eq(text_format_endpoint("fd00::1", 1, buf, sizeof(buf)), "[fd00::1]:1");
}
END_TEST

START_TEST(a_time_is_written_in_utc)
{
	char buf[TEXT_TIME_SIZE];

	ck_assert_str_eq(text_format_time(0, buf, sizeof(buf)), "1970-01-01T00:00:00.000Z");
	ck_assert_str_eq(
		text_format_time(1769860800042, buf, sizeof(buf)), "2026-01-31T12:00:00.042Z");
	ck_assert_str_eq(
		text_format_time_plain(1769860800042, buf, sizeof(buf)), "2026-01-31 12:00:00");
}
END_TEST

static const char *const no_endpoints[] = {"", ":", "host", "host:", "host:0", "host:65536",
	"host:http", "host:080", "host: 80", "::1:80", "[::1]", "[::1]80", "[]:80", "[host]:80",
	"[:80", "]:80", "[::1:80", "::1]:80", "a b:80", "a/b:80", "http://a:80", "*.a:80", "**:80",
	"a\n:80"};

START_TEST(what_is_no_endpoint_is_refused)
{
	struct text_endpoint endpoint = {.port = 7};

	ck_assert_msg(!text_parse_endpoint(no_endpoints[_i], &endpoint), "%s", no_endpoints[_i]);
	ck_assert_uint_eq(endpoint.port, 7);
}
END_TEST

START_TEST(a_header_is_a_token_and_a_value_without_controls)
{
	ck_assert(text_is_token("Authorization"));
	ck_assert(text_is_token("X-1_a!#$%&'*+.^`|~"));
	ck_assert(!text_is_token(""));
	ck_assert(!text_is_token("a b"));
	ck_assert(!text_is_token("a:"));
	ck_assert(!text_is_token("a\r\nb"));
	ck_assert(!text_is_token("\xc3\xa9"));
	ck_assert(text_is_header_value(""));
	ck_assert(text_is_header_value("Bearer a\tb \xc3\xa9"));
	ck_assert(!text_is_header_value("a\r\nX: b"));
	ck_assert(!text_is_header_value("a\n"));
	ck_assert(!text_is_header_value(" a"));
	ck_assert(!text_is_header_value("a\t"));
	ck_assert(!text_is_header_value("\x7f"));
}
END_TEST

static const struct {
	const char *bytes;
	size_t n; /* 0: malformed */
	uint32_t point;
} sequences[] = {
	{"a", 1, 'a'},
	{"\xc2\x80", 2, 0x80},
	{"\xdf\xbf", 2, 0x7ff},
	{"\xe0\xa0\x80", 3, 0x800},
	{"\xed\x9f\xbf", 3, 0xd7ff},
	{"\xee\x80\x80", 3, 0xe000},
	{"\xf0\x90\x80\x80", 4, 0x10000},
	{"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	{"\x80", 0, 0},
	{"\xc0\x80", 0, 0},
	{"\xc1\xbf", 0, 0},
	{"\xe0\x9f\xbf", 0, 0},
	{"\xed\xa0\x80", 0, 0},
	{"\xed\xbf\xbf", 0, 0},
	{"\xf0\x8f\xbf\xbf", 0, 0},
	{"\xf4\x90\x80\x80", 0, 0},
	{"\xf5\x80\x80\x80", 0, 0},
	{"\xff", 0, 0},
	{"\xc3", 0, 0},
	{"\xe2\x82", 0, 0},
	{"\xf0\x9f\x98", 0, 0},
	{"\xc3(", 0, 0},
	{"", 0, 0},
};

START_TEST(only_well_formed_utf8_is_decoded)
{
	uint32_t point = 7;
	size_t len = strlen(sequences[_i].bytes);

	ck_assert_uint_eq(text_utf8_decode(sequences[_i].bytes, len, &point), sequences[_i].n);
	ck_assert_uint_eq(point, sequences[_i].n ? sequences[_i].point : 7);
	ck_assert(text_is_utf8(sequences[_i].bytes, len) == (sequences[_i].n > 0 || len == 0));
}
END_TEST

/* What a writer makes of s; the caller frees it. */
static char *written(void (*writer)(struct buf *, const char *), const char *s)
{
	struct buf out = {.bytes = NULL};

	writer(&out, s);
	return buf_finish(&out, NULL);
}

#define BAD "\xef\xbf\xbd"

static const struct {
	void (*writer)(struct buf *, const char *);
	const char *from;
	const char *to;
} writes[] = {
	{text_write_html, "", ""},
	{text_write_html, "<a b='c' d=\"e\">&amp;",
		"&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;amp;"},
	{text_write_html, "a\tb\nc\x01\x7f\xc2\x85", "a\tb\nc" BAD BAD BAD},
	{text_write_html, "\xff\xc3<\xe2\x82", BAD BAD "&lt;" BAD BAD},
	{text_write_html, "caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
	{text_write_label, "a\"b\\c\nd{}\t", "a\\\"b\\\\c\\nd{}\t"},
	{text_write_json, "{\"a\\n\": [1,\t\"\x7f\xc2\x9b\xe2\x80\xae\xc3\xa9\"]}\r\n",
		"{\"a\\n\": [1,\t\"\\u007f\\u009b\\u202e\xc3\xa9\"]}\r\n"},
	{text_write_label, "\xff\"", BAD "\\\""},
	{text_write_jsonstring, "", ""},
	{text_write_jsonstring, "web-0/<b>'", "web-0/<b>'"},
	{text_write_jsonstring, "\"\\\n\r\t\x01\x1f", "\\\"\\\\\\n\\r\\t\\u0001\\u001f"},
	{text_write_jsonstring, "caf\xc3\xa9 \x7f\xff", "caf\xc3\xa9 \x7f" BAD},
	{text_write_logvalue, "", "\"\""},
	{text_write_logvalue, "10.0.0.1:80", "10.0.0.1:80"},
	{text_write_logvalue, "caf\xc3\xa9", "caf\xc3\xa9"},
	{text_write_logvalue, "a b", "\"a b\""},
	{text_write_logvalue, "a=b", "\"a=b\""},
	{text_write_logvalue, "a\" level=info", "\"a\\\" level=info\""},
	{text_write_logvalue, "a\\b", "\"a\\\\b\""},
	{text_write_logvalue, "a\nb\r\t\x1b[2J", "\"a\\nb\\r\\t\\x1b[2J\""},
	{text_write_logvalue,
		"\xc2\x9b"
		"2J",
		"\"\\u009b2J\""},
	{text_write_logvalue,
		"\xe2\x80\xae"
		"abc\xe2\x80\xa8",
		"\"\\u202eabc\\u2028\""},
	{text_write_logvalue, "\xff", BAD},
};

START_TEST(writers_escape_what_their_reader_would_take_for_syntax)
{
	char *bytes = written(writes[_i].writer, writes[_i].from);

	ck_assert_str_eq(bytes, writes[_i].to);
	free(bytes);
}
END_TEST

START_TEST(random_bytes_come_out_as_one_line_of_utf8)
{
	unsigned state = run_seed();

	for (int round = 0; round < 2000; round++) {
		char bytes[40];
		size_t len = (size_t)rand_r(&state) % sizeof(bytes);
		void (*writers[])(struct buf *, const char *) = {
			text_write_html, text_write_label, text_write_logvalue};

		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(rand_r(&state) % 255 + 1);
		bytes[len == sizeof(bytes) ? len - 1 : len] = '\0';
		for (int i = 0; i < N_OF(writers); i++) {
			char *text = written(writers[i], bytes);

			ck_assert_msg(text_is_utf8(text, strlen(text)), "SEED=%u", run_seed());
			if (writers[i] != text_write_html)
				ck_assert_ptr_null(strchr(text, '\n'));
			free(text);
		}
	}
}
END_TEST

START_TEST(what_is_shown_is_escaped_and_cut_between_characters)
{
	char buf[16];

	ck_assert_str_eq(text_show("0123456789abcde", buf, sizeof(buf)), "0123456789abcde");
	ck_assert_str_eq(text_show("0123456789abcdef", buf, sizeof(buf)), "0123456789ab...");
	ck_assert_str_eq(text_show("0123456789a\xc3\xa9\xc3\xa9\xc3\xa9", buf, sizeof(buf)),
		"0123456789a...");
	ck_assert_str_eq(text_show("0123456789\nabcde", buf, sizeof(buf)), "0123456789\\n...");
	ck_assert_str_eq(text_show("", buf, sizeof(buf)), "");
}
END_TEST

static const struct {
	double value;
	unsigned least;
	const char *text;
} written_decimals[] = {
	{0.0, 0, "0"}, {-0.0, 1, "0.0"}, {1.0, 0, "1"}, {1.0, 1, "1.0"}, {12.5, 0, "12.5"},
	{0.0417, 1, "0.0417"}, {0.00004, 1, "0.0"}, {-0.00004, 1, "0.0"}, {0.00005, 0, "0.0001"},
	{-1.25, 0, "-1.25"}, {99.99996, 1, "100.0"}, {100.0, 0, "100"},
	{1700000000.123, 1, "1700000000.123"}, {899999999999.5, 0, "899999999999.5"},
	{1e15, 0, "1000000000000000"}, {-1e15, 1, "-1000000000000000.0"},
	{1e300, 1, NULL}, /* whatever it is, it is read as the same */
};

START_TEST(a_decimal_is_written_with_four_places_at_most)
{
	struct buf out = {0};
	double value = written_decimals[_i].value;

	text_write_decimal(&out, value, written_decimals[_i].least);
	if (written_decimals[_i].text)
		ck_assert_str_eq(buf_text(&out), written_decimals[_i].text);
	ck_assert_double_le(fabs(strtod(buf_text(&out), NULL) - value), 0.00005001);
	buf_fini(&out);
}
END_TEST

START_TEST(a_whole_number_is_written_as_printf_does)
{
	static const int64_t numbers[] = {0, 1, -1, 9, 10, 1234567890, INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < N_OF(numbers); i++) {
		struct buf out = {0};
		char wanted[32];

		snprintf(wanted, sizeof(wanted), "%" PRId64, numbers[i]);
		text_write_i64(&out, numbers[i]);
		ck_assert_str_eq(buf_text(&out), wanted);
		buf_fini(&out);
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{no_text_is_the_same_as_no_text_alone, ONCE},
		{what_is_no_plain_number_is_refused, N_OF(no_numbers)},
		{numbers_are_taken_from_min_to_max, ONCE},
		{durations_are_a_number_and_a_unit, N_OF(durations)},
		{what_is_no_duration_is_refused, N_OF(no_durations)},
		{a_duration_is_spelt_as_it_is_parsed, ONCE},
		{sizes_are_a_number_and_a_unit_and_spelt_as_they_are_parsed, N_OF(sizes)},
		{what_is_no_size_is_refused, N_OF(no_sizes)},
		{a_decimal_is_the_double_that_strtod_gives, N_OF(decimals)},
		{what_is_no_decimal_is_refused, N_OF(no_decimals)},
		{endpoints_are_host_and_port, N_OF(endpoints)},
		{what_is_no_endpoint_is_refused, N_OF(no_endpoints)},
		{an_endpoint_is_written_as_it_is_read, ONCE},
		{a_time_is_written_in_utc, ONCE},
		{a_header_is_a_token_and_a_value_without_controls, ONCE},
		{only_well_formed_utf8_is_decoded, N_OF(sequences)},
		{writers_escape_what_their_reader_would_take_for_syntax, N_OF(writes)},
		{a_decimal_is_written_with_four_places_at_most, N_OF(written_decimals)},
		{a_whole_number_is_written_as_printf_does, ONCE},
		{random_bytes_come_out_as_one_line_of_utf8, ONCE},
		{what_is_shown_is_escaped_and_cut_between_characters, ONCE},
	};

	return run_suite("text", tests, N_OF(tests));
}
