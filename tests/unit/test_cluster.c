/* SPDX-License-Identifier: MIT */
/* The model: backends, servers and pods as HAProxy's answers come and go. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/cluster.h"
#include "core/steer/steer.h"
#include "rows.h"
#include "run.h"

struct gone {
	size_t n;
	char keys[256]; /* each followed by a space */
};

static void note_gone(struct pod *pod, void *arg)
{
	struct gone *gone = arg;
	size_t used = strlen(gone->keys);

	gone->n++;
	snprintf(gone->keys + used, sizeof(gone->keys) - used, "%s ", pod->key);
}

static struct cluster *cluster;

/* Another cluster, with these settings. */
static void start(const struct cluster_settings *settings)
{
	cluster_free(cluster);
	cluster = cluster_new(settings);
	ck_assert_ptr_nonnull(cluster);
}

static void setup(void)
{
	struct cluster_settings settings = row_settings();

	start(&settings);
}

static void teardown(void)
{
	cluster_free(cluster);
	cluster = NULL;
}

/* An answer with one backend. */
static void update(
	int64_t pid, const char *algo, struct hastate_server *servers, size_t n, int64_t now_ms)
{
	struct hastate_backend backend = row_backend("be", algo, servers, n);
	struct hastate_snapshot answer = row_answer(pid, &backend, 1);

	ck_assert(cluster_update(cluster, &answer, now_ms, NULL, NULL));
}

static size_t count_pods(size_t *n_wanted)
{
	size_t n;
	struct pod *const *pods = cluster_edit_pods(cluster, &n);

	if (n_wanted)
		*n_wanted = 0;
	for (size_t i = 0; n_wanted && i < n; i++)
		*n_wanted += pods[i]->wanted;
	return n;
}

/* "be1:s1,s2 be2:" */
static const char *shape(void)
{
	static char text[1024];
	size_t used = 0;
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);

	text[0] = '\0';
	for (size_t b = 0; b < n; b++) {
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%s:", b ? " " : "", backends[b]->name);
		for (size_t i = 0; i < backends[b]->n_servers; i++) {
			ck_assert_ptr_eq(backends[b]->servers[i]->backend, backends[b]);
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
				i ? "," : "", backends[b]->servers[i]->name);
		}
	}
	return text;
}

START_TEST(a_new_cluster_is_empty)
{
	ck_assert_str_eq(shape(), "");
	ck_assert_int_eq(cluster_info(cluster)->pid, 0);
	ck_assert_int_eq(cluster_updated_ms(cluster), 0);
	ck_assert(!cluster_is_first_round_done(cluster));
	ck_assert_uint_eq(count_pods(NULL), 0);
	ck_assert_ptr_null(row_find(cluster, "be", "s1"));
	cluster_free(NULL);
}
END_TEST

START_TEST(an_answer_becomes_backends_servers_and_pods)
{
	struct hastate_server servers[] = {
		row_up("s2", "10.0.0.2", 4), row_up("s1", "10.0.0.1", 3), row_up("s3", "", 0)};
	size_t n;

	update(7, "leastconn", servers, 3, 1000);
	ck_assert_str_eq(shape(), "be:s2,s1,s3");
	ck_assert_str_eq(cluster_backends(cluster, &n)[0]->algo, "leastconn");
	ck_assert_int_eq(cluster_backends(cluster, &n)[0]->mode, BACKEND_STOCK);
	ck_assert_int_eq(cluster_info(cluster)->pid, 7);
	ck_assert_str_eq(cluster_info(cluster)->version, "2.6");
	ck_assert_int_eq(cluster_updated_ms(cluster), 1000);
	ck_assert_uint_eq(count_pods(NULL), 2);
	ck_assert_uint_eq(row_find(cluster, "be", "s1")->sessions.own, 3);
	ck_assert_int_eq(row_find(cluster, "be", "s3")->state, SERVER_NO_ADDRESS);
}
END_TEST

