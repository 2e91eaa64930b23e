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

/* One server, its line in HAProxy's answers, and the updates that it gets, a second apart. */
static struct server *server;
static struct hastate_server row;
static struct server_update answer;
static int n_gone;

static void count_gone(struct pod *pod, void *arg)
{
	(void)pod;
	(void)arg;
	n_gone++;
}

static void setup(void)
{
	n_gone = 0;
	row = row_up("s1", "10.0.0.1", 0);
	server = server_new(NULL, "be", "s1", 500);
	answer = (struct server_update){
		.pods = pod_table_new(),
		.source = &here,
		.worker = 1,
		.gone = count_gone,
	};
	ck_assert_ptr_nonnull(server);
	ck_assert_ptr_nonnull(answer.pods);
}

static void teardown(void)
{
	pod_release(answer.pods, server->pod, NULL, NULL);
	server_free(server);
	pod_table_free(answer.pods);
}

/* The next answer, at 1000, 2000, ... ms. */
static void update(void)
{
	answer.number++;
	answer.now_ms += 1000;
	ck_assert(server_update(server, &row, true, &answer));
}

START_TEST(a_new_server_knows_its_name_and_nothing_else)
{
	ck_assert_str_eq(server->id, "be/s1");
	ck_assert_str_eq(server->name, "s1");
	ck_assert_str_eq(server->fqdn, "");
	ck_assert(!server->sessions.known);
	ck_assert_ptr_null(server->pod);
	ck_assert(!server_is_polled(server));
	ck_assert(!server->plan.made);
	ck_assert_int_eq(server->sent.weight, -1);
	ck_assert_int_eq(server->since_ms, 500);
	server_free(NULL);
}
END_TEST

START_TEST(a_line_is_taken_field_by_field)
{
	row = row_up("s1", "10.0.0.1", 7);
	row.fqdn = "pods.test";
	row.uweight = 33;
	row.iweight = 44;
	row.stot = 1000;
	row.agent_port = 9000;
	row.admin_state = HASTATE_ADMIN_FORCED_DRAIN;
	row.status = "DRAIN and many more words than ever stand there";
	update();
	ck_assert(server->sessions.known);
	ck_assert_str_eq(server->fqdn, "pods.test");
	ck_assert_str_eq(server->pod->key, "10.0.0.1:80");
	ck_assert_int_eq(server->haproxy.uweight, 33);
	ck_assert_int_eq(server->haproxy.iweight, 44);
	ck_assert_uint_eq(server->sessions.own, 7);
	ck_assert_uint_eq(server->sessions.total, 1000);
	ck_assert_uint_eq(server->sessions.started, 0);
	ck_assert_uint_eq(server->haproxy.agent_port, 9000);
	ck_assert_uint_eq(server->haproxy.admin_state, HASTATE_ADMIN_FORCED_DRAIN);
	ck_assert_uint_eq(strlen(server->haproxy.status), sizeof(server->haproxy.status) - 1);
	ck_assert_int_eq(server->sessions.read_ms, 1000);
	ck_assert_uint_eq(answer.new_addresses, 0);
	row.fqdn = "";
	update();
	ck_assert_str_eq(server->fqdn, "");
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
	row = row_up("s1", states[_i].address, 0);
	row.port = states[_i].port;
	row.status = states[_i].status;
	row.admin_state = states[_i].admin_state;
	row.op_state = states[_i].op_state;
	row.backup = states[_i].backup;
	row.iweight = states[_i].iweight;
	ck_assert(server_update(server, &row, states[_i].steered, &answer));
	ck_assert_int_eq(server->state, states[_i].state);
	ck_assert(server_is_polled(server) == states[_i].polled);
}
END_TEST

/* Puts on the server what a plan and a push would. */
static void steer(int weight)
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

	row = row_up("s1", "10.0.0.1", 7);
	update();
	row_hear(server, 40, 1500);
	row.uweight = 17;
	steer(17);
	update();
	ck_assert(server->sent.verified);
	ck_assert_int_eq(server->sessions.own_then_ms, 1500);

	row.address = places[_i].address;
	row.port = places[_i].port;
	update();
	ck_assert_int_eq(n_gone, 1);
	ck_assert_uint_eq(answer.new_addresses, 1);
	ck_assert_uint_eq(answer.repairs, 0);
	ck_assert(!server->pod->heard);
	ck_assert(!server->plan.made);
	ck_assert(!server->sent.verified);
	ck_assert_int_eq(server->sent.weight, -1);
	ck_assert_int_eq(server->sessions.own_then_ms, 0);
	ck_assert(server->sessions.credit == 0.0);
	ck_assert_int_eq(server->since_ms, 3000);
	ck_assert_uint_eq(server->sessions.own, 7);
}
END_TEST

