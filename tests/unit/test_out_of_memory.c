/* SPDX-License-Identifier: MIT */
/* Each allocation fails in turn: nothing crashes, nothing leaks, and what is promised holds. */
#include <check.h>
#include <json-c/json.h>
#include <json-c/linkhash.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/haquery.h"
#include "core/haproxy/hareply.h"
#include "core/haproxy/hastate.h"
#include "core/metric/metric_reader.h"
#include "core/record/record.h"
#include "core/record/record_parse.h"
#include "core/record/record_write.h"
#include "core/record/rerun.h"
#include "core/settings.h"
#include "core/steer/reconcile.h"
#include "core/steer/steer.h"
#include "data.h"
#include "rows.h"
#include "run.h"

static const struct pod_source here = {.index = 0};

/* ---- allocations that fail (the linker leads the core's calls here, see tests/tests.mk) ---- */

/* volatile: a compiler knows that malloc and its like change none of a program's variables, and
 * with -flto it sees that nothing else does between arm() and disarm(). */
static volatile int countdown; /* the allocation that fails, counted from now on; 0: none */
static volatile bool failed;

static bool fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	failed = true;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
FILE *__real_open_memstream(char **text, size_t *len);
struct json_tokener *__real_json_tokener_new_ex(int depth);
struct lh_table *__real_lh_kchar_table_new(int size, lh_entry_free_fn *free_fn);
int __real_lh_table_insert(struct lh_table *table, const void *key, const void *value);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
FILE *__wrap_open_memstream(char **text, size_t *len);
struct json_tokener *__wrap_json_tokener_new_ex(int depth);
struct lh_table *__wrap_lh_kchar_table_new(int size, lh_entry_free_fn *free_fn);
int __wrap_lh_table_insert(struct lh_table *table, const void *key, const void *value);
int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return fails() ? NULL : __real_strndup(text, len);
}

FILE *__wrap_open_memstream(char **text, size_t *len)
{
	return fails() ? NULL : __real_open_memstream(text, len);
}

struct json_tokener *__wrap_json_tokener_new_ex(int depth)
{
	return fails() ? NULL : __real_json_tokener_new_ex(depth);
}

struct lh_table *__wrap_lh_kchar_table_new(int size, lh_entry_free_fn *free_fn)
{
	return fails() ? NULL : __real_lh_kchar_table_new(size, free_fn);
}

int __wrap_lh_table_insert(struct lh_table *table, const void *key, const void *value)
{
	return fails() ? -1 : __real_lh_table_insert(table, key, value);
}

/* A failed asprintf leaves the pointer undefined: here it is one that must not be freed. */
__attribute__((format(printf, 2, 0))) static int print(
	char **text, const char *format, va_list args)
{
	if (!fails())
		return vasprintf(text, format, args);
	*text = (char *)1;
	return -1;
}

int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = print(text, format, args);
	va_end(args);
	return len;
}

int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
{
	va_list args;
	int len;

	(void)flag;
	va_start(args, format);
	len = print(text, format, args);
	va_end(args);
	return len;
}

/* From here to disarm() the n-th allocation fails; Check's own would too. */
static void arm(int n)
{
	countdown = n;
	failed = false;
}

/* True when one has failed. */
static bool disarm(void)
{
	countdown = 0;
	return failed;
}

/* ---- parsers ---- */

START_TEST(an_answer_is_out_of_memory_or_whole)
{
	size_t len;
	char *reply = data_read("tests/data/haproxy/2.6-admin.txt", &len);
	int n = 1;

	for (bool more = true; more; n++) {
		struct hastate_snapshot snapshot = {.n_backends = 4711};
		enum hareply_outcome outcome;
		struct why why;

		memset(&why, 0x55, sizeof(why));
		arm(n);
		outcome = hareply_parse(reply, len, &snapshot, &why);
		more = disarm();
		ck_assert_int_eq(outcome, more ? HAREPLY_OUT_OF_MEMORY : HAREPLY_OK);
		ck_assert_uint_eq(snapshot.n_backends, more ? 4711 : 6);
		ck_assert_str_eq(why.text, "");
		if (!more)
			hastate_fini(&snapshot);
	}
	ck_assert_int_gt(n, 4);
	free(reply);
}
END_TEST