/* ---- what comes, goes and moves ---- */

START_TEST(what_haproxy_no_longer_lists_goes_with_its_pod)
{
	struct hastate_server first[] = {row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0),
		row_up("s3", "10.0.0.3", 0)};
	struct hastate_server second[] = {row_up("s3", "10.0.0.3", 0)};
	struct hastate_backend backend = row_backend("be", "leastconn", first, 3);
	struct hastate_snapshot answer = row_answer(7, &backend, 1);
	struct gone gone = {0};
	struct server *kept;

	ck_assert(cluster_update(cluster, &answer, 1000, note_gone, &gone));
	kept = row_find(cluster, "be", "s3");
	backend = row_backend("be", "leastconn", second, 1);
	/* The clock need not have moved. */
	ck_assert(cluster_update(cluster, &answer, 1000, note_gone, &gone));
	ck_assert_str_eq(shape(), "be:s3");
	ck_assert_ptr_eq(row_find(cluster, "be", "s3"), kept);
	ck_assert_ptr_null(row_find(cluster, "be", "s1"));
	ck_assert_uint_eq(gone.n, 2);
	ck_assert_ptr_nonnull(strstr(gone.keys, "10.0.0.1:80 "));
	ck_assert_ptr_nonnull(strstr(gone.keys, "10.0.0.2:80 "));

	answer.n_backends = 0;
	ck_assert(cluster_update(cluster, &answer, 1000, note_gone, &gone));
	ck_assert_str_eq(shape(), "");
	ck_assert_uint_eq(gone.n, 3);
	ck_assert_uint_eq(count_pods(NULL), 0);
}
END_TEST

START_TEST(a_server_that_comes_back_has_no_past)
{
	struct hastate_server servers[] = {
		row_up("s1", "10.0.0.1", 5), row_up("s2", "10.0.0.2", 0)};

	update(7, "leastconn", servers, 2, 1000);
	row_find(cluster, "be", "s2")->sent.weight = 17;
	update(7, "leastconn", servers, 1, 2000);
	update(7, "leastconn", servers, 2, 3000);
	ck_assert_int_eq(row_find(cluster, "be", "s2")->sent.weight, -1);
	ck_assert_int_eq(row_find(cluster, "be", "s2")->since_ms, 3000);
	ck_assert_int_eq(row_find(cluster, "be", "s1")->since_ms, 1000);
	ck_assert_uint_eq(cluster_counters(cluster)->new_addresses, 0);
}
END_TEST

START_TEST(backends_and_servers_stand_in_haproxys_order)
{
	struct hastate_server servers[] = {row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0),
		row_up("s3", "10.0.0.3", 0)};
	struct hastate_backend backends[] = {
		row_backend("c", "leastconn", servers, 1),
		row_backend("b", "leastconn", servers, 1),
		row_backend("d", "leastconn", servers, 1),
		row_backend("a", "leastconn", servers, 1),
	};
	struct hastate_snapshot answer = row_answer(7, backends, 2);
	const struct backend *b;
	size_t n;

	ck_assert(cluster_update(cluster, &answer, 1000, NULL, NULL));
	ck_assert_str_eq(shape(), "c:s1 b:s1");
	b = cluster_backends(cluster, &n)[1];
	/* A new one in front, one gone, and the servers turned round. */
	backends[1].servers = (struct hastate_server[]){servers[2], servers[1], servers[0]};
	backends[1].n_servers = 3;
	answer.backends = (struct hastate_backend[]){backends[3], backends[1], backends[2]};
	answer.n_backends = 3;
	ck_assert(cluster_update(cluster, &answer, 2000, NULL, NULL));
	ck_assert_str_eq(shape(), "a:s1 b:s3,s2,s1 d:s1");
	ck_assert_ptr_eq(cluster_backends(cluster, &n)[1], b);
	answer.backends = (struct hastate_backend[]){backends[2], backends[3], backends[1]};
	ck_assert(cluster_update(cluster, &answer, 3000, NULL, NULL));
	ck_assert_str_eq(shape(), "d:s1 a:s1 b:s3,s2,s1");
}
END_TEST