START_TEST(an_address_that_goes_takes_its_pod_along_and_may_come_back)
{
	row = row_up("s1", "10.0.0.1", 7);
	update();
	row.address = "";
	update();
	ck_assert_ptr_null(server->pod);
	ck_assert_int_eq(n_gone, 1);
	ck_assert_uint_eq(answer.new_addresses, 1);
	update();
	ck_assert_uint_eq(answer.new_addresses, 1);
	row.address = "10.0.0.1";
	update();
	ck_assert_str_eq(server->pod->key, "10.0.0.1:80");
	ck_assert_int_eq(server->since_ms, 4000);
	ck_assert_uint_eq(answer.new_addresses, 2);
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
	row = row_up("s1", "", 0);
	answer.has_others = joins[_i].has_others;
	for (int step = 0; step < 4; step++) {
		row.status = joins[_i].status[step];
		row.address = joins[_i].address[step];
		update();
		ck_assert_int_eq(server->joined_ms, joins[_i].joined_ms[step]);
	}
}
END_TEST

START_TEST(sessions_are_of_this_address_alone_once_the_server_held_none)
{
	row = row_up("s1", "10.0.0.1", 7);
	update();
	ck_assert(server->sessions.own_exact);
	row.address = "10.0.0.2";
	update();
	ck_assert(!server->sessions.own_exact);
	row.scur = 1;
	update();
	ck_assert(!server->sessions.own_exact);
	row.scur = 0;
	update();
	ck_assert(server->sessions.own_exact);
	row.scur = 9;
	update();
	ck_assert(server->sessions.own_exact);
	row.scur = 0;
	row.address = "10.0.0.3";
	update();
	ck_assert(server->sessions.own_exact);
}
END_TEST

/* What a new worker counts it has begun itself, with the pod that the server has now. */
START_TEST(after_a_reload_sessions_are_of_this_address_alone)
{
	row = row_up("s1", "10.0.0.1", 7);
	update();
	row.address = "10.0.0.2";
	row.scur = 5;
	update();
	ck_assert(!server->sessions.own_exact);
	row.scur = 3;
	row.stot = 3;
	answer.worker++;
	update();
	ck_assert(server->sessions.own_exact);
	/* And yet another pod in a slot of the new worker's. */
	row.address = "10.0.0.3";
	update();
	ck_assert(!server->sessions.own_exact);
}
END_TEST

START_TEST(started_sessions_are_counted_from_plan_to_plan)
{
	row.stot = 1000;
	update();
	ck_assert_uint_eq(server->sessions.started, 0);
	row.stot = 1007;
	update();
	ck_assert_uint_eq(server->sessions.started, 7);
	/* No plan has taken them, as after a round that was put off. */
	row.stot = 1009;
	update();
	ck_assert_uint_eq(server->sessions.started, 9);
	server->sessions.started = 0;
	update();
	ck_assert_uint_eq(server->sessions.started, 0);
	/* "clear counters all", or a server of the same name that was added anew. */
	row.stot = 3;
	update();
	ck_assert_uint_eq(server->sessions.started, 0);
	row.stot = 4;
	update();
	ck_assert_uint_eq(server->sessions.started, 1);
	/* Another process that has had more by now than the old one had in all. */
	row.stot = 50;
	answer.worker++;
	update();
	ck_assert_uint_eq(server->sessions.started, 0);
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
	row = row_up("s1", "10.0.0.1", movements[_i].before);
	update();
	row_hear(server, 40, movements[_i].heard_ms);
	row.scur = movements[_i].now;
	update();
	ck_assert_uint_eq(server->sessions.own_then, movements[_i].then);
	ck_assert_int_eq(server->sessions.own_then_ms, movements[_i].heard_ms);
	/* The same count later is still of then. */
	row.scur = 5000;
	update();
	ck_assert_uint_eq(server->sessions.own_then, movements[_i].then);
	ck_assert_uint_eq(server->sessions.own, 5000);
}
END_TEST

START_TEST(a_pod_heard_before_its_server_was_seen_has_what_the_server_has)
{
	struct metric metric = {.count = 40};
	struct pod *pod;

	row = row_up("s1", "10.0.0.1", 8);
	pod = pod_hold(answer.pods, "10.0.0.1", 80, &here, 100);
	pod_observe(pod, METRIC_OK, &metric, NULL, 200);
	update();
	ck_assert_ptr_eq(server->pod, pod);
	ck_assert_uint_eq(server->sessions.own_then, 8);
	ck_assert_int_eq(server->sessions.own_then_ms, 200);
	pod_release(answer.pods, pod, NULL, NULL);
}
END_TEST

