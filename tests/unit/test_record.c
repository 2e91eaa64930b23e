/* SPDX-License-Identifier: MIT */
/* A round comes back from its line as it was, and what is no such line is refused. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/record.h"
#include "core/record/record_columns.h"
#include "core/record/record_parse.h"
#include "core/record/record_write.h"
#include "core/steer/steer.h"
#include "rows.h"
#include "run.h"

enum { BACKENDS = 3, SERVERS = 9 };

static double random_part(unsigned *state)
{
	return (double)rand_r(state) / RAND_MAX;
}

/* A number that the column allows: an end, a whole one, or one with all its digits. */
static double random_number(const struct record_column *column, unsigned *state)
{
	double low = fmax(column->min, -1e6);
	double high = fmin(column->max, 1e6);

	switch (rand_r(state) % 4) {
	case 0:
		return column->min;
	case 1:
		return column->max;
	case 2:
		return ceil(low + floor(random_part(state) * (high - low)));
	default:
		return low + random_part(state) * (high - low);
	}
}

static const char *random_name(unsigned *state)
{
	static const char *const names[] = {"s1", "web_1.a:b-c", "", "\"quoted\" \\ ",
		"tab\t\x01\x7f", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "[::1]:80", "</script>"};

	return names[(size_t)rand_r(state) % (sizeof(names) / sizeof(names[0]))];
}

static void fill_value(const struct record_column *column, void *to, unsigned *state)
{
	void *member = (char *)to + column->offset;
	double number = random_number(column, state);

	switch (column->type) {
	case RECORD_TEXT:
		*(const char **)member = random_name(state);
		break;
	case RECORD_BOOL:
		*(bool *)member = rand_r(state) % 2;
		break;
	case RECORD_COUNT:
		*(uint32_t *)member = (uint32_t)number;
		break;
	case RECORD_UNSIGNED:
		*(unsigned *)member = (unsigned)number;
		break;
	case RECORD_INT:
		*(int *)member = (int)number;
		break;
	case RECORD_MS:
		*(int64_t *)member = (int64_t)number;
		break;
	case RECORD_REAL:
		*(double *)member = number;
		break;
	case RECORD_BASIS:
		*(enum planner_basis *)member =
			(enum planner_basis)(rand_r(state) % (PLANNER_DRAINING + 1));
		break;
	}
}

static void fill(const struct record_column *columns, void *to, unsigned *state)
{
	for (; columns->name; columns++)
		fill_value(columns, to, state);
}

static void fill_record(struct record *record, unsigned *state)
{
	*record = (struct record){
		.backends = calloc(BACKENDS + 1, sizeof(*record->backends)),
		.servers = calloc(BACKENDS * SERVERS + 1, sizeof(*record->servers)),
		.n_backends = (size_t)rand_r(state) % (BACKENDS + 1),
	};
	fill(record_line_columns, record, state);
	fill(record_settings_columns, &record->settings, state);
	for (size_t i = 0; i < record->n_backends; i++) {
		struct record_backend *backend = &record->backends[i];

		fill(record_backend_columns, backend, state);
		backend->servers = &record->servers[record->n_servers];
		backend->n_servers = (size_t)rand_r(state) % (SERVERS + 1);
		for (size_t s = 0; s < backend->n_servers; s++)
			fill(record_server_columns, &backend->servers[s], state);
		record->n_servers += backend->n_servers;
	}
}

static void assert_same_value(const struct record_column *column, const void *a, const void *b)
{
	static const size_t sizes[] = {
		[RECORD_BOOL] = sizeof(bool),
		[RECORD_COUNT] = sizeof(uint32_t),
		[RECORD_UNSIGNED] = sizeof(unsigned),
		[RECORD_INT] = sizeof(int),
		[RECORD_MS] = sizeof(int64_t),
		[RECORD_REAL] = sizeof(double),
		[RECORD_BASIS] = sizeof(enum planner_basis),
	};
	const void *x = (const char *)a + column->offset;
	const void *y = (const char *)b + column->offset;

	if (column->type == RECORD_TEXT)
		ck_assert_str_eq(*(const char *const *)x, *(const char *const *)y);
	else if (column->type == RECORD_REAL)
		ck_assert_msg(*(const double *)x == *(const double *)y, "%s: %.17g, %.17g",
			column->name, *(const double *)x, *(const double *)y);
	else
		ck_assert_msg(memcmp(x, y, sizes[column->type]) == 0, "%s", column->name);
}

static void assert_same(const struct record_column *columns, const void *a, const void *b)
{
	for (; columns->name; columns++)
		assert_same_value(columns, a, b);
}