START_TEST(a_pod_behind_two_backends_is_one_pod)
{
	struct hastate_server one[] = {row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0)};
	struct hastate_server two[] = {row_up("s1", "10.0.0.2", 0)};
	struct hastate_backend backends[] = {
		row_backend("a", "leastconn", one, 2), row_backend("b", "roundrobin", two, 1)};
	struct hastate_snapshot answer = row_answer(7, backends, 2);
	struct gone gone = {0};

	ck_assert(cluster_update(cluster, &answer, 1000, note_gone, &gone));
	ck_assert_uint_eq(count_pods(NULL), 2);
	ck_assert_ptr_eq(row_find(cluster, "a", "s2")->pod, row_find(cluster, "b", "s1")->pod);
	ck_assert_uint_eq(row_find(cluster, "b", "s1")->pod->n_servers, 2);
	/* One backend lets go of it, then the other. */
	backends[0].n_servers = 1;
	ck_assert(cluster_update(cluster, &answer, 2000, note_gone, &gone));
	ck_assert_uint_eq(gone.n, 0);
	ck_assert_uint_eq(row_find(cluster, "b", "s1")->pod->n_servers, 1);
	answer.n_backends = 1;
	ck_assert(cluster_update(cluster, &answer, 3000, note_gone, &gone));
	ck_assert_str_eq(gone.keys, "10.0.0.2:80 ");
}
END_TEST

START_TEST(two_servers_that_change_places_take_their_pods_along)
{
	struct hastate_server servers[] = {
		row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0)};
	struct pod *pod;

	update(7, "leastconn", servers, 2, 1000);
	pod = row_find(cluster, "be", "s2")->pod;
	row_hear(row_find(cluster, "be", "s2"), 44, 1500);
	servers[0].address = "10.0.0.2";
	servers[1].address = "10.0.0.1";
	update(7, "leastconn", servers, 2, 2000);
	/* s1 takes the pod before s2 lets go of it, so what it said is kept. */
	ck_assert_ptr_eq(row_find(cluster, "be", "s1")->pod, pod);
	ck_assert(pod->heard);
	ck_assert_uint_eq(pod->n_servers, 1);
	ck_assert_uint_eq(cluster_counters(cluster)->new_addresses, 2);
	ck_assert_uint_eq(count_pods(NULL), 2);
}
END_TEST

/* ---- which backends, and how ---- */

static const struct {
	const char *algo;
	enum backend_mode mode;
} algorithms[] = {
	{"leastconn", BACKEND_STOCK},
	{"random", BACKEND_STOCK},
	{"roundrobin", BACKEND_FLOW},
	{"static-rr", BACKEND_NOT_STEERED},
	{"first", BACKEND_NOT_STEERED},
	{"source", BACKEND_NOT_STEERED},
	{"uri", BACKEND_NOT_STEERED},
	{"hash", BACKEND_NOT_STEERED},
	{"unknown", BACKEND_NOT_STEERED},
	{"syslog", BACKEND_NOT_STEERED},
	{"", BACKEND_NOT_STEERED},
	{"leastconns", BACKEND_NOT_STEERED},
};

