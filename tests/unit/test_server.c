/* SPDX-License-Identifier: MIT */
/* What HAProxy's lines change about a server. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/server.h"
#include "rows.h"
#include "run.h"

static const struct pod_source here = {.index = 0};

/* One server and the updates that it gets, a second apart. */
struct bench {
	struct server *server;
	struct server_update update;
	int n_gone;
};

static void count_gone(struct pod *pod, void *arg)
{
	(void)pod;
	((struct bench *)arg)->n_gone++;
}

static void setup(struct bench *bench)
{
	*bench = (struct bench){
		.server = server_new(NULL, "be", "s1", 500),
		.update = {.pods = pod_table_new(),
			.source = &here,
			.worker = 1,
			.gone = count_gone,
			.arg = bench},
	};
	ck_assert_ptr_nonnull(bench->server);
	ck_assert_ptr_nonnull(bench->update.pods);
}

static void teardown(struct bench *bench)
{
	pod_release(bench->update.pods, bench->server->pod, NULL, NULL);
	server_free(bench->server);
	pod_table_free(bench->update.pods);
}

/* The next answer, at 1000, 2000, ... ms. */
static void take(struct bench *bench, const struct hastate_server *row)
{
	bench->update.number++;
	bench->update.now_ms += 1000;
	ck_assert(server_update(bench->server, row, true, &bench->update));
}

START_TEST(a_new_server_knows_its_name_and_nothing_else)
{
	struct bench bench;

	setup(&bench);
	ck_assert_str_eq(bench.server->id, "be/s1");
	ck_assert_str_eq(bench.server->name, "s1");
	ck_assert_str_eq(bench.server->fqdn, "");
	ck_assert(!bench.server->sessions.known);
	ck_assert_ptr_null(bench.server->pod);
	ck_assert(!server_is_polled(bench.server));
	ck_assert(!bench.server->plan.made);
	ck_assert_int_eq(bench.server->sent.weight, -1);
	ck_assert_int_eq(bench.server->since_ms, 500);
	teardown(&bench);
	server_free(NULL);
}
END_TEST

START_TEST(a_line_is_taken_field_by_field)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 7);
	struct bench bench;

	setup(&bench);
	row.fqdn = "pods.test";
	row.uweight = 33;
	row.iweight = 44;
	row.stot = 1000;
	row.agent_port = 9000;
	row.admin_state = HASTATE_ADMIN_FORCED_DRAIN;
	row.status = "DRAIN and many more words than ever stand there";
	take(&bench, &row);
	ck_assert(bench.server->sessions.known);
	ck_assert_str_eq(bench.server->fqdn, "pods.test");
	ck_assert_str_eq(bench.server->pod->key, "10.0.0.1:80");
	ck_assert_int_eq(bench.server->haproxy.uweight, 33);
	ck_assert_int_eq(bench.server->haproxy.iweight, 44);
	ck_assert_uint_eq(bench.server->sessions.own, 7);
	ck_assert_uint_eq(bench.server->sessions.total, 1000);
	ck_assert_uint_eq(bench.server->sessions.started, 0);
	ck_assert_uint_eq(bench.server->haproxy.agent_port, 9000);
	ck_assert_uint_eq(bench.server->haproxy.admin_state, HASTATE_ADMIN_FORCED_DRAIN);
	ck_assert_uint_eq(
		strlen(bench.server->haproxy.status), sizeof(bench.server->haproxy.status) - 1);
	ck_assert_int_eq(bench.server->sessions.read_ms, 1000);
	ck_assert_uint_eq(bench.update.new_addresses, 0);
	row.fqdn = "";
	take(&bench, &row);
	ck_assert_str_eq(bench.server->fqdn, "");
	teardown(&bench);
}
END_TEST

