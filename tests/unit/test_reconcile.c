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

enum { N = 3 };

static struct hastate_server rows[N]; /* "s1", "s2", "s3" of "be" */

static struct haproxy {
	struct hastate_server *rows;
	size_t n;
	int64_t pid;
	size_t n_weights;
	size_t n_agent_sends;
	bool deaf; /* takes no command */
} haproxy;

static struct cluster *cluster;

static struct hastate_server *find_row(const char *id)
{
	for (size_t i = 0; i < haproxy.n; i++) {
		if (strncmp(id, "be/", 3) == 0 && strcmp(id + 3, haproxy.rows[i].name) == 0)
			return &haproxy.rows[i];
	}
	ck_abort_msg("no server %s", id);
	return NULL;
}

static void obey_command(char *command)
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
		haproxy.n_weights++;
		if (!haproxy.deaf)
			find_row(id)->uweight = (int)weight;
	} else {
		ck_assert_int_eq(strncmp(what, "agent-send ", 11), 0);
		ck_assert_str_eq(what + 11, id);
		find_row(id);
		haproxy.n_agent_sends++;
	}
}

/* Takes every command of every line, and checks the lines' shape. */
static void obey(struct commands *out)
{
	haproxy.n_weights = 0;
	haproxy.n_agent_sends = 0;
	for (size_t i = 0; i < out->n_lines; i++) {
		size_t len = strlen(out->lines[i]);
		char *rest = out->lines[i];
		char *command;

		ck_assert_uint_le(len, COMMANDS_LINE_MAX);
		ck_assert_uint_gt(len, 1);
		ck_assert_ptr_eq(strchr(out->lines[i], '\n'), out->lines[i] + len - 1);
		out->lines[i][len - 1] = '\0';
		while ((command = strsep(&rest, ";")))
			obey_command(command);
	}
	ck_assert_uint_eq(haproxy.n_weights, out->n_weights);
	commands_fini(out);
}

static void update(int64_t now_ms)
{
	struct hastate_backend backend = row_backend("be", "leastconn", haproxy.rows, haproxy.n);
	struct hastate_snapshot answer = row_answer(haproxy.pid, &backend, 1);

	ck_assert(cluster_update(cluster, &answer, now_ms, NULL, NULL));
}

static void send_plan(uint16_t port)
{
	struct commands out = {.n_lines = 0};

	ck_assert(reconcile_plan(cluster, port, &out));
	obey(&out);
}

static void send_restore(void)
{
	struct commands out = {.n_lines = 0};

	steer_release(cluster);
	ck_assert(reconcile_restore(cluster, &out));
	obey(&out);
}

/* As a plan would. */
static void want(const char *name, int weight)
{
	struct server *server = row_find(cluster, "be", name);

	server->plan.made = true;
	server->plan.weight = weight;
}

static struct server *server(const char *name)
{
	return row_find(cluster, "be", name);
}

static void setup(void)
{
	struct cluster_settings settings = row_settings();

	rows[0] = row_up("s1", "10.0.0.1", 0);
	rows[1] = row_up("s2", "10.0.0.2", 0);
	rows[2] = row_up("s3", "10.0.0.3", 0);
	haproxy = (struct haproxy){.rows = rows, .n = N, .pid = 7};
	cluster = cluster_new(&settings);
	ck_assert_ptr_nonnull(cluster);
	update(1000);
}

static void teardown(void)
{
	cluster_free(cluster);
}

/* ---- which are sent ---- */

START_TEST(only_planned_weights_that_differ_are_sent)
{
	want("s1", 100);
	want("s2", 17);
	send_plan(0);
	ck_assert_uint_eq(haproxy.n_weights, 1);
	ck_assert_int_eq(rows[0].uweight, 100);
	ck_assert_int_eq(rows[1].uweight, 17);
	ck_assert_int_eq(rows[2].uweight, 100);
	ck_assert_int_eq(server("s1")->sent.weight, -1);
	ck_assert_int_eq(server("s2")->sent.weight, 17);
	ck_assert_int_eq(server("s3")->sent.weight, -1);
	update(2000);
	ck_assert(server("s2")->sent.verified);
	send_plan(0);
	ck_assert_uint_eq(haproxy.n_weights, 0);
}
END_TEST

START_TEST(the_weights_0_and_256_are_sent_like_any_other)
{
	want("s1", 0);
	want("s2", 256);
	send_plan(0);
	ck_assert_int_eq(rows[0].uweight, 0);
	ck_assert_int_eq(rows[1].uweight, 256);
	update(2000);
	ck_assert(server("s1")->sent.verified);
}
END_TEST