START_TEST(the_algorithm_decides_the_mode_and_a_backend_that_cannot_be_steered_is_shown_if_named)
{
	struct hastate_server servers[] = {row_up("s1", "10.0.0.1", 0)};
	bool steered = algorithms[_i].mode != BACKEND_NOT_STEERED;
	struct cluster_settings settings = row_settings();
	char name[] = "be";
	char *names[] = {name};
	size_t n;

	update(7, algorithms[_i].algo, servers, 1, 1000);
	ck_assert_str_eq(shape(), steered ? "be:s1" : "");
	settings.selection.backends = names;
	settings.selection.n_backends = 1;
	ck_assert(cluster_configure(cluster, &settings));
	update(7, algorithms[_i].algo, servers, 1, 2000);
	ck_assert_str_eq(shape(), "be:s1");
	ck_assert_int_eq(cluster_backends(cluster, &n)[0]->mode, algorithms[_i].mode);
	ck_assert_int_eq(row_find(cluster, "be", "s1")->state,
		steered ? SERVER_STEERED : SERVER_NOT_STEERED);
	/* With agent-check alone there is no algorithm to know. */
	settings.agent_check_only = true;
	ck_assert(cluster_configure(cluster, &settings));
	update(7, algorithms[_i].algo, servers, 1, 3000);
	ck_assert_int_eq(cluster_backends(cluster, &n)[0]->mode, BACKEND_FLOW);
	ck_assert_int_eq(row_find(cluster, "be", "s1")->state, SERVER_STEERED);
}
END_TEST

START_TEST(an_empty_backend_is_shown_only_if_named)
{
	struct cluster_settings settings = row_settings();
	char name[] = "be";
	char *names[] = {name};

	update(7, "leastconn", NULL, 0, 1000);
	ck_assert_str_eq(shape(), "");
	settings.selection.backends = names;
	settings.selection.n_backends = 1;
	ck_assert(cluster_configure(cluster, &settings));
	update(7, "leastconn", NULL, 0, 2000);
	ck_assert_str_eq(shape(), "be:");
}
END_TEST

START_TEST(settings_are_copied_and_those_backends_that_are_not_named_go)
{
	struct hastate_server servers[] = {
		row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0)};
	struct hastate_backend backends[] = {row_backend("a", "leastconn", servers, 1),
		row_backend("ab", "leastconn", servers + 1, 1)};
	struct hastate_snapshot answer = row_answer(7, backends, 2);
	struct cluster_settings settings = row_settings();
	char name[] = "ab";
	char *names[] = {name};

	settings.replicas = 5;
	settings.selection.backends = names;
	settings.selection.n_backends = 1;
	start(&settings);
	strcpy(name, "xx");
	ck_assert(cluster_update(cluster, &answer, 1000, NULL, NULL));
	ck_assert_str_eq(shape(), "ab:s2");
	ck_assert_uint_eq(cluster_settings(cluster)->replicas, 5);
	ck_assert_str_eq(cluster_settings(cluster)->selection.backends[0], "ab");

	row_hear(row_find(cluster, "ab", "s2"), 4, 1500);
	settings = row_settings();
	ck_assert(cluster_configure(cluster, &settings));
	ck_assert_str_eq(shape(), "ab:s2");
	ck_assert(cluster_update(cluster, &answer, 2000, NULL, NULL));
	ck_assert_str_eq(shape(), "a:s1 ab:s2");
	ck_assert(row_find(cluster, "ab", "s2")->pod->heard);
	strcpy(name, "a");
	settings.selection.backends = names;
	settings.selection.n_backends = 1;
	ck_assert(cluster_configure(cluster, &settings));
	ck_assert(cluster_update(cluster, &answer, 3000, NULL, NULL));
	ck_assert_str_eq(shape(), "a:s1");
}
END_TEST

START_TEST(every_mode_has_a_name)
{
	ck_assert_str_eq(backend_mode_name(BACKEND_STOCK), "stock");
	ck_assert_str_eq(backend_mode_name(BACKEND_FLOW), "flow");
	ck_assert_str_eq(backend_mode_name(BACKEND_NOT_STEERED), "not steered");
}
END_TEST

/* ---- another process ---- */