static const struct {
	const char *status;
	unsigned admin_state;
	unsigned op_state;
	bool backup;
	int iweight;
	const char *address;
	uint16_t port;
	bool steered;
	enum server_state state;
	bool polled;
} states[] = {
	{"UP", 0, 2, false, 100, "10.0.0.1", 80, true, SERVER_STEERED, true},
	{"UP 1/3", 0, 2, false, 1, "10.0.0.1", 80, true, SERVER_STEERED, true},
	{"no check", 0, 2, false, 256, "10.0.0.1", 80, true, SERVER_STEERED, true},
	{"UP", 0, 1, false, 100, "10.0.0.1", 80, true, SERVER_STEERED, true},
	{"UP", 0, 2, false, 100, "10.0.0.1", 80, false, SERVER_NOT_STEERED, true},
	{"DOWN", 0, 0, false, 100, "10.0.0.1", 80, true, SERVER_DOWN, false},
	{"DOWN 1/2", 0, 2, false, 100, "10.0.0.1", 80, true, SERVER_DOWN, false},
	{"DOWN (agent)", 0, 0, false, 100, "10.0.0.1", 80, false, SERVER_DOWN, false},
	{"UP", 0, 0, false, 100, "10.0.0.1", 80, true, SERVER_DOWN, false},
	{"MAINT", 0x01, 0, false, 100, "10.0.0.1", 80, true, SERVER_MAINT, false},
	{"MAINT (via a/b)", 0x02, 0, false, 100, "10.0.0.1", 80, true, SERVER_MAINT, false},
	{"MAINT (resolution)", 0x20, 0, false, 100, "10.0.0.1", 80, true, SERVER_MAINT, false},
	/* In the file, and made ready since. */
	{"UP", 0x04, 2, false, 100, "10.0.0.1", 80, true, SERVER_STEERED, true},
	{"MAINT", 0x05, 0, false, 100, "10.0.0.1", 80, true, SERVER_MAINT, false},
	{"DRAIN", 0x08, 2, false, 100, "10.0.0.1", 80, true, SERVER_DRAIN, true},
	{"DRAIN", 0x10, 2, false, 100, "10.0.0.1", 80, true, SERVER_DRAIN, true},
	/* One of the two tables may be a moment ahead of the other. */
	{"UP", 0x08, 2, false, 100, "10.0.0.1", 80, true, SERVER_DRAIN, true},
	{"DRAIN", 0, 2, false, 100, "10.0.0.1", 80, true, SERVER_DRAIN, true},
	{"UP", 0x01, 2, false, 100, "10.0.0.1", 80, true, SERVER_MAINT, false},
	{"MAINT", 0, 2, false, 100, "10.0.0.1", 80, true, SERVER_MAINT, false},
	{"DOWN", 0x08, 0, false, 100, "10.0.0.1", 80, true, SERVER_DOWN, false},
	{"MAINT", 0x09, 0, false, 100, "10.0.0.1", 80, true, SERVER_MAINT, false},
	{"NOLB", 0, 3, false, 100, "10.0.0.1", 80, true, SERVER_DRAIN, true},
	{"UP", 0, 2, true, 100, "10.0.0.1", 80, true, SERVER_BACKUP, true},
	{"UP", 0, 2, false, 0, "10.0.0.1", 80, true, SERVER_WEIGHT_ZERO, true},
	{"MAINT (resolution)", 0x20, 0, false, 100, "", 80, true, SERVER_NO_ADDRESS, false},
	{"no check", 0, 2, false, 100, "", 0, true, SERVER_NO_ADDRESS, false},
	{"no check", 0, 2, false, 100, "10.0.0.1", 0, true, SERVER_NO_ADDRESS, false},
};

START_TEST(a_state_says_why_a_server_is_or_is_not_steered)
{
	struct hastate_server row = row_up("s1", states[_i].address, 0);
	struct bench bench;

	setup(&bench);
	row.port = states[_i].port;
	row.status = states[_i].status;
	row.admin_state = states[_i].admin_state;
	row.op_state = states[_i].op_state;
	row.backup = states[_i].backup;
	row.iweight = states[_i].iweight;
	ck_assert(server_update(bench.server, &row, states[_i].steered, &bench.update));
	ck_assert_int_eq(bench.server->state, states[_i].state);
	ck_assert(server_is_polled(bench.server) == states[_i].polled);
	teardown(&bench);
}
END_TEST

/* Puts on the server what a plan and a push would. */
static void steer(struct server *server, int weight)
{
	server->plan.made = true;
	server->plan.weight = weight;
	server->sent.weight = weight;
	server->sessions.credit = -3.0;
}