START_TEST(a_weight_that_did_not_arrive_is_sent_again_and_is_no_repair)
{
	want("s1", 50);
	send_plan(0);
	update(2000);
	ck_assert(server("s1")->sent.verified);
	want("s1", 60);
	haproxy.deaf = true;
	send_plan(0);
	ck_assert(!server("s1")->sent.verified);
	update(3000);
	send_plan(0);
	ck_assert_uint_eq(haproxy.n_weights, 1);
	haproxy.deaf = false;
	update(4000);
	send_plan(0);
	update(5000);
	ck_assert_int_eq(rows[0].uweight, 60);
	ck_assert(server("s1")->sent.verified);
	ck_assert_uint_eq(cluster_counters(cluster)->repairs, 0);
}
END_TEST

START_TEST(a_weight_that_somebody_changed_is_repaired_and_counted)
{
	want("s1", 50);
	send_plan(0);
	update(2000);
	rows[0].uweight = 99;
	update(3000);
	ck_assert_uint_eq(cluster_counters(cluster)->repairs, 1);
	send_plan(0);
	ck_assert_int_eq(rows[0].uweight, 50);
	update(4000);
	ck_assert(server("s1")->sent.verified);
	ck_assert_uint_eq(cluster_counters(cluster)->repairs, 1);
}
END_TEST

/* A slot hands its weight on to the next pod. */
START_TEST(another_pod_in_the_slot_gets_its_weight_even_where_the_old_one_had_the_same_wanted)
{
	want("s1", 17);
	send_plan(0);
	rows[0].address = "10.0.0.9";
	update(2000);
	ck_assert(!server("s1")->plan.made);
	send_plan(0);
	ck_assert_uint_eq(haproxy.n_weights, 0);
	want("s1", 256);
	send_plan(0);
	ck_assert_int_eq(rows[0].uweight, 256);
}
END_TEST

START_TEST(after_a_reload_every_weight_is_sent_at_once)
{
	for (size_t i = 0; i < N; i++)
		want(rows[i].name, 20 + (int)i);
	send_plan(0);
	ck_assert_uint_eq(haproxy.n_weights, N);
	update(2000);
	haproxy.pid = 8;
	for (size_t i = 0; i < N; i++)
		rows[i].uweight = 100;
	update(3000);
	ck_assert_uint_eq(cluster_counters(cluster)->repairs, 0);
	send_plan(0);
	ck_assert_uint_eq(haproxy.n_weights, N);
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(rows[i].uweight, 20 + (int)i);
}
END_TEST

START_TEST(agent_send_is_told_once_where_the_agent_check_asks_the_agent)
{
	rows[0].agent_port = 9000;
	rows[1].agent_port = 9001;
	update(2000);
	send_plan(0);
	ck_assert_uint_eq(haproxy.n_agent_sends, 0);
	send_plan(9000);
	ck_assert_uint_eq(haproxy.n_agent_sends, 1);
	ck_assert(server("s1")->sent.agent_send_set);
	ck_assert(!server("s2")->sent.agent_send_set);
	update(3000);
	send_plan(9000);
	ck_assert_uint_eq(haproxy.n_agent_sends, 0);
	/* Again to another process, and when a line was lost. */
	haproxy.pid = 8;
	update(4000);
	send_plan(9000);
	ck_assert_uint_eq(haproxy.n_agent_sends, 1);
	reconcile_lost(cluster);
	send_plan(9000);
	ck_assert_uint_eq(haproxy.n_agent_sends, 1);
}
END_TEST

/* ---- putting back ---- */

START_TEST(restore_puts_back_what_was_steered_and_nothing_else)
{
	want("s1", 17);
	want("s2", 100);
	rows[2].uweight = 33; /* an operator's, on a server that is not steered */
	update(2000);
	send_plan(0);
	update(3000);
	send_restore();
	ck_assert_uint_eq(haproxy.n_weights, 1);
	ck_assert_int_eq(rows[0].uweight, 100);
	ck_assert_int_eq(rows[2].uweight, 33);
	update(4000);
	send_restore();
	ck_assert_uint_eq(haproxy.n_weights, 0);
}
END_TEST

START_TEST(restore_follows_a_weight_that_was_sent_a_moment_ago)
{
	static const int sent[] = {17, 0};

	want("s1", sent[_i]);
	send_plan(0);
	/* HAProxy was not read since: it still shows 100. */
	send_restore();
	ck_assert_int_eq(rows[0].uweight, 100);
	ck_assert_uint_eq(haproxy.n_weights, 1);
}
END_TEST