START_TEST(another_process_is_told_by_its_pid_or_by_its_start)
{
	static const struct {
		int64_t pid;
		int64_t start_time_s;
		uint64_t reloads;
	} answers[] = {
		{7, 1000, 0},
		{7, 1000, 0},
		{8, 1001, 1},
		{8, 1001, 1},
		/* The first process in a container has the same pid each time. */
		{8, 1060, 2},
		{7, 1060, 3},
	};
	struct hastate_server servers[] = {row_up("s1", "10.0.0.1", 50)};
	struct hastate_backend backend = row_backend("be", "leastconn", servers, 1);

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct hastate_snapshot answer = row_answer(answers[i].pid, &backend, 1);
		struct server *server = row_find(cluster, "be", "s1");
		bool reload = i > 0 && answers[i].reloads != answers[i - 1].reloads;

		if (server)
			server->sent.agent_send_set = true;
		answer.info.start_time_s = answers[i].start_time_s;
		ck_assert(cluster_update(cluster, &answer, 1000 * (int64_t)i + 1000, NULL, NULL));
		ck_assert_uint_eq(cluster_counters(cluster)->reloads, answers[i].reloads);
		if (server)
			ck_assert(server->sent.agent_send_set == !reload);
	}
}
END_TEST

START_TEST(a_reload_moves_no_stale_count)
{
	struct hastate_server servers[] = {row_up("s1", "10.0.0.1", 100)};
	struct server *server;

	update(7, "leastconn", servers, 1, 1000);
	server = row_find(cluster, "be", "s1");
	row_hear(server, 400, 1500);
	update(7, "leastconn", servers, 1, 2000);
	servers[0].scur = 0;
	servers[0].stot = 0;
	update(8, "leastconn", servers, 1, 3000);
	ck_assert_uint_eq(server->sessions.own_then, 0);
	servers[0].scur = 6;
	update(8, "leastconn", servers, 1, 4000);
	/* What the pod reported then, and the 6 that came since. */
	ck_assert_uint_eq(server->sessions.own - server->sessions.own_then, 6);
	ck_assert_int_eq(server->sessions.own_then_ms, 1500);
}
END_TEST

START_TEST(counters_add_up_over_all_servers)
{
	struct hastate_server servers[] = {
		row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0)};

	update(7, "leastconn", servers, 2, 1000);
	row_find(cluster, "be", "s1")->sent.weight = 100;
	row_find(cluster, "be", "s2")->sent.weight = 100;
	update(7, "leastconn", servers, 2, 2000);
	servers[0].uweight = 1;
	servers[1].uweight = 1;
	update(7, "leastconn", servers, 2, 3000);
	ck_assert_uint_eq(cluster_counters(cluster)->repairs, 2);
	servers[0].address = "10.0.0.3";
	update(7, "leastconn", servers, 2, 4000);
	ck_assert_uint_eq(cluster_counters(cluster)->new_addresses, 1);
	ck_assert_uint_eq(cluster_counters(cluster)->repairs, 2);
	ck_assert_uint_eq(cluster_counters(cluster)->reloads, 0);
}
END_TEST

START_TEST(arrivals_are_those_of_all_servers_of_the_backend)
{
	struct hastate_server servers[] = {
		row_up("s1", "10.0.0.1", 10), row_up("s2", "10.0.0.2", 10)};
	size_t n;

	update(7, "leastconn", servers, 2, 1000);
	servers[0].stot += 30;
	servers[1].stot += 10;
	update(7, "leastconn", servers, 2, 3000);
	ck_assert_double_eq_tol(cluster_backends(cluster, &n)[0]->arrivals.per_second, 20.0, 1e-9);
}
END_TEST

START_TEST(with_agent_check_alone_arrivals_are_what_the_pods_have_gained)
{
	struct hastate_server servers[] = {
		row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0)};
	struct cluster_settings settings = row_settings();
	size_t n;

	settings.agent_check_only = true;
	start(&settings);
	update(0, "", servers, 2, 1000);
	row_hear(row_find(cluster, "be", "s1"), 70, 1100);
	row_hear(row_find(cluster, "be", "s2"), 70, 1100);
	update(0, "", servers, 2, 2000);
	/* What they had when they were first heard did not come just then. */
	ck_assert(cluster_backends(cluster, &n)[0]->arrivals.per_second == 0.0);
	row_hear(row_find(cluster, "be", "s1"), 90, 2100);
	row_hear(row_find(cluster, "be", "s2"), 10, 2100);
	update(0, "", servers, 2, 3000);
	ck_assert_double_gt(cluster_backends(cluster, &n)[0]->arrivals.per_second, 0.0);
	ck_assert_double_le(cluster_backends(cluster, &n)[0]->arrivals.per_second, 20.0);
}
END_TEST