/* A reader is made and reads; n: which call for memory fails. */
static enum metric_outcome read_metric(
	const struct metric_words *words, const char *body, int n, struct metric *metric)
{
	struct metric_query query = {.format = words->format};
	struct metric_reader *reader = NULL;
	enum metric_outcome outcome = METRIC_OUT_OF_MEMORY;
	enum metric_role bad;
	struct why why;

	arm(n);
	if (metric_query_parse(words, &query, &bad, &why))
		reader = metric_reader_new(&query);
	if (reader) {
		metric_reader_begin(reader);
		metric_reader_feed(reader, body, strlen(body) / 2);
		metric_reader_feed(reader, body + strlen(body) / 2, (strlen(body) + 1) / 2);
		outcome = metric_reader_end(reader, NULL, metric);
	}
	metric_reader_free(reader);
	metric_query_fini(&query);
	return outcome;
}

START_TEST(a_metric_is_out_of_memory_or_whole)
{
	static const struct {
		struct metric_words words;
		const char *body;
	} rows[] = {
		{{.format = METRIC_JSON, .keys = {"n | a[x=\"y\"].z", "d", "c"}}, "{\"n\":7}"},
		{{.format = METRIC_PROMETHEUS, .keys = {"n{a=~\"b.*\"}", "d", "c"}},
			"n{a=\"b\\\\\"} 7\n"},
		{{.format = METRIC_TEXT, .keys = {"n", "d", "c"}}, "x 6\nn 7\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool ran_out = true;
		int n = 1;

		for (; ran_out; n++) {
			struct metric metric = {.count = 4711};
			enum metric_outcome outcome =
				read_metric(&rows[i].words, rows[i].body, n, &metric);

			ran_out = disarm();
			ck_assert_int_eq(outcome, ran_out ? METRIC_OUT_OF_MEMORY : METRIC_OK);
			ck_assert_uint_eq(metric.count, ran_out ? 4711 : 7);
		}
		ck_assert_int_gt(n, 4);
	}
}
END_TEST

START_TEST(a_question_is_whole_or_none)
{
	static const struct haquery_backend names[] = {{"web", 3}};

	for (size_t n_names = 0; n_names < 2; n_names++) {
		char *line;

		arm(1);
		line = haquery_write(names, n_names);
		ck_assert(disarm());
		ck_assert_ptr_null(line);
	}
}
END_TEST

START_TEST(configured_servers_are_whole_or_none)
{
	char host[] = "10.0.0.1";
	char name[] = "s1";
	struct config_server server = {.name = name, .address = {.host = host, .port = 80}};
	struct config_service service = {.name = name, .servers = &server, .n_servers = 1};
	struct config config = {.services = &service, .n_services = 1};
	bool more = true;

	for (int n = 1; more; n++) {
		struct hastate_snapshot snapshot;
		bool whole;

		arm(n);
		whole = settings_snapshot(&config, &snapshot);
		more = disarm();
		ck_assert(whole == !more);
		if (whole)
			hastate_fini(&snapshot);
	}
}
END_TEST

/* ---- the model ---- */

START_TEST(a_cluster_is_whole_or_none_and_settings_change_wholly_or_not_at_all)
{
	char one[] = "one";
	char two[] = "two";
	char *names[] = {one, two};
	struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);
	int n = 1;

	settings.replicas = 9;
	settings.selection.backends = names;
	settings.selection.n_backends = 2;
	for (bool more = true; more; n++) {
		struct cluster *another;

		arm(n);
		another = cluster_new(&settings);
		more = disarm();
		ck_assert((another == NULL) == more);
		cluster_free(another);
	}
	ck_assert_int_gt(n, 7);
	for (int i = 1;; i++) {
		bool well;

		arm(i);
		well = cluster_configure(cluster, &settings);
		ck_assert(well == !disarm());
		ck_assert_uint_eq(cluster_settings(cluster)->replicas, well ? 9 : 1);
		ck_assert_uint_eq(cluster_settings(cluster)->selection.n_backends, well ? 2 : 0);
		if (well)
			break;
	}
	cluster_free(cluster);
}
END_TEST