START_TEST(another_address_is_another_pod_and_nothing_of_the_old_one_is_kept)
{
	static const struct {
		const char *address;
		uint16_t port;
	} places[] = {{"10.0.0.2", 80}, {"10.0.0.1", 81}};

	for (size_t i = 0; i < 2; i++) {
		struct hastate_server row = row_up("s1", "10.0.0.1", 7);
		struct bench bench;

		setup(&bench);
		take(&bench, &row);
		row_hear(bench.server, 40, 1500);
		row.uweight = 17;
		steer(bench.server, 17);
		take(&bench, &row);
		ck_assert(bench.server->sent.verified);
		ck_assert_int_eq(bench.server->sessions.own_then_ms, 1500);

		row.address = places[i].address;
		row.port = places[i].port;
		take(&bench, &row);
		ck_assert_int_eq(bench.n_gone, 1);
		ck_assert_uint_eq(bench.update.new_addresses, 1);
		ck_assert_uint_eq(bench.update.repairs, 0);
		ck_assert(!bench.server->pod->heard);
		ck_assert(!bench.server->plan.made);
		ck_assert(!bench.server->sent.verified);
		ck_assert_int_eq(bench.server->sent.weight, -1);
		ck_assert_int_eq(bench.server->sessions.own_then_ms, 0);
		ck_assert(bench.server->sessions.credit == 0.0);
		ck_assert_int_eq(bench.server->since_ms, 3000);
		ck_assert_uint_eq(bench.server->sessions.own, 7);
		teardown(&bench);
	}
}
END_TEST

START_TEST(an_address_that_goes_takes_its_pod_along_and_may_come_back)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 7);
	struct bench bench;

	setup(&bench);
	take(&bench, &row);
	row.address = "";
	take(&bench, &row);
	ck_assert_ptr_null(bench.server->pod);
	ck_assert_int_eq(bench.n_gone, 1);
	ck_assert_uint_eq(bench.update.new_addresses, 1);
	take(&bench, &row);
	ck_assert_uint_eq(bench.update.new_addresses, 1);
	row.address = "10.0.0.1";
	take(&bench, &row);
	ck_assert_str_eq(bench.server->pod->key, "10.0.0.1:80");
	ck_assert_int_eq(bench.server->since_ms, 4000);
	ck_assert_uint_eq(bench.update.new_addresses, 2);
	teardown(&bench);
}
END_TEST

/* Steps of one server: what its line says, and since when it is new afterwards. */
static const struct {
	const char *status[4];
	const char *address[4];
	bool has_others;
	int64_t joined_ms[4];
} joins[] = {
	{{"UP", "UP", "UP", "UP"}, {"a", "a", "a", "a"}, false, {0, 0, 0, 0}},
	{{"UP", "UP", "UP", "UP"}, {"a", "a", "a", "a"}, true, {1000, 1000, 1000, 1000}},
	{{"UP", "DOWN", "UP", "UP"}, {"a", "a", "a", "a"}, true, {1000, 1000, 3000, 3000}},
	{{"UP", "DOWN", "UP", "UP"}, {"a", "a", "a", "a"}, false, {0, 0, 0, 0}},
	{{"UP", "MAINT", "UP", "UP"}, {"a", "a", "a", "a"}, true, {1000, 1000, 3000, 3000}},
	{{"UP", "DRAIN", "UP", "UP"}, {"a", "a", "a", "a"}, true, {1000, 1000, 1000, 1000}},
	{{"UP", "UP", "UP", "UP"}, {"a", "b", "b", "b"}, true, {1000, 2000, 2000, 2000}},
	{{"UP", "UP", "MAINT", "UP"}, {"a", "b", "", "b"}, true, {1000, 2000, 2000, 4000}},
	{{"DOWN", "DOWN", "UP", "UP"}, {"a", "a", "a", "a"}, true, {0, 0, 3000, 3000}},
};