/* ---- polls ---- */

START_TEST(pods_are_wanted_while_some_server_of_theirs_may_have_connections)
{
	struct hastate_server one[] = {row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0)};
	struct hastate_server two[] = {row_up("s1", "10.0.0.1", 0)};
	struct hastate_backend backends[] = {
		row_backend("a", "leastconn", one, 2), row_backend("b", "leastconn", two, 1)};
	struct hastate_snapshot answer = row_answer(7, backends, 2);
	size_t wanted;

	one[0].status = "MAINT";
	one[1].status = "DRAIN";
	ck_assert(cluster_update(cluster, &answer, 1000, NULL, NULL));
	ck_assert_uint_eq(count_pods(&wanted), 2);
	ck_assert_uint_eq(wanted, 2);
	two[0].status = "DOWN";
	ck_assert(cluster_update(cluster, &answer, 2000, NULL, NULL));
	ck_assert_uint_eq(count_pods(&wanted), 2);
	ck_assert_uint_eq(wanted, 1);
	ck_assert(row_find(cluster, "a", "s2")->pod->wanted);
	one[0].status = "UP";
	ck_assert(cluster_update(cluster, &answer, 3000, NULL, NULL));
	count_pods(&wanted);
	ck_assert_uint_eq(wanted, 2);
}
END_TEST

START_TEST(the_first_round_is_done_when_each_wanted_pod_was_asked_and_stays_done)
{
	struct hastate_server servers[] = {row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0),
		row_up("s3", "10.0.0.3", 0)};

	servers[2].status = "DOWN";
	update(7, "leastconn", servers, 3, 1000);
	ck_assert(!cluster_is_first_round_done(cluster));
	row_hear(row_find(cluster, "be", "s1"), 4, 1100);
	ck_assert(!cluster_is_first_round_done(cluster));
	pod_observe(row_find(cluster, "be", "s2")->pod, METRIC_TIMED_OUT, NULL, NULL, 1200);
	ck_assert(cluster_is_first_round_done(cluster));
	servers[2].status = "UP";
	update(7, "leastconn", servers, 3, 2000);
	ck_assert(cluster_is_first_round_done(cluster));
}
END_TEST

START_TEST(without_pods_the_first_round_is_done_with_the_first_answer)
{
	update(7, "leastconn", NULL, 0, 1000);
	ck_assert(cluster_is_first_round_done(cluster));
}
END_TEST

/* ---- names ---- */

START_TEST(a_server_is_found_by_its_whole_name_only)
{
	struct hastate_server servers[] = {
		row_up("s1", "10.0.0.1", 0), row_up("s12", "10.0.0.2", 0)};

	update(7, "leastconn", servers, 2, 1000);
	ck_assert_ptr_nonnull(cluster_find_server(cluster, "be", 2, "s1", 2));
	ck_assert_str_eq(cluster_find_server(cluster, "bexx", 2, "s12", 2)->name, "s1");
	ck_assert_ptr_null(cluster_find_server(cluster, "be", 2, "s", 1));
	ck_assert_ptr_null(cluster_find_server(cluster, "be", 2, "s123", 4));
	ck_assert_ptr_null(cluster_find_server(cluster, "b", 1, "s1", 2));
	ck_assert_ptr_null(cluster_find_server(cluster, "", 0, "", 0));
	/* Bytes of a stranger's request. */
	ck_assert_ptr_null(cluster_find_server(cluster, "be", 2, "s1\0x", 4));
	ck_assert_ptr_null(cluster_find_server(cluster, "be\0", 3, "s1", 2));
	ck_assert_ptr_null(cluster_find_server(cluster, "be", 2, "s1\0", 3));
}
END_TEST

