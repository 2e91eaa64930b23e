/* SPDX-License-Identifier: MIT */
/* Commands: which are sent, and what is remembered of them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/steer/reconcile.h"
#include "core/steer/steer.h"
#include "rows.h"
#include "run.h"

/* ---- a HAProxy that obeys ---- */

struct haproxy {
	struct hastate_server *rows;
	size_t n;
	int64_t pid;
	size_t n_weights;
	size_t n_agent_sends;
	bool deaf; /* takes no command */
};

static struct hastate_server *find_row(struct haproxy *haproxy, const char *id)
{
	for (size_t i = 0; i < haproxy->n; i++) {
		if (strncmp(id, "be/", 3) == 0 && strcmp(id + 3, haproxy->rows[i].name) == 0)
			return &haproxy->rows[i];
	}
	ck_abort_msg("no server %s", id);
	return NULL;
}

static void obey_command(struct haproxy *haproxy, char *command)
{
	static const char prefix[] = "set server ";
	char *id = command + strlen(prefix);
	char *what = strchr(id, ' ');

	ck_assert_int_eq(strncmp(command, prefix, strlen(prefix)), 0);
	ck_assert_ptr_nonnull(what);
	*what++ = '\0';
	if (strncmp(what, "weight ", 7) == 0) {
		char *end;
		long weight = strtol(what + 7, &end, 10);

		ck_assert_str_eq(end, "");
		ck_assert_int_ge(weight, 0);
		ck_assert_int_le(weight, 256);
		haproxy->n_weights++;
		if (!haproxy->deaf)
			find_row(haproxy, id)->uweight = (int)weight;
	} else {
		ck_assert_int_eq(strncmp(what, "agent-send ", 11), 0);
		ck_assert_str_eq(what + 11, id);
		find_row(haproxy, id);
		haproxy->n_agent_sends++;
	}
}

/* Takes every command of every line, and checks the lines' shape. */
static void obey(struct haproxy *haproxy, struct commands *out)
{
	haproxy->n_weights = 0;
	haproxy->n_agent_sends = 0;
	for (size_t i = 0; i < out->n_lines; i++) {
		size_t len = strlen(out->lines[i]);
		char *rest = out->lines[i];
		char *command;

		ck_assert_uint_le(len, COMMANDS_LINE_MAX);
		ck_assert_uint_gt(len, 1);
		ck_assert_ptr_eq(strchr(out->lines[i], '\n'), out->lines[i] + len - 1);
		out->lines[i][len - 1] = '\0';
		while ((command = strsep(&rest, ";")))
			obey_command(haproxy, command);
	}
	ck_assert_uint_eq(haproxy->n_weights, out->n_weights);
	commands_fini(out);
}

static void update(struct haproxy *haproxy, struct cluster *cluster, int64_t now_ms)
{
	struct hastate_backend backend = row_backend("be", "leastconn", haproxy->rows, haproxy->n);
	struct hastate_snapshot answer = row_answer(haproxy->pid, &backend, 1);

	ck_assert(cluster_update(cluster, &answer, now_ms, NULL, NULL));
}

static void send_plan(struct haproxy *haproxy, struct cluster *cluster, uint16_t port)
{
	struct commands out = {.n_lines = 0};

	ck_assert(reconcile_plan(cluster, port, &out));
	obey(haproxy, &out);
}

static void send_restore(struct haproxy *haproxy, struct cluster *cluster)
{
	struct commands out = {.n_lines = 0};

	steer_release(cluster);
	ck_assert(reconcile_restore(cluster, &out));
	obey(haproxy, &out);
}

static struct cluster *new_cluster(void)
{
	struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);

	ck_assert_ptr_nonnull(cluster);
	return cluster;
}

/* As a plan would. */
static void want(struct cluster *cluster, const char *name, int weight)
{
	struct server *server = row_find(cluster, "be", name);

	server->plan.made = true;
	server->plan.weight = weight;
}

enum { N = 3 };