START_TEST(a_server_that_comes_to_others_is_new_from_when_haproxy_uses_it)
{
	struct hastate_server row = row_up("s1", "", 0);
	struct bench bench;

	setup(&bench);
	bench.update.has_others = joins[_i].has_others;
	for (int step = 0; step < 4; step++) {
		row.status = joins[_i].status[step];
		row.address = joins[_i].address[step];
		take(&bench, &row);
		ck_assert_int_eq(bench.server->joined_ms, joins[_i].joined_ms[step]);
	}
	teardown(&bench);
}
END_TEST

START_TEST(sessions_are_of_this_address_alone_once_the_server_held_none)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 7);
	struct bench bench;

	setup(&bench);
	take(&bench, &row);
	ck_assert(bench.server->sessions.own_exact);
	row.address = "10.0.0.2";
	take(&bench, &row);
	ck_assert(!bench.server->sessions.own_exact);
	row.scur = 1;
	take(&bench, &row);
	ck_assert(!bench.server->sessions.own_exact);
	row.scur = 0;
	take(&bench, &row);
	ck_assert(bench.server->sessions.own_exact);
	row.scur = 9;
	take(&bench, &row);
	ck_assert(bench.server->sessions.own_exact);
	row.scur = 0;
	row.address = "10.0.0.3";
	take(&bench, &row);
	ck_assert(bench.server->sessions.own_exact);
	teardown(&bench);
}
END_TEST

/* What a new worker counts it has begun itself, with the pod that the server has now. */
START_TEST(after_a_reload_sessions_are_of_this_address_alone)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 7);
	struct bench bench;

	setup(&bench);
	take(&bench, &row);
	row.address = "10.0.0.2";
	row.scur = 5;
	take(&bench, &row);
	ck_assert(!bench.server->sessions.own_exact);
	row.scur = 3;
	row.stot = 3;
	bench.update.worker++;
	take(&bench, &row);
	ck_assert(bench.server->sessions.own_exact);
	/* And yet another pod in a slot of the new worker's. */
	row.address = "10.0.0.3";
	take(&bench, &row);
	ck_assert(!bench.server->sessions.own_exact);
	teardown(&bench);
}
END_TEST

START_TEST(started_sessions_are_counted_from_plan_to_plan)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 0);
	struct bench bench;

	setup(&bench);
	row.stot = 1000;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.started, 0);
	row.stot = 1007;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.started, 7);
	/* No plan has taken them, as after a round that was put off. */
	row.stot = 1009;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.started, 9);
	bench.server->sessions.started = 0;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.started, 0);
	/* "clear counters all", or a server of the same name that was added anew. */
	row.stot = 3;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.started, 0);
	row.stot = 4;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.started, 1);
	/* Another process that has had more by now than the old one had in all. */
	row.stot = 50;
	bench.update.worker++;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.started, 0);
	teardown(&bench);
}
END_TEST

static const struct {
	uint32_t before;
	uint32_t now;
	int64_t heard_ms; /* answers came at 1000 and 2000 */
	uint32_t then;
} movements[] = {
	{10, 30, 1000, 10},
	{10, 30, 1500, 20},
	{10, 30, 1250, 15},
	{10, 30, 2000, 30},
	{30, 10, 1500, 20},
	{30, 10, 2000, 10},
	{0, 1, 1499, 0},
	{0, 1, 1500, 1},
	{0, UINT32_MAX, 2000, UINT32_MAX},
	{UINT32_MAX, 0, 2000, 0},
	/* Heard before the answer before: not more than the whole way back. */
	{10, 30, 400, 10},
	/* Heard while HAProxy's answer was on its way. */
	{10, 30, 2100, 30},
	{7, 7, 1700, 7},
};

START_TEST(own_at_the_time_of_the_count_lies_between_the_two_answers)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", movements[_i].before);
	struct bench bench;

	setup(&bench);
	take(&bench, &row);
	row_hear(bench.server, 40, movements[_i].heard_ms);
	row.scur = movements[_i].now;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.own_then, movements[_i].then);
	ck_assert_int_eq(bench.server->sessions.own_then_ms, movements[_i].heard_ms);
	/* The same count later is still of then. */
	row.scur = 5000;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.own_then, movements[_i].then);
	ck_assert_uint_eq(bench.server->sessions.own, 5000);
	teardown(&bench);
}
END_TEST