START_TEST(restore_is_sent_again_where_haproxy_shows_that_it_was_lost)
{
	want("s1", 17);
	send_plan(0);
	update(2000);
	haproxy.deaf = true;
	send_restore();
	update(3000);
	haproxy.deaf = false;
	send_restore();
	ck_assert_int_eq(rows[0].uweight, 100);
}
END_TEST

START_TEST(restore_takes_back_what_an_agent_before_this_one_has_left)
{
	rows[0].uweight = 17;
	update(2000);
	want("s1", 17);
	send_plan(0);
	ck_assert_uint_eq(haproxy.n_weights, 0);
	send_restore();
	ck_assert_int_eq(rows[0].uweight, 100);
}
END_TEST

/* The next pod in the slot would have it for ever. */
START_TEST(restore_puts_back_the_weight_of_a_slot_that_lost_its_pod)
{
	want("s1", 17);
	send_plan(0);
	rows[0].address = "";
	rows[0].status = "MAINT (resolution)";
	update(2000);
	ck_assert(steer_plan(cluster, 2000));
	ck_assert(!server("s1")->plan.made);
	send_restore();
	ck_assert_int_eq(rows[0].uweight, 100);
}
END_TEST

START_TEST(restore_reaches_servers_that_were_drained_or_stopped_since)
{
	static const char *const statuses[] = {"DRAIN", "MAINT", "DOWN"};
	for (size_t i = 0; i < N; i++)
		want(rows[i].name, 17);
	send_plan(0);
	for (size_t i = 0; i < N; i++)
		rows[i].status = statuses[i];
	update(2000);
	ck_assert(steer_plan(cluster, 2000));
	send_restore();
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(rows[i].uweight, 100);
}
END_TEST

/* ---- many ---- */

START_TEST(thousands_of_weights_go_out_once_each_in_few_lines)
{
	enum { MANY = 4000 };
	struct hastate_server *many = calloc(MANY, sizeof(*many));
	char(*names)[24] = calloc(MANY, sizeof(*names));
	struct commands out = {.n_lines = 0};
	size_t n_commands = 0;

	haproxy.rows = many;
	haproxy.n = MANY;
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "server%d", i + 1);
		many[i] = row_up(names[i], "10.0.0.1", 0);
	}
	update(2000);
	for (int i = 0; i < MANY; i++)
		want(names[i], 50);
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
	free(names);
	free(many);
}
END_TEST

/* Whatever happens to servers and weights, one round later HAProxy has what is wanted, and at the
 * end what its file says. */
START_TEST(random_rounds_converge_and_the_end_restores)
{
	static const char *const addresses[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3", ""};
	static const char *const statuses[] = {"UP", "UP", "UP", "DRAIN", "DOWN"};

	for (int round = 2; round < 2000; round++) {
		for (size_t i = 0; i < N; i++) {
			struct hastate_server *row = &rows[i];

			if (rand() % 20 == 0)
				row->address = addresses[rand() % 4];
			if (rand() % 10 == 0)
				row->status = statuses[rand() % 5];
			row->scur = (uint32_t)(rand() % 50);
		}
		if (rand() % 50 == 0) {
			haproxy.pid++;
			for (size_t i = 0; i < N; i++)
				rows[i].uweight = rows[i].iweight;
		}
		update(1000 * round);
		ck_assert(steer_plan(cluster, 1000 * round));
		haproxy.deaf = rand() % 10 == 0;
		send_plan(0);
		for (size_t i = 0; i < N && !haproxy.deaf; i++) {
			struct server *s = server(rows[i].name);

			ck_assert(!s->plan.made || rows[i].uweight == s->plan.weight);
			if (s->pod && rand() % 2 == 0)
				row_hear(s, (uint32_t)(rand() % 50), 1000 * round + 500);
		}
	}
	haproxy.deaf = false;
	send_restore();
	for (size_t i = 0; i < N; i++)
		ck_assert_int_eq(rows[i].uweight, rows[i].iweight);
	ck_assert_uint_eq(cluster_counters(cluster)->repairs, 0);
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
		{restore_follows_a_weight_that_was_sent_a_moment_ago, 2},
		{restore_is_sent_again_where_haproxy_shows_that_it_was_lost, ONCE},
		{restore_takes_back_what_an_agent_before_this_one_has_left, ONCE},
		{restore_puts_back_the_weight_of_a_slot_that_lost_its_pod, ONCE},
		{restore_reaches_servers_that_were_drained_or_stopped_since, ONCE},
		{thousands_of_weights_go_out_once_each_in_few_lines, ONCE},
		{random_rounds_converge_and_the_end_restores, ONCE},
	};

	run_dice("reconcile");
	return run_suite_with("reconcile", setup, teardown, tests, N_OF(tests));
}