/* Two answers that differ in everything that may change. */
struct answers {
	struct hastate_server rows[2][6];
	struct hastate_backend backends[2][3];
	struct hastate_snapshot snapshots[2];
};

static void make_answers(struct answers *answers)
{
	struct hastate_server *first = answers->rows[0];
	struct hastate_server *second = answers->rows[1];

	first[0] = row_up("s1", "10.0.0.1", 10);
	first[1] = row_up("s2", "10.0.0.2", 20);
	first[2] = row_up("s3", "10.0.0.3", 30);
	first[3] = row_up("gone", "10.0.0.4", 40);
	first[4] = row_up("s1", "10.0.0.2", 5);
	for (size_t i = 0; i < 5; i++)
		first[i].agent_port = 9000;
	answers->backends[0][0] = row_backend("a", "leastconn", first, 4);
	answers->backends[0][1] = row_backend("b", "roundrobin", first + 4, 1);
	answers->snapshots[0] = row_answer(7, answers->backends[0], 2);

	/* After a reload: another address with an FQDN, an FQDN alone, a new server and a new
	 * backend in front, one gone. */
	second[0] = row_up("s1", "10.0.0.9", 1);
	second[0].fqdn = "pods.test";
	second[1] = row_up("s2", "10.0.0.2", 2);
	second[1].fqdn = "pods.test";
	second[2] = row_up("s3", "", 3);
	second[3] = row_up("new", "10.0.0.5", 4);
	second[4] = row_up("s1", "10.0.0.2", 5);
	second[5] = row_up("s1", "10.0.0.7", 0);
	for (size_t i = 0; i < 6; i++)
		second[i].agent_port = 9000;
	answers->backends[1][0] = row_backend("front", "leastconn", second + 5, 1);
	answers->backends[1][1] = row_backend("a", "leastconn", second, 4);
	answers->backends[1][2] = row_backend("b", "roundrobin", second + 4, 1);
	answers->snapshots[1] = row_answer(8, answers->backends[1], 3);
}

static void hear_pods(struct cluster *cluster)
{
	size_t n;
	struct pod *const *pods = cluster_edit_pods(cluster, &n);

	for (size_t i = 0; i < n; i++) {
		struct metric metric = {
			.count = pods[i]->port + (uint32_t)strlen(pods[i]->address)};

		pod_observe(pods[i], METRIC_OK, &metric, NULL, 1500);
	}
}

/* The first answer, heard, planned and sent. */
static struct cluster *cluster_of_first(const struct answers *answers)
{
	struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);
	struct commands out = {.n_lines = 0};

	ck_assert(cluster_update(cluster, &answers->snapshots[0], 1000, NULL, NULL));
	hear_pods(cluster);
	ck_assert(steer_plan(cluster, 1600));
	ck_assert(reconcile_plan(cluster, 9000, &out));
	commands_fini(&out);
	return cluster;
}

static unsigned sum_up(struct pod *const *pods, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += 1 + 100 * pods[i]->n_servers + 10000 * pods[i]->wanted +
		       100000 * pods[i]->heard;
	return sum;
}

/* All that must be the same whether or not memory was short for one update. */
static char *dump(struct cluster *cluster)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);
	size_t n_pods;
	struct pod *const *pods = cluster_edit_pods(cluster, &n_pods);

	for (size_t b = 0; b < n; b++) {
		fprintf(out, "%s %s %d %.9f\n", backends[b]->name, backends[b]->algo,
			(int)backends[b]->mode, backends[b]->arrivals.per_second);
		for (size_t i = 0; i < backends[b]->n_servers; i++) {
			const struct server *s = backends[b]->servers[i];

			fprintf(out,
				"  %s %s %s %s %d uweight %d own %u exact %d then %u@%ld since %ld "
				"sent %d verified %d agent_send %d planned %d\n",
				s->id, s->pod ? s->pod->key : "-", s->fqdn, s->haproxy.status,
				(int)s->state, s->haproxy.uweight, s->sessions.own,
				s->sessions.own_exact, s->sessions.own_then,
				(long)s->sessions.own_then_ms, (long)s->since_ms, s->sent.weight,
				s->sent.verified, s->sent.agent_send_set, s->plan.made);
		}
	}
	fprintf(out, "pods %u reloads %lu addresses %lu repairs %lu pid %ld\n",
		sum_up(pods, n_pods), (unsigned long)cluster_counters(cluster)->reloads,
		(unsigned long)cluster_counters(cluster)->new_addresses,
		(unsigned long)cluster_counters(cluster)->repairs,
		(long)cluster_info(cluster)->pid);
	fclose(out);
	return text;
}