static void assert_same_record(const struct record *a, const struct record *b)
{
	assert_same(record_line_columns, a, b);
	assert_same(record_settings_columns, &a->settings, &b->settings);
	ck_assert_uint_eq(a->n_backends, b->n_backends);
	ck_assert_uint_eq(a->n_servers, b->n_servers);
	for (size_t i = 0; i < a->n_backends; i++) {
		assert_same(record_backend_columns, &a->backends[i], &b->backends[i]);
		ck_assert_uint_eq(a->backends[i].n_servers, b->backends[i].n_servers);
		for (size_t s = 0; s < a->backends[i].n_servers; s++)
			assert_same(record_server_columns, &a->backends[i].servers[s],
				&b->backends[i].servers[s]);
	}
}

static struct record parsed(const char *line, size_t len)
{
	struct record record;
	struct why why;

	ck_assert_msg(record_parse(line, len, &record, &why), "%s: %.*s", why.text, (int)len, line);
	return record;
}

START_TEST(a_round_comes_back_from_its_line_as_it_was)
{
	unsigned state = run_seed();

	for (int i = 0; i < 500; i++) {
		struct record record;
		struct record back;
		size_t len;
		char *line;

		fill_record(&record, &state);
		line = record_write(&record, &len);
		ck_assert_ptr_nonnull(line);
		ck_assert_uint_eq(strcspn(line, "\n"), len - 1);
		back = parsed(line, len);
		assert_same_record(&record, &back);
		record_fini(&back);
		record_fini(&record);
		free(line);
	}
}
END_TEST

START_TEST(a_line_that_is_cut_is_refused_wherever_it_is)
{
	unsigned state = 3;
	struct record record;
	struct record untouched;
	struct record out;
	struct why why;
	size_t len;
	char *line;

	fill_record(&record, &state);
	line = record_write(&record, &len);
	memset(&out, 0x55, sizeof(out));
	untouched = out;
	for (size_t cut = 0; cut + 1 < len; cut++) {
		ck_assert_msg(!record_parse(line, cut, &out, &why), "%zu of %zu", cut, len);
		ck_assert_mem_eq(&out, &untouched, sizeof(out));
	}
	record_fini(&record);
	free(line);
}
END_TEST

/* A round of one server, and a part of its line that is put in another's place. */
static const struct {
	const char *part;
	const char *other;
	const char *why;
} mistakes[] = {
	{"{\"version\"", "{\"Version\"", "not a record of this version"},
	{"\"version\":1", "\"version\":2", "not a record of this version"},
	{"\"version\":1", "\"version\":\"1\"", "not a record of this version"},
	{"\"version\":1,", "\"version\":1,\"more\":0,",
		"the round has other keys or values than it should"},
	{"\"now_ms\":2000", "\"now_ms\":-1", "the round has other keys or values than it should"},
	{"\"now_ms\":2000", "\"now_ms\":2e3", "the round has other keys or values than it should"},
	{"\"now_ms\":2000", "\"now_ms\":9007199254740993",
		"the round has other keys or values than it should"},
	{"\"replicas\":1", "\"replicas\":0", "settings has other keys or values than it should"},
	{"\"replicas\":1", "\"replica\":1", "settings has other keys or values than it should"},
	{"\"replicas\":1", "\"replicas\":1,\"x\":1",
		"settings has other keys or values than it should"},
	{"\"percent_steps\":false", "\"percent_steps\":0",
		"settings has other keys or values than it should"},
	{"\"columns\":[\"server\"", "\"columns\":[\"servr\"",
		"the columns are not those of this version"},
	{"\"columns\":[\"server\"", "\"columns\":[\"address\"",
		"the columns are not those of this version"},
	{"\"columns\":[\"server\"", "\"columns\":[7", "the columns are not those of this version"},
	{"\"columns\":[\"server\",", "\"columns\":[", "the columns are not those of this version"},
	{"\"algo\":\"leastconn\"", "\"algo\":null",
		"a backend has other keys or values than it should"},
	{"\"imbalance\":0", "\"imbalance\":NaN", "not JSON"},
	{"\"imbalance\":0", "\"imbalance\":0,\"imbalance\":1", "a duplicate key"},
	{"\"imbalance\":0", "\"imbalance\":1e999",
		"a backend has other keys or values than it should"},
	{"\"servers\":[", "\"servers\":[[],", "a server has other values than its columns should"},
	{"\"servers\":[", "\"servers\":[{},", "a server has other values than its columns should"},
	{"\"s1\"", "\"s\\u00001\"", "a server has other values than its columns should"},
	{"\"s1\"", "\"s1\",0", "a server has other values than its columns should"},
	{"\"heard\",", "\"herd\",", "the columns are not those of this version"},
	{"]}\n", "]}}\n", "not JSON"},
	{"]}\n", "]} {}\n", "not JSON"},
	{"{\"version\"", "[\"version\"", "not JSON"},
	{"\"s1\"", "\"s\xff\"", "not JSON"},
	{"\"s1\"", "'s1'", "not JSON"},
};