START_TEST(a_pod_heard_before_its_server_was_seen_has_what_the_server_has)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 8);
	struct metric metric = {.count = 40};
	struct bench bench;
	struct pod *pod;

	setup(&bench);
	pod = pod_hold(bench.update.pods, "10.0.0.1", 80, &here, 100);
	pod_observe(pod, METRIC_OK, &metric, NULL, 200);
	take(&bench, &row);
	ck_assert_ptr_eq(bench.server->pod, pod);
	ck_assert_uint_eq(bench.server->sessions.own_then, 8);
	ck_assert_int_eq(bench.server->sessions.own_then_ms, 200);
	pod_release(bench.update.pods, pod, NULL, NULL);
	teardown(&bench);
}
END_TEST

START_TEST(a_reload_is_no_move_and_makes_what_was_sent_unknown)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 100);
	struct bench bench;

	setup(&bench);
	take(&bench, &row);
	row_hear(bench.server, 400, 1500);
	row.uweight = 17;
	steer(bench.server, 17);
	bench.server->sent.agent_send_set = true;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.own_then, 100);

	row.uweight = 100;
	row.scur = 3;
	row.stot = 3;
	bench.update.worker++;
	take(&bench, &row);
	/* The count of 400 stands: nothing left the pod. */
	ck_assert_uint_eq(bench.server->sessions.own, 3);
	ck_assert_uint_eq(bench.server->sessions.own_then, 3);
	ck_assert_int_eq(bench.server->sent.weight, -1);
	ck_assert(!bench.server->sent.verified);
	ck_assert(!bench.server->sent.agent_send_set);
	ck_assert_uint_eq(bench.update.repairs, 0);
	ck_assert_int_eq(bench.server->since_ms, 1000);

	row.scur = 8;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.own_then, 3);
	ck_assert_uint_eq(bench.server->sessions.own, 8);
	/* A count heard since then is reckoned with the new process alone. */
	row_hear(bench.server, 410, 4500);
	row.scur = 10;
	take(&bench, &row);
	ck_assert_uint_eq(bench.server->sessions.own_then, 9);
	teardown(&bench);
}
END_TEST

START_TEST(a_repair_is_a_weight_that_was_seen_as_sent_and_is_not_any_more)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 0);
	struct bench bench;

	setup(&bench);
	take(&bench, &row);
	/* Never sent: whatever HAProxy has is no repair. */
	row.uweight = 5;
	take(&bench, &row);
	ck_assert_uint_eq(bench.update.repairs, 0);
	/* Sent, but it did not arrive. */
	steer(bench.server, 17);
	take(&bench, &row);
	ck_assert(!bench.server->sent.verified);
	ck_assert_uint_eq(bench.update.repairs, 0);
	row.uweight = 17;
	take(&bench, &row);
	ck_assert(bench.server->sent.verified);
	/* Somebody sets another. Counted once. */
	row.uweight = 18;
	take(&bench, &row);
	take(&bench, &row);
	ck_assert_uint_eq(bench.update.repairs, 1);
	ck_assert(!bench.server->sent.verified);
	ck_assert_int_eq(bench.server->haproxy.uweight, 18);
	/* Repaired, and changed again. */
	row.uweight = 17;
	take(&bench, &row);
	row.uweight = 1;
	take(&bench, &row);
	ck_assert_uint_eq(bench.update.repairs, 2);
	teardown(&bench);
}
END_TEST

START_TEST(what_is_no_session_of_this_worker_on_this_pod_is_from_outside)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 20);
	struct bench bench;

	setup(&bench);
	take(&bench, &row);
	row_hear(bench.server, 50, 1500);
	take(&bench, &row);
	ck_assert(bench.server->sessions.others.known);
	ck_assert_double_eq_tol(bench.server->sessions.others.count, 30.0, 1e-9);
	/* The old worker's 20 are from outside now. */
	row.scur = 0;
	bench.update.worker++;
	take(&bench, &row);
	ck_assert_double_eq_tol(bench.server->sessions.others.count, 50.0, 1e-9);
	/* Another pod has none of the 7 that this server still has. */
	row.scur = 7;
	row.address = "10.0.0.2";
	take(&bench, &row);
	ck_assert_double_eq_tol(bench.server->sessions.others.count, -7.0, 1e-9);
	teardown(&bench);
}
END_TEST