/* HAProxy reads configuration lines of 2,048 bytes. */
START_TEST(names_may_be_as_long_as_haproxy_takes_them)
{
	char names[2][2001];
	struct hastate_server servers[1];
	struct hastate_backend backend;
	struct hastate_snapshot answer;
	struct server *server;

	memset(names, 'x', sizeof(names));
	names[0][2000] = names[1][2000] = '\0';
	servers[0] = row_up(names[1], "10.0.0.1", 0);
	backend = row_backend(names[0], "leastconn", servers, 1);
	answer = row_answer(7, &backend, 1);
	ck_assert(cluster_update(cluster, &answer, 1000, NULL, NULL));
	server = row_find(cluster, names[0], names[1]);
	ck_assert_ptr_nonnull(server);
	ck_assert(cluster_update(cluster, &answer, 2000, NULL, NULL));
	ck_assert_ptr_eq(row_find(cluster, names[0], names[1]), server);
	ck_assert_int_eq(server->since_ms, 1000);
}
END_TEST

START_TEST(longer_bytes_than_any_name_find_nothing)
{
	enum { LONG = 100000 };
	char *bytes = malloc(LONG);

	memset(bytes, 'x', LONG);
	for (size_t len = 4000; len < 4200; len++)
		ck_assert_ptr_null(cluster_find_server(cluster, "be", 2, bytes, len));
	ck_assert_ptr_null(cluster_find_server(cluster, bytes, LONG, bytes, LONG));
	free(bytes);
}
END_TEST

/* The ramp is for pods that come to others: at the start every server is there already. */
START_TEST(a_server_is_new_where_its_backend_was_steered_before)
{
	struct hastate_server servers[] = {
		row_up("s1", "10.0.0.1", 0), row_up("s2", "10.0.0.2", 0)};

	update(7, "leastconn", servers, 1, 1000);
	ck_assert(steer_plan(cluster, 1000));
	update(7, "leastconn", servers, 2, 2000);
	ck_assert_int_eq(row_find(cluster, "be", "s1")->joined_ms, 0);
	ck_assert_int_eq(row_find(cluster, "be", "s2")->joined_ms, 2000);
}
END_TEST

/* ---- anything, many times ---- */

static void check_pod(const struct pod *pod)
{
	unsigned n = 0;
	bool wanted = false;
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(cluster, &n_backends);

	for (size_t b = 0; b < n_backends; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++) {
			const struct server *server = backends[b]->servers[i];

			n += server->pod == pod;
			wanted = wanted || (server->pod == pod && server_is_polled(server));
		}
	}
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_eq(pod->n_servers, n);
	ck_assert(pod->wanted == wanted);
}

enum { MAX_BACKENDS = 4, MAX_SERVERS = 6, N_ADDRESSES = 8 };

static size_t random_answer(
	struct hastate_backend *backends, struct hastate_server servers[MAX_BACKENDS][MAX_SERVERS])
{
	static const char *const backend_names[MAX_BACKENDS] = {"a", "ab", "b", "c"};
	static const char *const names[MAX_SERVERS] = {"s1", "s2", "s3", "s10", "s20", "s"};
	static const char *const addresses[N_ADDRESSES] = {
		"", "10.0.0.1", "10.0.0.2", "10.0.0.3", "::1", "::2", "10.0.0.4", "10.0.0.5"};
	static const char *const statuses[] = {"UP", "DOWN", "MAINT", "DRAIN", "no check"};
	static const char *const algos[] = {"leastconn", "roundrobin", "random", "source"};
	size_t n = 0;