static char *replaced(const char *text, const char *part, const char *other)
{
	const char *at = strstr(text, part);
	char *out;

	if (!at)
		return NULL;
	ck_assert_int_ge(
		asprintf(&out, "%.*s%s%s", (int)(at - text), text, other, at + strlen(part)), 0);
	return out;
}

/* A line of a real round. */
static char *line_of_round(void)
{
	struct hastate_server rows[] = {row_up("s1", "10.0.0.1", 5), row_up("s2", "10.0.0.2", 5)};
	struct hastate_backend backend = row_backend("be", "leastconn", rows, 2);
	struct hastate_snapshot answer = row_answer(7, &backend, 1);
	struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);
	struct record record;
	size_t len;
	char *line;

	ck_assert(cluster_update(cluster, &answer, 1000, NULL, NULL));
	row_hear(row_find(cluster, "be", "s1"), 5, 1500);
	row_hear(row_find(cluster, "be", "s2"), 5, 1500);
	ck_assert(cluster_update(cluster, &answer, 2000, NULL, NULL));
	ck_assert(steer_plan(cluster, 2000));
	ck_assert(record_from(cluster, 2000, 1700000000000, &record));
	line = record_write(&record, &len);
	record_fini(&record);
	cluster_free(cluster);
	return line;
}

START_TEST(what_is_no_line_of_a_round_is_refused_with_the_reason)
{
	char *good = line_of_round();
	char *bad = replaced(good, mistakes[_i].part, mistakes[_i].other);
	struct record record;
	struct why why;

	ck_assert_ptr_nonnull(bad);
	ck_assert_msg(!record_parse(bad, strlen(bad), &record, &why), "%s", mistakes[_i].other);
	ck_assert_str_eq(why.text, mistakes[_i].why);
	free(bad);
	free(good);
}
END_TEST

START_TEST(a_nul_does_not_hide_what_stands_behind_it)
{
	char *line = line_of_round();
	size_t len = strlen(line);
	struct record record;
	struct why why;

	line[len - 1] = '\0';
	ck_assert(!record_parse(line, len, &record, &why));
	ck_assert_str_eq(why.text, "not JSON");
	free(line);
}
END_TEST

START_TEST(a_round_of_the_cluster_is_recorded_with_all_that_its_plan_was_made_of)
{
	char *line = line_of_round();
	struct record record = parsed(line, strlen(line));
	const struct record_server *server;

	ck_assert_int_eq(record.wall_ms, 1700000000000);
	ck_assert_int_eq(record.now_ms, 2000);
	ck_assert_uint_eq(record.settings.replicas, 1);
	ck_assert_int_eq(record.settings.cache_ttl_ms, 30000);
	ck_assert_uint_eq(record.n_backends, 1);
	ck_assert_str_eq(record.backends[0].name, "be");
	ck_assert_str_eq(record.backends[0].algo, "leastconn");
	ck_assert_uint_eq(record.backends[0].n_servers, 2);
	server = &record.backends[0].servers[1];
	ck_assert_str_eq(server->name, "s2");
	ck_assert_str_eq(server->address, "10.0.0.2:80");
	ck_assert(server->input.heard && server->input.own_exact);
	ck_assert_uint_eq(server->input.count, 5);
	ck_assert_uint_eq(server->input.own_then, 5);
	ck_assert_int_eq(server->input.count_age_ms, 500);
	ck_assert_int_eq(server->input.configured, 100);
	ck_assert_int_eq(server->plan.basis, PLANNER_HEARD);
	ck_assert_int_gt(server->weight, 0);
	ck_assert_int_eq(server->weight, server->plan.weight);
	ck_assert_int_eq(server->haproxy_weight, 100);
	record_fini(&record);
	free(line);
}
END_TEST

START_TEST(columns_may_stand_in_any_order)
{
	char *line = line_of_round();
	char *names = replaced(line, "[\"server\",\"address\"", "[\"address\",\"server\"");
	char *first = replaced(names, "\"s1\",\"10.0.0.1:80\"", "\"10.0.0.1:80\",\"s1\"");
	char *both = replaced(first, "\"s2\",\"10.0.0.2:80\"", "\"10.0.0.2:80\",\"s2\"");
	struct record straight = parsed(line, strlen(line));
	struct record turned = parsed(both, strlen(both));

	assert_same_record(&straight, &turned);
	record_fini(&straight);
	record_fini(&turned);
	free(both);
	free(first);
	free(names);
	free(line);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_round_comes_back_from_its_line_as_it_was, ONCE},
		{a_line_that_is_cut_is_refused_wherever_it_is, ONCE},
		{what_is_no_line_of_a_round_is_refused_with_the_reason, N_OF(mistakes)},
		{a_round_of_the_cluster_is_recorded_with_all_that_its_plan_was_made_of, ONCE},
		{a_nul_does_not_hide_what_stands_behind_it, ONCE},
		{columns_may_stand_in_any_order, ONCE},
	};

	run_dice("record");
	return run_suite("record", tests, N_OF(tests));
}