struct bench {
	struct hastate_server rows[N];
	struct haproxy haproxy;
	struct cluster *cluster;
};

static void setup(struct bench *bench)
{
	bench->rows[0] = row_up("s1", "10.0.0.1", 0);
	bench->rows[1] = row_up("s2", "10.0.0.2", 0);
	bench->rows[2] = row_up("s3", "10.0.0.3", 0);
	bench->haproxy = (struct haproxy){.rows = bench->rows, .n = N, .pid = 7};
	bench->cluster = new_cluster();
	update(&bench->haproxy, bench->cluster, 1000);
}

static struct server *server(struct bench *bench, const char *name)
{
	return row_find(bench->cluster, "be", name);
}

/* ---- which are sent ---- */

START_TEST(only_planned_weights_that_differ_are_sent)
{
	struct bench bench;

	setup(&bench);
	want(bench.cluster, "s1", 100);
	want(bench.cluster, "s2", 17);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_uint_eq(bench.haproxy.n_weights, 1);
	ck_assert_int_eq(bench.rows[0].uweight, 100);
	ck_assert_int_eq(bench.rows[1].uweight, 17);
	ck_assert_int_eq(bench.rows[2].uweight, 100);
	ck_assert_int_eq(server(&bench, "s1")->sent.weight, -1);
	ck_assert_int_eq(server(&bench, "s2")->sent.weight, 17);
	ck_assert_int_eq(server(&bench, "s3")->sent.weight, -1);
	update(&bench.haproxy, bench.cluster, 2000);
	ck_assert(server(&bench, "s2")->sent.verified);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_uint_eq(bench.haproxy.n_weights, 0);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(the_weights_0_and_256_are_sent_like_any_other)
{
	struct bench bench;

	setup(&bench);
	want(bench.cluster, "s1", 0);
	want(bench.cluster, "s2", 256);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_int_eq(bench.rows[0].uweight, 0);
	ck_assert_int_eq(bench.rows[1].uweight, 256);
	update(&bench.haproxy, bench.cluster, 2000);
	ck_assert(server(&bench, "s1")->sent.verified);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_weight_that_did_not_arrive_is_sent_again_and_is_no_repair)
{
	struct bench bench;

	setup(&bench);
	want(bench.cluster, "s1", 50);
	send_plan(&bench.haproxy, bench.cluster, 0);
	update(&bench.haproxy, bench.cluster, 2000);
	ck_assert(server(&bench, "s1")->sent.verified);
	want(bench.cluster, "s1", 60);
	bench.haproxy.deaf = true;
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert(!server(&bench, "s1")->sent.verified);
	update(&bench.haproxy, bench.cluster, 3000);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_uint_eq(bench.haproxy.n_weights, 1);
	bench.haproxy.deaf = false;
	update(&bench.haproxy, bench.cluster, 4000);
	send_plan(&bench.haproxy, bench.cluster, 0);
	update(&bench.haproxy, bench.cluster, 5000);
	ck_assert_int_eq(bench.rows[0].uweight, 60);
	ck_assert(server(&bench, "s1")->sent.verified);
	ck_assert_uint_eq(cluster_counters(bench.cluster)->repairs, 0);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(a_weight_that_somebody_changed_is_repaired_and_counted)
{
	struct bench bench;

	setup(&bench);
	want(bench.cluster, "s1", 50);
	send_plan(&bench.haproxy, bench.cluster, 0);
	update(&bench.haproxy, bench.cluster, 2000);
	bench.rows[0].uweight = 99;
	update(&bench.haproxy, bench.cluster, 3000);
	ck_assert_uint_eq(cluster_counters(bench.cluster)->repairs, 1);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_int_eq(bench.rows[0].uweight, 50);
	update(&bench.haproxy, bench.cluster, 4000);
	ck_assert(server(&bench, "s1")->sent.verified);
	ck_assert_uint_eq(cluster_counters(bench.cluster)->repairs, 1);
	cluster_free(bench.cluster);
}
END_TEST

/* A slot hands its weight on to the next pod. */
START_TEST(another_pod_in_the_slot_gets_its_weight_even_where_the_old_one_had_the_same_wanted)
{
	struct bench bench;

	setup(&bench);
	want(bench.cluster, "s1", 17);
	send_plan(&bench.haproxy, bench.cluster, 0);
	bench.rows[0].address = "10.0.0.9";
	update(&bench.haproxy, bench.cluster, 2000);
	ck_assert(!server(&bench, "s1")->plan.made);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_uint_eq(bench.haproxy.n_weights, 0);
	want(bench.cluster, "s1", 256);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_int_eq(bench.rows[0].uweight, 256);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(after_a_reload_every_weight_is_sent_at_once)
{
	struct bench bench;

	setup(&bench);
	for (size_t i = 0; i < N; i++)
		want(bench.cluster, bench.rows[i].name, 20 + (int)i);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_uint_eq(bench.haproxy.n_weights, N);
	update(&bench.haproxy, bench.cluster, 2000);
	bench.haproxy.pid = 8;
	for (size_t i = 0; i < N; i++)
		bench.rows[i].uweight = 100;
	update(&bench.haproxy, bench.cluster, 3000);
	ck_assert_uint_eq(cluster_counters(bench.cluster)->repairs, 0);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_uint_eq(bench.haproxy.n_weights, N);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(bench.rows[i].uweight, 20 + (int)i);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(agent_send_is_told_once_where_the_agent_check_asks_the_agent)
{
	struct bench bench;

	setup(&bench);
	bench.rows[0].agent_port = 9000;
	bench.rows[1].agent_port = 9001;
	update(&bench.haproxy, bench.cluster, 2000);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_uint_eq(bench.haproxy.n_agent_sends, 0);
	send_plan(&bench.haproxy, bench.cluster, 9000);
	ck_assert_uint_eq(bench.haproxy.n_agent_sends, 1);
	ck_assert(server(&bench, "s1")->sent.agent_send_set);
	ck_assert(!server(&bench, "s2")->sent.agent_send_set);
	update(&bench.haproxy, bench.cluster, 3000);
	send_plan(&bench.haproxy, bench.cluster, 9000);
	ck_assert_uint_eq(bench.haproxy.n_agent_sends, 0);
	/* Again to another process, and when a line was lost. */
	bench.haproxy.pid = 8;
	update(&bench.haproxy, bench.cluster, 4000);
	send_plan(&bench.haproxy, bench.cluster, 9000);
	ck_assert_uint_eq(bench.haproxy.n_agent_sends, 1);
	reconcile_lost(bench.cluster);
	send_plan(&bench.haproxy, bench.cluster, 9000);
	ck_assert_uint_eq(bench.haproxy.n_agent_sends, 1);
	cluster_free(bench.cluster);
}
END_TEST

/* ---- putting back ---- */

START_TEST(restore_puts_back_what_was_steered_and_nothing_else)
{
	struct bench bench;

	setup(&bench);
	want(bench.cluster, "s1", 17);
	want(bench.cluster, "s2", 100);
	bench.rows[2].uweight = 33; /* an operator's, on a server that is not steered */
	update(&bench.haproxy, bench.cluster, 2000);
	send_plan(&bench.haproxy, bench.cluster, 0);
	update(&bench.haproxy, bench.cluster, 3000);
	send_restore(&bench.haproxy, bench.cluster);
	ck_assert_uint_eq(bench.haproxy.n_weights, 1);
	ck_assert_int_eq(bench.rows[0].uweight, 100);
	ck_assert_int_eq(bench.rows[2].uweight, 33);
	update(&bench.haproxy, bench.cluster, 4000);
	send_restore(&bench.haproxy, bench.cluster);
	ck_assert_uint_eq(bench.haproxy.n_weights, 0);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(restore_follows_a_weight_that_was_sent_a_moment_ago)
{
	static const int sent[] = {17, 0};

	for (size_t i = 0; i < 2; i++) {
		struct bench bench;

		setup(&bench);
		want(bench.cluster, "s1", sent[i]);
		send_plan(&bench.haproxy, bench.cluster, 0);
		/* HAProxy was not read since: it still shows 100. */
		send_restore(&bench.haproxy, bench.cluster);
		ck_assert_int_eq(bench.rows[0].uweight, 100);
		ck_assert_uint_eq(bench.haproxy.n_weights, 1);
		cluster_free(bench.cluster);
	}
}
END_TEST

START_TEST(restore_is_sent_again_where_haproxy_shows_that_it_was_lost)
{
	struct bench bench;

	setup(&bench);
	want(bench.cluster, "s1", 17);
	send_plan(&bench.haproxy, bench.cluster, 0);
	update(&bench.haproxy, bench.cluster, 2000);
	bench.haproxy.deaf = true;
	send_restore(&bench.haproxy, bench.cluster);
	update(&bench.haproxy, bench.cluster, 3000);
	bench.haproxy.deaf = false;
	send_restore(&bench.haproxy, bench.cluster);
	ck_assert_int_eq(bench.rows[0].uweight, 100);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(restore_takes_back_what_an_agent_before_this_one_has_left)
{
	struct bench bench;

	setup(&bench);
	bench.rows[0].uweight = 17;
	update(&bench.haproxy, bench.cluster, 2000);
	want(bench.cluster, "s1", 17);
	send_plan(&bench.haproxy, bench.cluster, 0);
	ck_assert_uint_eq(bench.haproxy.n_weights, 0);
	send_restore(&bench.haproxy, bench.cluster);
	ck_assert_int_eq(bench.rows[0].uweight, 100);
	cluster_free(bench.cluster);
}
END_TEST

/* The next pod in the slot would have it for ever. */
START_TEST(restore_puts_back_the_weight_of_a_slot_that_lost_its_pod)
{
	struct bench bench;

	setup(&bench);
	want(bench.cluster, "s1", 17);
	send_plan(&bench.haproxy, bench.cluster, 0);
	bench.rows[0].address = "";
	bench.rows[0].status = "MAINT (resolution)";
	update(&bench.haproxy, bench.cluster, 2000);
	ck_assert(steer_plan(bench.cluster, 2000));
	ck_assert(!server(&bench, "s1")->plan.made);
	send_restore(&bench.haproxy, bench.cluster);
	ck_assert_int_eq(bench.rows[0].uweight, 100);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(restore_reaches_servers_that_were_drained_or_stopped_since)
{
	static const char *const statuses[] = {"DRAIN", "MAINT", "DOWN"};
	struct bench bench;

	setup(&bench);
	for (size_t i = 0; i < N; i++)
		want(bench.cluster, bench.rows[i].name, 17);
	send_plan(&bench.haproxy, bench.cluster, 0);
	for (size_t i = 0; i < N; i++)
		bench.rows[i].status = statuses[i];
	update(&bench.haproxy, bench.cluster, 2000);
	ck_assert(steer_plan(bench.cluster, 2000));
	send_restore(&bench.haproxy, bench.cluster);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(bench.rows[i].uweight, 100);
	cluster_free(bench.cluster);
}
END_TEST

/* ---- many ---- */

START_TEST(thousands_of_weights_go_out_once_each_in_few_lines)
{
	enum { MANY = 4000 };
	struct hastate_server *rows = calloc(MANY, sizeof(*rows));
	char(*names)[24] = calloc(MANY, sizeof(*names));
	struct haproxy haproxy = {.rows = rows, .n = MANY, .pid = 7};
	struct cluster *cluster = new_cluster();
	struct commands out = {.n_lines = 0};
	size_t n_commands = 0;

	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "server%d", i + 1);
		rows[i] = row_up(names[i], "10.0.0.1", 0);
	}
	update(&haproxy, cluster, 1000);
	for (int i = 0; i < MANY; i++)
		want(cluster, names[i], 50);
	ck_assert(reconcile_plan(cluster, 0, &out));
	ck_assert_uint_eq(out.n_weights, MANY);
	/* "set server be/server1234 weight 50" and a joint: 35 bytes. */
	ck_assert_uint_le(out.n_lines, MANY * 35 / COMMANDS_LINE_MAX + 1);
	for (size_t i = 0; i < out.n_lines; i++) {
		ck_assert_uint_le(strlen(out.lines[i]), COMMANDS_LINE_MAX);
		for (char *c = out.lines[i]; *c; c++)
			n_commands += *c == ';' || *c == '\n';
	}
	ck_assert_uint_eq(n_commands, MANY);
	commands_fini(&out);
	cluster_free(cluster);
	free(names);
	free(rows);
}
END_TEST

/* Whatever happens to servers and weights, one round later HAProxy has what is wanted, and at the
 * end what its file says. */
START_TEST(random_rounds_converge_and_the_end_restores)
{
	static const char *const addresses[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", ""};
	static const char *const statuses[] = {"UP", "UP", "UP", "DRAIN", "DOWN"};
	struct bench bench;

	setup(&bench);
	for (int round = 2; round < 2000; round++) {
		for (size_t i = 0; i < N; i++) {
			struct hastate_server *row = &bench.rows[i];

			if (rand() % 20 == 0)
				row->address = addresses[rand() % 4];
			if (rand() % 10 == 0)
				row->status = statuses[rand() % 5];
			row->scur = (uint32_t)(rand() % 50);
		}
		if (rand() % 50 == 0) {
			bench.haproxy.pid++;
			for (size_t i = 0; i < N; i++)
				bench.rows[i].uweight = bench.rows[i].iweight;
		}
		update(&bench.haproxy, bench.cluster, 1000 * round);
		ck_assert(steer_plan(bench.cluster, 1000 * round));
		bench.haproxy.deaf = rand() % 10 == 0;
		send_plan(&bench.haproxy, bench.cluster, 0);
		for (size_t i = 0; i < N && !bench.haproxy.deaf; i++) {
			struct server *s = server(&bench, bench.rows[i].name);

			ck_assert(!s->plan.made || bench.rows[i].uweight == s->plan.weight);
			if (s->pod && rand() % 2 == 0)
				row_hear(s, (uint32_t)(rand() % 50), 1000 * round + 500);
		}
	}
	bench.haproxy.deaf = false;
	send_restore(&bench.haproxy, bench.cluster);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(bench.rows[i].uweight, bench.rows[i].iweight);
	ck_assert_uint_eq(cluster_counters(bench.cluster)->repairs, 0);
	cluster_free(bench.cluster);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{only_planned_weights_that_differ_are_sent, ONCE},
		{the_weights_0_and_256_are_sent_like_any_other, ONCE},
		{a_weight_that_did_not_arrive_is_sent_again_and_is_no_repair, ONCE},
		{a_weight_that_somebody_changed_is_repaired_and_counted, ONCE},
		{another_pod_in_the_slot_gets_its_weight_even_where_the_old_one_had_the_same_wanted,
			ONCE},
		{after_a_reload_every_weight_is_sent_at_once, ONCE},
		{agent_send_is_told_once_where_the_agent_check_asks_the_agent, ONCE},
		{restore_puts_back_what_was_steered_and_nothing_else, ONCE},
		{restore_follows_a_weight_that_was_sent_a_moment_ago, ONCE},
		{restore_is_sent_again_where_haproxy_shows_that_it_was_lost, ONCE},
		{restore_takes_back_what_an_agent_before_this_one_has_left, ONCE},
		{restore_puts_back_the_weight_of_a_slot_that_lost_its_pod, ONCE},
		{restore_reaches_servers_that_were_drained_or_stopped_since, ONCE},
		{thousands_of_weights_go_out_once_each_in_few_lines, ONCE},
		{random_rounds_converge_and_the_end_restores, ONCE},
	};

	run_dice("reconcile");
	return run_suite("reconcile", tests, N_OF(tests));
}