START_TEST(a_reload_is_no_move_and_makes_what_was_sent_unknown)
{
	row = row_up("s1", "10.0.0.1", 100);
	update();
	row_hear(server, 400, 1500);
	row.uweight = 17;
	steer(17);
	server->sent.agent_send_set = true;
	update();
	ck_assert_uint_eq(server->sessions.own_then, 100);

	row.uweight = 100;
	row.scur = 3;
	row.stot = 3;
	answer.worker++;
	update();
	/* The count of 400 stands: nothing left the pod. */
	ck_assert_uint_eq(server->sessions.own, 3);
	ck_assert_uint_eq(server->sessions.own_then, 3);
	ck_assert_int_eq(server->sent.weight, -1);
	ck_assert(!server->sent.verified);
	ck_assert(!server->sent.agent_send_set);
	ck_assert_uint_eq(answer.repairs, 0);
	ck_assert_int_eq(server->since_ms, 1000);

	row.scur = 8;
	update();
	ck_assert_uint_eq(server->sessions.own_then, 3);
	ck_assert_uint_eq(server->sessions.own, 8);
	/* A count heard since then is reckoned with the new process alone. */
	row_hear(server, 410, 4500);
	row.scur = 10;
	update();
	ck_assert_uint_eq(server->sessions.own_then, 9);
}
END_TEST

START_TEST(a_repair_is_a_weight_that_was_seen_as_sent_and_is_not_any_more)
{
	update();
	/* Never sent: whatever HAProxy has is no repair. */
	row.uweight = 5;
	update();
	ck_assert_uint_eq(answer.repairs, 0);
	/* Sent, but it did not arrive. */
	steer(17);
	update();
	ck_assert(!server->sent.verified);
	ck_assert_uint_eq(answer.repairs, 0);
	row.uweight = 17;
	update();
	ck_assert(server->sent.verified);
	/* Somebody sets another. Counted once. */
	row.uweight = 18;
	update();
	update();
	ck_assert_uint_eq(answer.repairs, 1);
	ck_assert(!server->sent.verified);
	ck_assert_int_eq(server->haproxy.uweight, 18);
	/* Repaired, and changed again. */
	row.uweight = 17;
	update();
	row.uweight = 1;
	update();
	ck_assert_uint_eq(answer.repairs, 2);
}
END_TEST

START_TEST(what_is_no_session_of_this_worker_on_this_pod_is_from_outside)
{
	row = row_up("s1", "10.0.0.1", 20);
	update();
	row_hear(server, 50, 1500);
	update();
	ck_assert(server->sessions.others.known);
	ck_assert_double_eq_tol(server->sessions.others.count, 30.0, 1e-9);
	/* The old worker's 20 are from outside now. */
	row.scur = 0;
	answer.worker++;
	update();
	ck_assert_double_eq_tol(server->sessions.others.count, 50.0, 1e-9);
	/* Another pod has none of the 7 that this server still has. */
	row.scur = 7;
	row.address = "10.0.0.2";
	update();
	ck_assert_double_eq_tol(server->sessions.others.count, -7.0, 1e-9);
}
END_TEST

START_TEST(closings_are_sessions_that_were_and_are_no_more)
{
	row = row_up("s1", "10.0.0.1", 20);
	row.stot = 100;
	update();
	/* Five came and nine went. */
	row.stot = 105;
	row.scur = 16;
	update();
	ck_assert_double_eq_tol(server->sessions.closings.per_second, 9.0, 1e-9);
	ck_assert(server->sessions.closings.tau_s == RATE_TAU_SERVER_S);
	/* HAProxy reads the two at different moments. */
	row.stot = 2;
	row.scur = 3;
	update();
	ck_assert_double_eq_tol(server->sessions.closings.per_second, 9.0, 1e-9);
}
END_TEST

START_TEST(a_free_slot_is_in_maintenance_and_empty_in_a_backend_that_the_agent_fills)
{
	struct backend *backend = backend_new("be");

	server->backend = backend;
	row.status = "MAINT";
	update();
	ck_assert(!server_is_free_slot(server));
	backend->filled = true;
	ck_assert(server_is_free_slot(server));
	row.scur = 1;
	update();
	ck_assert(!server_is_free_slot(server));
	row.scur = 0;
	row.status = "UP";
	update();
	ck_assert(!server_is_free_slot(server));
	server->backend = NULL;
	backend_free(backend);
	backend_free(NULL);
}
END_TEST

START_TEST(a_pod_is_shared_by_servers_and_goes_with_the_last)
{
	struct server *other;

	other = server_new(NULL, "be2", "s1", 1);
	update();
	ck_assert(server_update(other, &row, true, &answer));
	ck_assert_ptr_eq(other->pod, server->pod);
	row.address = "10.0.0.2";
	update();
	ck_assert_int_eq(n_gone, 0);
	ck_assert_uint_eq(other->pod->n_servers, 1);
	ck_assert(server_update(other, &row, true, &answer));
	ck_assert_int_eq(n_gone, 1);
	ck_assert_uint_eq(other->pod->n_servers, 2);
	pod_release(answer.pods, other->pod, NULL, NULL);
	server_free(other);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_new_server_knows_its_name_and_nothing_else, ONCE},
		{a_line_is_taken_field_by_field, ONCE},
		{a_state_says_why_a_server_is_or_is_not_steered, N_OF(states)},
		{another_address_is_another_pod_and_nothing_of_the_old_one_is_kept, 2},
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

	return run_suite_with("server", setup, teardown, tests, N_OF(tests));
}
