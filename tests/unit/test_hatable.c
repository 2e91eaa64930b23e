/* SPDX-License-Identifier: MIT */
/* Tables of named columns: headers, rows, quotes and numbers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/hatable.h"
#include "run.h"

static const char *const wanted[] = {"name", "count", "last"};
enum { NAME, COUNT, LAST, N_WANTED };

static struct hatable table_of(enum hatable_style style)
{
	return (struct hatable){.style = style, .wanted = wanted, .n_wanted = N_WANTED};
}

static bool read_header(struct hatable *table, const char *line)
{
	static char copy[1024];

	strcpy(copy, line);
	return hatable_read_header(table, copy);
}

/* The fields point into the copy, so it outlives the call. */
static bool read_row(struct hatable *table, const char *line)
{
	static char copy[1024];

	strcpy(copy, line);
	return hatable_read_row(table, copy);
}

static void assert_row(
	const struct hatable *table, const char *name, const char *count, const char *last)
{
	ck_assert_str_eq(table->fields[NAME], name);
	ck_assert_str_eq(table->fields[COUNT], count);
	ck_assert_str_eq(table->fields[LAST], last);
}

START_TEST(columns_are_found_by_name_wherever_they_stand)
{
	struct hatable table = table_of(HATABLE_CSV);

	ck_assert(read_header(&table, "x,last,y,count,name,z,"));
	ck_assert(read_row(&table, "0,the last,1,7,pod,2,"));
	assert_row(&table, "pod", "7", "the last");
}
END_TEST

START_TEST(a_missing_column_is_named)
{
	struct hatable table = table_of(HATABLE_SPACES);

	ck_assert(!read_header(&table, "name counts last"));
	ck_assert_str_eq(table.bad, "count");
	ck_assert(!read_header(&table, ""));
	ck_assert_str_eq(table.bad, "name");
}
END_TEST

START_TEST(of_two_columns_with_one_name_the_first_counts)
{
	struct hatable table = table_of(HATABLE_SPACES);

	ck_assert(read_header(&table, "name count last count"));
	ck_assert(read_row(&table, "a 1 z 2"));
	assert_row(&table, "a", "1", "z");
}
END_TEST

static const struct {
	const char *row;
	const char *fields[N_WANTED];
} rows[] = {
	{"a,1,z", {"a", "1", "z"}},
	{",,", {"", "", ""}},
	{"a,1,z,", {"a", "1", "z"}},
	{"a,1,z,more,and more", {"a", "1", "z"}},
	{"\"a,b\",1,z", {"a,b", "1", "z"}},
	{"\"say \"\"a\"\"\",1,z", {"say \"a\"", "1", "z"}},
	{"\"\",1,z", {"", "1", "z"}},
	{"\"\"\"\",1,z", {"\"", "1", "z"}},
	/* A quote in the middle is a character like any other. */
	{"a\"b,1,z", {"a\"b", "1", "z"}},
	{"\"a\"b,1,z", {"ab", "1", "z"}},
	{"a,\"1\",\"z\"", {"a", "1", "z"}},
	{"a b,1 2,\tz ", {"a b", "1 2", "\tz "}},
};

START_TEST(a_csv_row_is_cut_at_commas_outside_quotes)
{
	struct hatable table = table_of(HATABLE_CSV);

	ck_assert(read_header(&table, "name,count,last"));
	ck_assert(read_row(&table, rows[_i].row));
	assert_row(&table, rows[_i].fields[0], rows[_i].fields[1], rows[_i].fields[2]);
}
END_TEST

START_TEST(a_quote_without_its_end_takes_the_rest_and_leaves_the_row_short)
{
	struct hatable table = table_of(HATABLE_CSV);

	ck_assert(read_header(&table, "name,count,last"));
	ck_assert(!read_row(&table, "a,\"1,z"));
	ck_assert_str_eq(table.fields[COUNT], "1,z");
}
END_TEST

START_TEST(spaces_cut_one_by_one_and_quotes_mean_nothing)
{
	struct hatable table = table_of(HATABLE_SPACES);

	ck_assert(read_header(&table, "name count last"));
	ck_assert(read_row(&table, "\"a,b\"  z"));
	assert_row(&table, "\"a,b\"", "", "z");
}
END_TEST