/* A server is as in one answer or as in the other. */
static void assert_whole(struct cluster *cluster, const struct answers *answers)
{
	for (int round = 0; round < 2; round++) {
		const struct hastate_server *old = answers->rows[0];
		const struct hastate_server *row = answers->rows[1];
		const char *backend = round == 0 ? "a" : "b";

		for (size_t i = round == 0 ? 0 : 4; i < (round == 0 ? 3u : 5u); i++) {
			const struct server *s = row_find(cluster, backend, row[i].name);
			bool is_new = s->sessions.own == row[i].scur && s->seen == 2;
			const struct hastate_server *want = is_new ? &row[i] : &old[i];

			ck_assert_str_eq(s->fqdn, want->fqdn);
			ck_assert_str_eq(s->pod ? s->pod->address : "", want->address);
			ck_assert_uint_eq(s->sessions.own, want->scur);
		}
	}
}

START_TEST(an_update_cut_short_is_mended_by_the_next_as_if_nothing_had_been)
{
	struct answers answers;
	struct cluster *control;
	char *wanted;
	int n = 1;

	make_answers(&answers);
	control = cluster_of_first(&answers);
	ck_assert(cluster_update(control, &answers.snapshots[1], 2000, NULL, NULL));
	ck_assert(cluster_update(control, &answers.snapshots[1], 2000, NULL, NULL));
	wanted = dump(control);
	for (bool more = true; more; n++) {
		struct cluster *cluster = cluster_of_first(&answers);
		bool complete;
		char *got;

		arm(n);
		complete = cluster_update(cluster, &answers.snapshots[1], 2000, NULL, NULL);
		more = disarm();
		ck_assert(complete == !more);
		if (more) {
			assert_whole(cluster, &answers);
			/* Nothing was taken for gone. */
			ck_assert_ptr_nonnull(row_find(cluster, "a", "gone"));
		}
		ck_assert(cluster_update(cluster, &answers.snapshots[1], 2000, NULL, NULL));
		got = dump(cluster);
		ck_assert_str_eq(got, wanted);
		free(got);
		cluster_free(cluster);
	}
	ck_assert_int_gt(n, 15);
	free(wanted);
	cluster_free(control);
}
END_TEST

START_TEST(a_first_update_cut_short_is_mended_by_the_next)
{
	struct cluster_settings settings = row_settings();
	struct answers answers;
	bool more = true;

	make_answers(&answers);
	for (int n = 1; more; n++) {
		struct cluster *cluster = cluster_new(&settings);
		struct cluster *control = cluster_new(&settings);
		bool complete;
		char *got;
		char *wanted;

		arm(n);
		complete = cluster_update(cluster, &answers.snapshots[0], 1000, NULL, NULL);
		more = disarm();
		ck_assert(complete == !more);
		ck_assert(cluster_update(cluster, &answers.snapshots[0], 1000, NULL, NULL));
		ck_assert(cluster_update(control, &answers.snapshots[0], 1000, NULL, NULL));
		got = dump(cluster);
		wanted = dump(control);
		ck_assert_str_eq(got, wanted);
		free(got);
		free(wanted);
		cluster_free(control);
		cluster_free(cluster);
	}
}
END_TEST