	for (size_t b = 0; b < MAX_BACKENDS; b++) {
		size_t m = 0;

		if (rand() % 4 == 0)
			continue;
		for (size_t s = 0; s < MAX_SERVERS; s++) {
			if (rand() % 3 == 0)
				continue;
			servers[n][m] = row_up(
				names[s], addresses[rand() % N_ADDRESSES], (uint32_t)(rand() % 50));
			servers[n][m].status = statuses[rand() % 5];
			servers[n][m].uweight = rand() % 257;
			servers[n][m++].fqdn = rand() % 2 ? "pods.test" : "";
		}
		backends[n] = row_backend(backend_names[b], algos[rand() % 4], servers[n], m);
		n++;
	}
	return n;
}

START_TEST(random_answers_leave_a_model_without_loose_ends)
{
	for (int round = 0; round < 3000; round++) {
		struct hastate_server servers[MAX_BACKENDS][MAX_SERVERS];
		struct hastate_backend backends[MAX_BACKENDS];
		size_t n = random_answer(backends, servers);
		struct hastate_snapshot answer = row_answer(1 + rand() % 3, backends, n);
		size_t n_pods;
		struct pod *const *pods;
		struct gone gone = {0};
		size_t before = count_pods(NULL);

		ck_assert(cluster_update(cluster, &answer, 1 + round / 2, note_gone, &gone));
		pods = cluster_edit_pods(cluster, &n_pods);
		for (size_t i = 0; i < n_pods; i++)
			check_pod(pods[i]);
		ck_assert_uint_le(gone.n, before);
		for (size_t b = 0; b < n; b++) {
			if (strcmp(backends[b].algo, "source") == 0 || backends[b].n_servers == 0)
				continue;
			for (size_t s = 0; s < backends[b].n_servers; s++) {
				struct server *server =
					row_find(cluster, backends[b].name, servers[b][s].name);

				ck_assert_str_eq(server->pod ? server->pod->address : "",
					servers[b][s].address);
				ck_assert_uint_eq(server->sessions.own, servers[b][s].scur);
			}
		}
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_new_cluster_is_empty, ONCE},
		{an_answer_becomes_backends_servers_and_pods, ONCE},
		{what_haproxy_no_longer_lists_goes_with_its_pod, ONCE},
		{a_server_that_comes_back_has_no_past, ONCE},
		{backends_and_servers_stand_in_haproxys_order, ONCE},
		{a_pod_behind_two_backends_is_one_pod, ONCE},
		{two_servers_that_change_places_take_their_pods_along, ONCE},
		{the_algorithm_decides_the_mode_and_a_backend_that_cannot_be_steered_is_shown_if_named,
			N_OF(algorithms)},
		{an_empty_backend_is_shown_only_if_named, ONCE},
		{settings_are_copied_and_those_backends_that_are_not_named_go, ONCE},
		{every_mode_has_a_name, ONCE},
		{another_process_is_told_by_its_pid_or_by_its_start, ONCE},
		{a_reload_moves_no_stale_count, ONCE},
		{counters_add_up_over_all_servers, ONCE},
		{arrivals_are_those_of_all_servers_of_the_backend, ONCE},
		{with_agent_check_alone_arrivals_are_what_the_pods_have_gained, ONCE},
		{pods_are_wanted_while_some_server_of_theirs_may_have_connections, ONCE},
		{the_first_round_is_done_when_each_wanted_pod_was_asked_and_stays_done, ONCE},
		{without_pods_the_first_round_is_done_with_the_first_answer, ONCE},
		{a_server_is_found_by_its_whole_name_only, ONCE},
		{names_may_be_as_long_as_haproxy_takes_them, ONCE},
		{longer_bytes_than_any_name_find_nothing, ONCE},
		{a_server_is_new_where_its_backend_was_steered_before, ONCE},
		{random_answers_leave_a_model_without_loose_ends, ONCE},
	};

	run_dice("cluster");
	return run_suite_with("cluster", setup, teardown, tests, N_OF(tests));
}