START_TEST(a_short_row_is_refused_and_its_missing_columns_are_empty)
{
	static const char *const short_rows[] = {"", "a", "a,1"};
	struct hatable table = table_of(HATABLE_CSV);

	ck_assert(read_header(&table, "name,count,last"));
	ck_assert(read_row(&table, "old,1,old"));
	for (size_t i = 0; i < 3; i++) {
		table.bad = NULL;
		ck_assert(!read_row(&table, short_rows[i]));
		ck_assert_str_eq(table.bad, wanted[i == 0 ? COUNT : i]);
		ck_assert_str_eq(table.fields[LAST], "");
	}
}
END_TEST

START_TEST(fields_beyond_the_limit_are_dropped)
{
	struct hatable table = table_of(HATABLE_SPACES);
	char line[2048] = "name count";

	for (int i = 2; i < HATABLE_MAX_FIELDS; i++)
		strcat(line, " x");
	strcat(line, " last");
	ck_assert(!hatable_read_header(&table, line));
	ck_assert_str_eq(table.bad, "last");

	strcpy(line, "name count");
	for (int i = 2; i < HATABLE_MAX_FIELDS - 1; i++)
		strcat(line, " x");
	strcat(line, " last");
	ck_assert(hatable_read_header(&table, line));
	ck_assert_uint_eq(table.index[LAST], HATABLE_MAX_FIELDS - 1);
}
END_TEST

static const struct {
	const char *text;
	uint64_t max;
	bool good;
	uint64_t value;
} numbers[] = {
	{"", 0, true, 0},
	{"0", 0, true, 0},
	{"1", 0, false, 0},
	{"9", 8, false, 0},
	{"007", 7, true, 7},
	{"256", 256, true, 256},
	{"257", 256, false, 0},
	{"2560", 256, false, 0},
	{"4294967295", UINT32_MAX, true, UINT32_MAX},
	{"4294967296", UINT32_MAX, false, 0},
	{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
	{"18446744073709551616", UINT64_MAX, false, 0},
	{"99999999999999999999999999", UINT64_MAX, false, 0},
	{"-1", UINT64_MAX, false, 0},
	{"+1", UINT64_MAX, false, 0},
	{" 1", UINT64_MAX, false, 0},
	{"1 ", UINT64_MAX, false, 0},
	{"1.0", UINT64_MAX, false, 0},
	{"0x1", UINT64_MAX, false, 0},
	{"1e3", UINT64_MAX, false, 0},
	{"/", UINT64_MAX, false, 0},
	{":", UINT64_MAX, false, 0},
	{"\xb2", UINT64_MAX, false, 0},
};

START_TEST(a_number_is_digits_up_to_max)
{
	uint64_t value = 12345;

	ck_assert(hatable_parse_number(numbers[_i].text, numbers[_i].max, &value) ==
		  numbers[_i].good);
	ck_assert_uint_eq(value, numbers[_i].good ? numbers[_i].value : 12345);
}
END_TEST

START_TEST(a_bad_number_names_its_column_and_changes_nothing)
{
	struct hatable table = table_of(HATABLE_CSV);
	uint64_t value = 42;

	ck_assert(read_header(&table, "name,count,last"));
	ck_assert(read_row(&table, "a,12x,3"));
	ck_assert(!hatable_number(&table, COUNT, 100, &value));
	ck_assert_str_eq(table.bad, "count");
	ck_assert_uint_eq(value, 42);
	ck_assert(!hatable_number(&table, LAST, 2, &value));
	ck_assert_str_eq(table.bad, "last");
	ck_assert(hatable_number(&table, LAST, 3, &value));
	ck_assert_uint_eq(value, 3);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{columns_are_found_by_name_wherever_they_stand, ONCE},
		{a_missing_column_is_named, ONCE},
		{of_two_columns_with_one_name_the_first_counts, ONCE},
		{a_csv_row_is_cut_at_commas_outside_quotes, N_OF(rows)},
		{a_quote_without_its_end_takes_the_rest_and_leaves_the_row_short, ONCE},
		{spaces_cut_one_by_one_and_quotes_mean_nothing, ONCE},
		{a_short_row_is_refused_and_its_missing_columns_are_empty, ONCE},
		{fields_beyond_the_limit_are_dropped, ONCE},
		{a_number_is_digits_up_to_max, N_OF(numbers)},
		{a_bad_number_names_its_column_and_changes_nothing, ONCE},
	};

	return run_suite("hatable", tests, N_OF(tests));
}