START_TEST(a_name_is_had_or_not_and_the_count_is_heard)
{
	struct metric metric = {.count = 3, .pod_name = "web-0"};
	bool more = true;

	for (int n = 1; more; n++) {
		struct pod_table *table = pod_table_new();
		struct pod *pod = pod_hold(table, "10.0.0.1", 80, &here, 1);

		arm(n);
		pod_observe(pod, METRIC_OK, &metric, NULL, 2);
		more = disarm();
		ck_assert_uint_eq(pod->metric.count, 3);
		ck_assert_str_eq(pod_name(pod), more ? "" : "web-0");
		pod_observe(pod, METRIC_OK, &metric, NULL, 3);
		ck_assert_str_eq(pod_name(pod), "web-0");
		pod_table_free(table);
	}
}
END_TEST

START_TEST(a_pod_is_taken_or_not_and_then_the_table_is_as_before)
{
	struct pod_table *table = pod_table_new();
	bool more = true;

	for (int n = 1; more; n++) {
		struct pod *pod;
		struct pod *const *pods;
		size_t n_pods;

		arm(n);
		pod = pod_hold(table, "10.0.0.1", 80, &here, 1);
		more = disarm();
		ck_assert((pod == NULL) == more);
		pods = pod_table_list(table, &n_pods);
		ck_assert_uint_eq(sum_up(pods, n_pods), more ? 0 : 101);
	}
	/* One more server for it. */
	arm(1);
	ck_assert_ptr_null(pod_hold(table, "10.0.0.1", 80, &here, 1));
	ck_assert(disarm());
	pod_table_free(table);
	for (int n = 1; n <= 4; n++) {
		arm(n);
		ck_assert_ptr_null(pod_table_new());
		ck_assert(disarm());
	}
}
END_TEST

/* ---- plans and commands ---- */

START_TEST(a_plan_that_fails_leaves_the_weights_and_is_made_up_for)
{
	struct answers answers;
	int n = 1;

	make_answers(&answers);
	for (bool more = true; more; n++) {
		struct cluster *cluster = cluster_of_first(&answers);
		int before[2];
		bool planned;

		ck_assert(cluster_update(cluster, &answers.snapshots[0], 2000, NULL, NULL));
		before[0] = row_find(cluster, "a", "s1")->plan.weight;
		before[1] = row_find(cluster, "b", "s1")->plan.weight;
		arm(n);
		planned = steer_plan(cluster, 2000);
		more = disarm();
		ck_assert(planned == !more);
		if (more) {
			/* One backend stayed as it was, and is planned as it was. */
			ck_assert(row_find(cluster, "a", "s1")->plan.weight == before[0] ||
				  row_find(cluster, "b", "s1")->plan.weight == before[1]);
			ck_assert(row_find(cluster, "a", "s1")->plan.made);
			ck_assert(row_find(cluster, "b", "s1")->plan.made);
		}
		ck_assert(steer_plan(cluster, 2000));
		cluster_free(cluster);
	}
	ck_assert_int_gt(n, 8);
}
END_TEST

START_TEST(a_recorded_round_is_written_read_and_planned_again_or_not_at_all)
{
	struct answers answers;
	struct cluster *cluster;
	int n = 1;

	make_answers(&answers);
	cluster = cluster_of_first(&answers);
	ck_assert(cluster_update(cluster, &answers.snapshots[0], 2000, NULL, NULL));
	ck_assert(steer_plan(cluster, 2000));
	for (bool more = true; more; n++) {
		struct record record = {.n_backends = 0};
		struct record back = {.n_backends = 0};
		struct rerun *rerun = NULL;
		struct why why;
		char *line = NULL;
		size_t len = 0;
		bool good;

		arm(n);
		good = record_from(cluster, 2000, 0, &record) &&
		       (line = record_write(&record, &len)) &&
		       record_parse(line, len, &back, &why) &&
		       (rerun = rerun_new(&back.settings)) && rerun_add(rerun, &back);
		more = disarm();
		ck_assert(good == !more);
		rerun_free(rerun);
		record_fini(&back);
		record_fini(&record);
		free(line);
	}
	cluster_free(cluster);
	ck_assert_int_gt(n, 20);
}
END_TEST