START_TEST(closings_are_sessions_that_were_and_are_no_more)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 20);
	struct bench bench;

	setup(&bench);
	row.stot = 100;
	take(&bench, &row);
	/* Five came and nine went. */
	row.stot = 105;
	row.scur = 16;
	take(&bench, &row);
	ck_assert_double_eq_tol(bench.server->sessions.closings.per_second, 9.0, 1e-9);
	ck_assert(bench.server->sessions.closings.tau_s == RATE_TAU_SERVER_S);
	/* HAProxy reads the two at different moments. */
	row.stot = 2;
	row.scur = 3;
	take(&bench, &row);
	ck_assert_double_eq_tol(bench.server->sessions.closings.per_second, 9.0, 1e-9);
	teardown(&bench);
}
END_TEST

START_TEST(a_free_slot_is_in_maintenance_and_empty_in_a_backend_that_the_agent_fills)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 0);
	struct backend *backend = backend_new("be");
	struct bench bench;

	setup(&bench);
	bench.server->backend = backend;
	row.status = "MAINT";
	take(&bench, &row);
	ck_assert(!server_is_free_slot(bench.server));
	backend->filled = true;
	ck_assert(server_is_free_slot(bench.server));
	row.scur = 1;
	take(&bench, &row);
	ck_assert(!server_is_free_slot(bench.server));
	row.scur = 0;
	row.status = "UP";
	take(&bench, &row);
	ck_assert(!server_is_free_slot(bench.server));
	teardown(&bench);
	backend_free(backend);
	backend_free(NULL);
}
END_TEST

START_TEST(a_pod_is_shared_by_servers_and_goes_with_the_last)
{
	struct hastate_server row = row_up("s1", "10.0.0.1", 0);
	struct bench bench;
	struct server *other;

	setup(&bench);
	other = server_new(NULL, "be2", "s1", 1);
	take(&bench, &row);
	ck_assert(server_update(other, &row, true, &bench.update));
	ck_assert_ptr_eq(other->pod, bench.server->pod);
	row.address = "10.0.0.2";
	take(&bench, &row);
	ck_assert_int_eq(bench.n_gone, 0);
	ck_assert_uint_eq(other->pod->n_servers, 1);
	ck_assert(server_update(other, &row, true, &bench.update));
	ck_assert_int_eq(bench.n_gone, 1);
	ck_assert_uint_eq(other->pod->n_servers, 2);
	pod_release(bench.update.pods, other->pod, NULL, NULL);
	server_free(other);
	teardown(&bench);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_new_server_knows_its_name_and_nothing_else, ONCE},
		{a_line_is_taken_field_by_field, ONCE},
		{a_state_says_why_a_server_is_or_is_not_steered, N_OF(states)},
		{another_address_is_another_pod_and_nothing_of_the_old_one_is_kept, ONCE},
		{an_address_that_goes_takes_its_pod_along_and_may_come_back, ONCE},
		{a_server_that_comes_to_others_is_new_from_when_haproxy_uses_it, N_OF(joins)},
		{sessions_are_of_this_address_alone_once_the_server_held_none, ONCE},
		{after_a_reload_sessions_are_of_this_address_alone, ONCE},
		{started_sessions_are_counted_from_plan_to_plan, ONCE},
		{own_at_the_time_of_the_count_lies_between_the_two_answers, N_OF(movements)},
		{a_pod_heard_before_its_server_was_seen_has_what_the_server_has, ONCE},
		{a_reload_is_no_move_and_makes_what_was_sent_unknown, ONCE},
		{a_repair_is_a_weight_that_was_seen_as_sent_and_is_not_any_more, ONCE},
		{what_is_no_session_of_this_worker_on_this_pod_is_from_outside, ONCE},
		{closings_are_sessions_that_were_and_are_no_more, ONCE},
		{a_free_slot_is_in_maintenance_and_empty_in_a_backend_that_the_agent_fills, ONCE},
		{a_pod_is_shared_by_servers_and_goes_with_the_last, ONCE},
	};

	return run_suite("server", tests, N_OF(tests));
}