static size_t count_of(const struct commands *out, const char *command)
{
	size_t n = 0;

	for (size_t i = 0; i < out->n_lines; i++) {
		for (const char *at = out->lines[i]; (at = strstr(at, command)); at++)
			n++;
	}
	return n;
}

static size_t count_sent(struct cluster *cluster, char names[][24], size_t n, int weight)
{
	size_t sent = 0;

	for (size_t i = 0; i < n; i++)
		sent += row_find(cluster, "be", names[i])->sent.weight == weight;
	return sent;
}

START_TEST(commands_that_fail_are_not_remembered_as_sent)
{
	enum { MANY = 600 };
	static struct hastate_server rows[MANY];
	static char names[MANY][24];
	struct hastate_backend backend = row_backend("be", "leastconn", rows, MANY);
	struct hastate_snapshot answer = row_answer(7, &backend, 1);
	struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);
	int n = 1;

	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "s%d", i);
		rows[i] = row_up(names[i], "10.0.0.1", 0);
		rows[i].agent_port = 9000;
	}
	ck_assert(cluster_update(cluster, &answer, 1000, NULL, NULL));
	for (bool more = true; more; n++) {
		struct commands out = {.n_lines = 0};
		size_t n_sent = 0;
		size_t n_told = 0;
		bool well;

		for (int i = 0; i < MANY; i++) {
			struct server *s = row_find(cluster, "be", names[i]);

			s->plan.made = true;
			s->plan.weight = 50;
			s->sent.weight = -1;
			s->sent.agent_send_set = false;
		}
		arm(n);
		well = reconcile_plan(cluster, 9000, &out);
		more = disarm();
		ck_assert(well == !more);
		for (int i = 0; i < MANY; i++) {
			struct server *s = row_find(cluster, "be", names[i]);

			n_sent += s->sent.weight == 50;
			n_told += s->sent.agent_send_set;
		}
		ck_assert_uint_eq(count_of(&out, " weight 50"), n_sent);
		ck_assert_uint_eq(count_of(&out, " agent-send be/s"), n_told);
		ck_assert_uint_eq(out.n_weights, n_sent);
		if (!more)
			ck_assert_uint_eq(n_sent, MANY);
		commands_fini(&out);
	}
	ck_assert_int_gt(n, 10);
	for (bool more = true; more;) {
		struct commands out = {.n_lines = 0};
		size_t n_before = count_sent(cluster, names, MANY, 100);
		bool well;

		/* What was put back before the failure stays so: each try goes further. */
		arm(3);
		well = reconcile_restore(cluster, &out);
		more = disarm();
		ck_assert(well == !more);
		ck_assert_uint_eq(count_of(&out, " weight 100"),
			count_sent(cluster, names, MANY, 100) - n_before);
		ck_assert_uint_eq(out.n_weights, count_of(&out, " weight 100"));
		for (int i = 0; i < MANY; i++) {
			struct server *s = row_find(cluster, "be", names[i]);

			s->haproxy.uweight = s->sent.weight;
		}
		commands_fini(&out);
	}
	ck_assert_uint_eq(count_sent(cluster, names, MANY, 100), MANY);
	cluster_free(cluster);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{an_answer_is_out_of_memory_or_whole, ONCE},
		{a_metric_is_out_of_memory_or_whole, ONCE},
		{a_question_is_whole_or_none, ONCE},
		{configured_servers_are_whole_or_none, ONCE},
		{a_cluster_is_whole_or_none_and_settings_change_wholly_or_not_at_all, ONCE},
		{an_update_cut_short_is_mended_by_the_next_as_if_nothing_had_been, ONCE},
		{a_first_update_cut_short_is_mended_by_the_next, ONCE},
		{a_name_is_had_or_not_and_the_count_is_heard, ONCE},
		{a_pod_is_taken_or_not_and_then_the_table_is_as_before, ONCE},
		{a_plan_that_fails_leaves_the_weights_and_is_made_up_for, ONCE},
		{a_recorded_round_is_written_read_and_planned_again_or_not_at_all, ONCE},
		{commands_that_fail_are_not_remembered_as_sent, ONCE},
	};

	return run_suite("out of memory", tests, N_OF(tests));
}
