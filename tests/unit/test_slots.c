/* SPDX-License-Identifier: MIT */
/* What the placing of pods in HAProxy's slots promises, against a HAProxy of a few lines. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kube/slicestore.h"
#include "core/kube/slots.h"
#include "core/kube/slots_adopt.h"
#include "run.h"

enum { SERVERS_MAX = 64, PODS_MAX = 24 };

/* HAProxy as far as slots go: it obeys, and counts what a command may not do as a fault. */
struct sim_server {
	char name[32];
	char address[46];
	uint16_t port;
	unsigned admin;
	int weight;
	uint32_t scur;
	char uid[64]; /* of the pod that all of scur is connected to */
	bool backup;
	bool resolved;
};

static struct sim {
	struct sim_server servers[SERVERS_MAX];
	size_t n;
	size_t n_slots;
	struct hastate_server view[SERVERS_MAX];
	struct endpoint pods[PODS_MAX]; /* sorted: 10.0.0.<10 + i> */
	bool there[PODS_MAX];
	struct endpoint wanted[PODS_MAX];
	size_t n_wanted;
	struct slots_memory memory;
	struct slots_options options;
	unsigned uids;
} sim;

static void sim_reload(void)
{
	sim.n = sim.n_slots;
	for (size_t i = 0; i < sim.n; i++) {
		sim.servers[i] = (struct sim_server){
			.address = "127.0.0.1",
			.port = 1,
			.admin = HASTATE_ADMIN_FORCED_MAINT | HASTATE_ADMIN_CONFIG_MAINT,
			.weight = 100,
		};
		snprintf(sim.servers[i].name, sizeof(sim.servers[i].name), "pod%zu", i + 1);
	}
}

static void sim_init(size_t n_slots, unsigned added_max)
{
	sim = (struct sim){
		.n_slots = n_slots,
		.options = {.added_line = "check inter 2s", .added_max = added_max},
	};
	sim_reload();
	for (int i = 0; i < PODS_MAX; i++) {
		snprintf(sim.pods[i].address, sizeof(sim.pods[i].address), "10.0.0.%d", i + 10);
		sim.pods[i].port = 8080;
	}
}

static struct hastate_backend sim_view(void)
{
	for (size_t i = 0; i < sim.n; i++) {
		const struct sim_server *server = &sim.servers[i];

		sim.view[i] = (struct hastate_server){
			.name = server->name,
			.address = server->address,
			.port = server->port,
			.fqdn = server->resolved ? "pods.example" : "",
			.status = "UP",
			.admin_state = server->admin,
			.uweight = server->weight,
			.iweight = 100,
			.scur = server->scur,
			.backup = server->backup,
		};
	}
	return (struct hastate_backend){
		.name = "be", .algo = "leastconn", .servers = sim.view, .n_servers = sim.n};
}

static struct sim_server *sim_find(const char *name)
{
	for (size_t i = 0; i < sim.n; i++)
		if (strcmp(sim.servers[i].name, name) == 0)
			return &sim.servers[i];
	return NULL;
}

static void sim_set(struct sim_server *server, char **words)
{
	if (strcmp(words[0], "addr") == 0) {
		uint16_t port = (uint16_t)strtoul(words[3], NULL, 10);

		ck_assert_str_eq(words[2], "port");
		ck_assert_msg(server->scur == 0 || (strcmp(server->address, words[1]) == 0 &&
							   server->port == port),
			"%s has %u connections to %s and is given to %s", server->name,
			server->scur, server->address, words[1]);
		ck_assert_msg(
			server->admin & HASTATE_ADMIN_MAINT, "%s moves while in use", server->name);
		snprintf(server->address, sizeof(server->address), "%s", words[1]);
		server->port = port;
	} else if (strcmp(words[0], "weight") == 0) {
		server->weight = (int)strtol(words[1], NULL, 10);
	} else {
		unsigned kept = server->admin & HASTATE_ADMIN_CONFIG_MAINT;

		ck_assert_str_eq(words[0], "state");
		if (strcmp(words[1], "maint") == 0)
			server->admin = kept | HASTATE_ADMIN_FORCED_MAINT;
		else if (strcmp(words[1], "drain") == 0)
			server->admin = kept | HASTATE_ADMIN_FORCED_DRAIN;
		else
			server->admin = kept;
	}
}

static void sim_add(const char *name, char *where, char **words)
{
	struct sim_server *server = &sim.servers[sim.n++];
	char *colon = strrchr(where, ':');

	ck_assert_uint_le(sim.n, SERVERS_MAX);
	*colon = '\0';
	*server = (struct sim_server){.admin = HASTATE_ADMIN_FORCED_MAINT};
	snprintf(server->name, sizeof(server->name), "%s", name);
	snprintf(server->address, sizeof(server->address), "%s", where);
	server->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	ck_assert_str_eq(words[0], "weight");
	server->weight = (int)strtol(words[1], NULL, 10);
}

static void sim_obey(const char *command)
{
	char text[256], *save, *words[16] = {NULL};
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", command);
	for (char *w = strtok_r(text, " ", &save); w && n < 15; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	ck_assert_uint_ge(n, 3);
	ck_assert_msg(strncmp(words[2], "be/", 3) == 0, "%s", command);
	struct sim_server *server = sim_find(words[2] + 3);
	if (strcmp(words[0], "add") == 0) {
		ck_assert_ptr_null(server);
		sim_add(words[2] + 3, words[3], words + 4);
		return;
	}
	ck_assert_msg(server != NULL, "%s", command);
	ck_assert_msg(!server->backup && !server->resolved, "%s", command);
	if (strcmp(words[0], "set") == 0) {
		sim_set(server, words + 3);
	} else if (strcmp(words[0], "del") == 0) {
		ck_assert_msg(
			(server->admin & HASTATE_ADMIN_MAINT) && server->scur == 0, "%s", command);
		*server = sim.servers[--sim.n];
	} else {
		ck_assert_str_eq(words[0], "enable");
	}
}

static void sim_want(void)
{
	sim.n_wanted = 0;
	for (int i = 0; i < PODS_MAX; i++)
		if (sim.there[i])
			sim.wanted[sim.n_wanted++] = sim.pods[i];
	/* As slicestore_union sorts; 10.0.0.10 to 10.0.0.33 are in order as text too. */
}

static void sim_pod(int i, enum endpoint_state state)
{
	if (!sim.there[i])
		snprintf(sim.pods[i].uid, sizeof(sim.pods[i].uid), "uid-%u", ++sim.uids);
	sim.there[i] = true;
	sim.pods[i].state = state;
	sim_want();
}

static void sim_gone(int i)
{
	sim.there[i] = false;
	sim_want();
}

/* Plans once and obeys; the commands are in the result, which the caller finishes. */
static struct slots_plan sim_plan(void)
{
	struct hastate_backend backend = sim_view();
	struct slots_plan plan, again;

	ck_assert(slots_plan(&backend, sim.wanted, sim.n_wanted, &sim.options, &sim.memory, &plan));
	ck_assert(
		slots_plan(&backend, sim.wanted, sim.n_wanted, &sim.options, &sim.memory, &again));
	ck_assert_uint_eq(plan.n_commands, again.n_commands);
	for (size_t i = 0; i < plan.n_commands; i++)
		ck_assert_str_eq(plan.commands[i], again.commands[i]);
	slots_plan_fini(&again);
	for (size_t i = 0; i < plan.n_commands; i++)
		sim_obey(plan.commands[i]);
	slots_memory_fini(&sim.memory);
	sim.memory = plan.memory;
	plan.memory = (struct slots_memory){.owners = NULL};
	return plan;
}

static void sim_teardown(void)
{
	slots_memory_fini(&sim.memory);
}

/* Plans once; says the commands joined by "; ". */
static const char *planned(void)
{
	static char text[8192];
	struct slots_plan plan = sim_plan();
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < plan.n_commands; i++)
		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s%s", i ? "; " : "", plan.commands[i]);
	slots_plan_fini(&plan);
	return text;
}

START_TEST(a_ready_pod_gets_address_then_weight_then_traffic)
{
	sim_init(2, 0);
	ck_assert_str_eq(planned(), "");
	sim_pod(0, ENDPOINT_READY);
	ck_assert_str_eq(planned(),
		"set server be/pod1 addr 10.0.0.10 port 8080; set server be/pod1 weight 100; "
		"set server be/pod1 state ready");
	ck_assert_str_eq(planned(), "");
}
END_TEST

START_TEST(a_pod_drains_while_it_goes_and_its_slot_waits_until_it_is_empty)
{
	sim_init(2, 0);
	sim_pod(0, ENDPOINT_READY);
	sim_pod(1, ENDPOINT_READY);
	planned();
	sim.servers[0].scur = 3;
	sim_pod(0, ENDPOINT_TERMINATING);
	ck_assert_str_eq(planned(), "set server be/pod1 state drain");
	sim_pod(0, ENDPOINT_UNREADY);
	ck_assert_str_eq(planned(), "");
	sim_gone(0);
	ck_assert_str_eq(planned(), "set server be/pod1 state maint");

	/* Another pod comes: no slot is free until the last connection has gone. */
	sim_pod(5, ENDPOINT_READY);
	struct slots_plan plan = sim_plan();
	ck_assert_uint_eq(plan.n_commands, 0);
	ck_assert_uint_eq(plan.unplaced, 1);
	ck_assert_uint_eq(plan.quarantined, 1);
	slots_plan_fini(&plan);
	sim.servers[0].scur = 0;
	ck_assert_str_eq(planned(),
		"set server be/pod1 addr 10.0.0.15 port 8080; set server be/pod1 weight 100; "
		"set server be/pod1 state ready");
}
END_TEST

START_TEST(an_unready_pod_keeps_its_slot_but_gets_none)
{
	sim_init(3, 0);
	sim_pod(0, ENDPOINT_READY);
	sim_pod(1, ENDPOINT_UNREADY);
	sim_pod(2, ENDPOINT_TERMINATING);
	planned();
	ck_assert(sim.servers[1].admin & HASTATE_ADMIN_MAINT);
	sim_pod(0, ENDPOINT_UNREADY);
	sim_pod(1, ENDPOINT_READY);
	sim_gone(2);
	ck_assert_str_eq(planned(),
		"set server be/pod2 addr 10.0.0.11 port 8080; set server be/pod2 weight 100; "
		"set server be/pod2 state ready; set server be/pod1 state drain");
	sim_pod(0, ENDPOINT_READY);
	ck_assert_str_eq(planned(), "set server be/pod1 state ready");
}
END_TEST

START_TEST(the_last_terminating_pods_serve_until_another_is_ready)
{
	sim_init(3, 0);
	sim_pod(0, ENDPOINT_READY);
	planned();
	sim_pod(0, ENDPOINT_TERMINATING);
	ck_assert_str_eq(planned(), "");
	sim_pod(1, ENDPOINT_READY);
	ck_assert_str_eq(planned(),
		"set server be/pod2 addr 10.0.0.11 port 8080; set server be/pod2 weight 100; "
		"set server be/pod2 state ready; set server be/pod1 state drain");
}
END_TEST

START_TEST(another_uid_at_the_same_address_is_another_pod)
{
	sim_init(2, 0);
	sim_pod(0, ENDPOINT_READY);
	planned();
	sim_gone(0);
	sim_pod(0, ENDPOINT_READY);
	ck_assert_str_eq(planned(),
		"set server be/pod1 state maint; set server be/pod1 addr 10.0.0.10 port 8080; "
		"set server be/pod1 weight 100; set server be/pod1 state ready");
	sim.servers[0].scur = 1;
	sim_gone(0);
	sim_pod(0, ENDPOINT_READY);
	ck_assert_str_eq(planned(),
		"set server be/pod2 addr 10.0.0.10 port 8080; set server be/pod2 weight 100; "
		"set server be/pod2 state ready; set server be/pod1 state maint");
	ck_assert_str_eq(planned(), "");
}
END_TEST

START_TEST(another_pod_at_the_same_address_does_not_inherit_the_server_before_it_is_ready)
{
	sim_init(2, 0);
	sim_pod(0, ENDPOINT_READY);
	sim_pod(1, ENDPOINT_READY);
	planned();
	sim_gone(0);
	sim_pod(0, ENDPOINT_UNREADY);
	ck_assert_str_eq(planned(), "set server be/pod1 state maint");
	ck_assert_str_eq(planned(), "");
}
END_TEST

/* A server at the pod's address. */
struct candidate {
	const char *uid; /* of the pod that it was given to; "": not known */
	unsigned admin;
};

static void candidate_put(size_t at, const struct candidate *candidate)
{
	struct sim_server *server = &sim.servers[at];

	snprintf(server->address, sizeof(server->address), "10.0.0.10");
	server->port = 8080;
	server->admin = candidate->admin;
	ck_assert(slots_memory_put(
		&sim.memory, server->name, server->address, server->port, candidate->uid));
}

enum { OPEN = 0, DRAIN = HASTATE_ADMIN_FORCED_DRAIN, MAINT = HASTATE_ADMIN_FORCED_MAINT };

static const struct {
	struct candidate right, wrong;
} homes[] = {
	{{"uid-1", OPEN}, {"uid-0", OPEN}},
	{{"", OPEN}, {"uid-0", OPEN}},
	{{"uid-1", OPEN}, {"", OPEN}},
	{{"uid-1", DRAIN}, {"", OPEN}},
	{{"", OPEN}, {"", MAINT}},
	{{"", DRAIN}, {"", MAINT}},
	{{"", OPEN}, {"", DRAIN}},
	{{"uid-1", OPEN}, {"uid-1", DRAIN}},
};

/* The pod keeps the right one as it is, whichever HAProxy names first, and no other is open. */
START_TEST(of_two_servers_at_its_address_a_pod_keeps_the_one_that_is_surely_its_own)
{
	size_t right = (size_t)_i % 2;

	sim_init(2, 0);
	sim_pod(0, ENDPOINT_READY);
	ck_assert(slots_memory_init(&sim.memory, 2));
	candidate_put(right, &homes[_i / 2].right);
	candidate_put(1 - right, &homes[_i / 2].wrong);
	slots_memory_sort(&sim.memory);
	ck_assert_ptr_null(strstr(planned(), "addr"));
	ck_assert_uint_eq(sim.servers[right].admin, 0);
	ck_assert(sim.servers[1 - right].admin & HASTATE_ADMIN_MAINT);
	ck_assert_str_eq(planned(), "");
}
END_TEST

START_TEST(the_same_pod_that_comes_back_finds_its_slot_and_connections)
{
	sim_init(2, 0);
	sim_pod(0, ENDPOINT_READY);
	planned();
	sim.servers[0].scur = 4;
	sim.there[0] = false;
	sim_want();
	planned();
	sim.there[0] = true;
	sim_want();
	planned();
	ck_assert_uint_eq(sim.servers[0].admin & HASTATE_ADMIN_MAINT, 0);
	ck_assert(sim.servers[1].admin & HASTATE_ADMIN_MAINT);
}
END_TEST

START_TEST(after_a_restart_of_the_agent_pods_keep_their_servers)
{
	sim_init(4, 0);
	for (int i = 0; i < 3; i++)
		sim_pod(i, ENDPOINT_READY);
	planned();
	for (size_t i = 0; i < 3; i++)
		sim.servers[i].scur = 2;
	sim_gone(1);
	planned();
	slots_memory_fini(&sim.memory);
	ck_assert_str_eq(planned(), "");

	/* Nobody knows any more whose connections the second slot holds: not for the new pod. */
	slots_memory_fini(&sim.memory);
	sim_pod(1, ENDPOINT_READY);
	planned();
	ck_assert(sim.servers[1].admin & HASTATE_ADMIN_MAINT);
	ck_assert_str_eq(sim.servers[3].address, "10.0.0.11");
}
END_TEST

START_TEST(a_reload_fills_all_slots_in_one_plan)
{
	sim_init(3, 8);
	for (int i = 0; i < 5; i++)
		sim_pod(i, ENDPOINT_READY);
	planned();
	sim_reload();
	struct slots_plan plan = sim_plan();
	ck_assert_uint_eq(plan.ready, 5);
	ck_assert_uint_eq(plan.added, 2);
	slots_plan_fini(&plan);
	ck_assert_str_eq(planned(), "");
}
END_TEST

START_TEST(a_server_is_added_with_its_checks_and_deleted_when_empty)
{
	sim_init(1, 8);
	sim.options.added_line = "check inter 2s agent-check agent-port 9";
	sim_pod(0, ENDPOINT_READY);
	sim_pod(1, ENDPOINT_READY);
	planned();
	sim_pod(2, ENDPOINT_READY);
	ck_assert_str_eq(planned(),
		"add server be/extra2 10.0.0.12:8080 weight 100 check inter 2s agent-check "
		"agent-port 9; enable health be/extra2; "
		"enable agent be/extra2; set server be/extra2 state ready");
	sim.servers[2].scur = 1;
	sim_gone(2);
	ck_assert_str_eq(planned(), "set server be/extra2 state maint");
	ck_assert_str_eq(planned(), "");
	sim.servers[2].scur = 0;
	ck_assert_str_eq(planned(), "del server be/extra2");
	sim_gone(1);
	ck_assert_str_eq(planned(), "set server be/extra1 state maint; del server be/extra1");
	ck_assert_str_eq(planned(), "");
}
END_TEST

START_TEST(an_ipv6_pod_is_added_in_brackets)
{
	sim_init(0, 1);
	struct endpoint pod = {.address = "2001:db8::1", .port = 80, .state = ENDPOINT_READY};
	struct hastate_backend backend = sim_view();
	struct slots_plan plan;
	ck_assert(slots_plan(&backend, &pod, 1, &sim.options, &sim.memory, &plan));
	ck_assert_str_eq(plan.commands[0],
		"add server be/extra1 [2001:db8::1]:80 weight 100 check inter 2s");
	slots_plan_fini(&plan);
}
END_TEST

START_TEST(backup_servers_and_resolved_servers_are_left_alone)
{
	sim_init(3, 0);
	sim.servers[0].backup = true;
	sim.servers[0].admin = 0;
	sim.servers[1].resolved = true;
	sim_pod(0, ENDPOINT_READY);
	planned();
	ck_assert_str_eq(sim.servers[2].address, "10.0.0.10");
	ck_assert_str_eq(planned(), "");
}
END_TEST

/* What is wanted is what HAProxy has; nothing is remembered. */
static void sim_adopt(void)
{
	struct hastate_backend backend = sim_view();
	struct endpoint *adopted;

	ck_assert(slots_adopt(&backend, &adopted, &sim.n_wanted));
	ck_assert_uint_le(sim.n_wanted, PODS_MAX);
	for (size_t i = 0; i < sim.n_wanted; i++)
		sim.wanted[i] = adopted[i];
	free(adopted);
	slots_memory_fini(&sim.memory);
}

START_TEST(without_kubernetes_servers_stay_as_haproxy_has_them)
{
	sim_init(5, 8);
	for (int i = 0; i < 7; i++)
		sim_pod(i, ENDPOINT_READY);
	planned();
	sim_pod(1, ENDPOINT_TERMINATING);
	sim_gone(2);
	sim.servers[1].scur = 3;
	planned();
	sim.servers[4].backup = true;
	sim_adopt();
	/* Not of the one that is gone, nor of the backup server. */
	ck_assert_uint_eq(sim.n_wanted, 5);
	ck_assert_str_eq(planned(), "");

	/* Another process gets those that take connections; one that drained has none there. */
	sim_reload();
	struct slots_plan plan = sim_plan();
	ck_assert_uint_eq(plan.ready, 4);
	ck_assert_uint_eq(plan.draining, 0);
	slots_plan_fini(&plan);
	ck_assert_str_eq(planned(), "");
}
END_TEST

START_TEST(with_draining_servers_alone_none_is_opened)
{
	sim_init(2, 0);
	for (int i = 0; i < 2; i++) {
		sim_pod(i, ENDPOINT_READY);
		planned();
		sim.servers[i].admin |= HASTATE_ADMIN_FORCED_DRAIN;
	}
	sim_adopt();
	ck_assert_uint_eq(sim.n_wanted, 2);
	ck_assert_str_eq(planned(), "");
}
END_TEST

START_TEST(of_empty_slots_nothing_is_taken)
{
	struct hastate_backend backend;
	struct endpoint *adopted;
	size_t n;

	sim_init(3, 0);
	sim.servers[1].resolved = true;
	sim.servers[1].admin = 0;
	backend = sim_view();
	ck_assert(slots_adopt(&backend, &adopted, &n));
	ck_assert_ptr_null(adopted);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(one_address_on_two_servers_is_one_pod_and_open)
{
	struct hastate_backend backend;
	struct endpoint *adopted;
	size_t n;

	sim_init(2, 0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(sim.servers[i].address, sizeof(sim.servers[i].address), "10.0.0.10");
		sim.servers[i].admin = i == 0 ? HASTATE_ADMIN_FORCED_DRAIN : 0;
	}
	backend = sim_view();
	ck_assert(slots_adopt(&backend, &adopted, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(adopted[0].state, ENDPOINT_READY);
	free(adopted);
}
END_TEST

START_TEST(a_foreign_change_is_repaired)
{
	sim_init(2, 0);
	sim_pod(0, ENDPOINT_READY);
	planned();
	sim.servers[0].admin = HASTATE_ADMIN_FORCED_DRAIN;
	sim.servers[1].admin = 0;
	ck_assert_str_eq(
		planned(), "set server be/pod1 state ready; set server be/pod2 state maint");
}
END_TEST

/* What must hold after every plan, whatever came before. */
static void check_all(const struct slots_plan *plan)
{
	enum endpoint_state least = ENDPOINT_TERMINATING;
	unsigned unplaced = 0;

	for (size_t i = 0; i < sim.n_wanted; i++)
		if (sim.wanted[i].state == ENDPOINT_READY)
			least = ENDPOINT_READY;
	for (size_t i = 0; i < sim.n_wanted; i++) {
		const struct endpoint *pod = &sim.wanted[i];
		unsigned in_use = 0;

		for (size_t s = 0; s < sim.n; s++) {
			const struct sim_server *server = &sim.servers[s];
			bool drains = server->admin & HASTATE_ADMIN_DRAIN;

			if ((server->admin & HASTATE_ADMIN_MAINT) ||
				strcmp(server->address, pod->address) != 0)
				continue;
			in_use++;
			ck_assert_int_eq(drains, pod->state < least);
			ck_assert_msg(server->scur == 0 || strcmp(server->uid, pod->uid) == 0,
				"%s mixes %s and %s", server->name, server->uid, pod->uid);
		}
		ck_assert_uint_le(in_use, 1);
		if (pod->state >= least && !in_use)
			unplaced++;
	}
	ck_assert_uint_eq(unplaced, plan->unplaced);
	for (size_t s = 0; s < sim.n; s++)
		ck_assert_msg((sim.servers[s].admin & HASTATE_ADMIN_MAINT) ||
				      slicestore_find(sim.wanted, sim.n_wanted,
					      sim.servers[s].address, sim.servers[s].port),
			"%s is open and belongs to nobody", sim.servers[s].name);
}

/* One thing happens. */
static void happen(void)
{
	int i = rand() % PODS_MAX;

	switch (rand() % 12) {
	case 0:
	case 1:
	case 2:
	case 3:
		sim_pod(i, (enum endpoint_state)(rand() % 3));
		break;
	case 4:
	case 5:
		sim_gone(i);
		break;
	case 6: /* the address is given to a new pod between two looks */
		sim_gone(i);
		sim_pod(i, ENDPOINT_READY);
		break;
	case 7: /* all go but one kind */
		for (int p = 0; p < PODS_MAX; p++)
			if (sim.there[p] && rand() % 4)
				sim_pod(p, ENDPOINT_TERMINATING);
		break;
	case 8:
		if (rand() % 4 == 0)
			sim_reload();
		break;
	case 9: /* the agent restarts */
		if (rand() % 4 == 0)
			slots_memory_fini(&sim.memory);
		break;
	case 10: /* somebody meddles */
		if (sim.n > 0) {
			struct sim_server *server = &sim.servers[(size_t)rand() % sim.n];
			const struct endpoint *pod = slicestore_find(
				sim.wanted, sim.n_wanted, server->address, server->port);

			/* An old pod's server that is opened after the agent's memory is lost
			 * looks like the new pod's own: nobody could tell. */
			if (server->scur > 0 && pod && strcmp(pod->uid, server->uid) != 0)
				break;
			server->admin = (unsigned[]){0, HASTATE_ADMIN_FORCED_DRAIN,
				HASTATE_ADMIN_FORCED_MAINT}[rand() % 3];
		}
		break;
	default:
		break;
	}
}

static void traffic(void)
{
	for (size_t s = 0; s < sim.n; s++) {
		struct sim_server *server = &sim.servers[s];
		const struct endpoint *pod =
			slicestore_find(sim.wanted, sim.n_wanted, server->address, server->port);

		if (server->scur > 0 && rand() % 3 == 0)
			server->scur -= (uint32_t)rand() % (server->scur + 1);
		if (!pod || (server->admin & (HASTATE_ADMIN_MAINT | HASTATE_ADMIN_DRAIN)))
			continue;
		if (rand() % 2 == 0) {
			server->scur += 1 + (uint32_t)rand() % 3;
			snprintf(server->uid, sizeof(server->uid), "%s", pod->uid);
		}
	}
}

START_TEST(any_history_keeps_pods_apart_and_settles_in_one_plan)
{
	for (int history = 0; history < run_rounds(300); history++) {
		sim_init((size_t)rand() % 20, rand() % 2 ? 40 : (unsigned)rand() % 3);
		for (int step = 0; step < 60; step++) {
			happen();
			struct slots_plan plan = sim_plan();
			check_all(&plan);
			bool whole = plan.unplaced == 0;
			slots_plan_fini(&plan);

			plan = sim_plan();
			if (whole)
				ck_assert_msg(plan.n_commands == 0, "not settled: %s",
					plan.n_commands ? plan.commands[0] : "");
			check_all(&plan);
			slots_plan_fini(&plan);
			traffic();
		}
		sim_teardown();
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_ready_pod_gets_address_then_weight_then_traffic, ONCE},
		{a_pod_drains_while_it_goes_and_its_slot_waits_until_it_is_empty, ONCE},
		{an_unready_pod_keeps_its_slot_but_gets_none, ONCE},
		{the_last_terminating_pods_serve_until_another_is_ready, ONCE},
		{another_uid_at_the_same_address_is_another_pod, ONCE},
		{another_pod_at_the_same_address_does_not_inherit_the_server_before_it_is_ready,
			ONCE},
		{of_two_servers_at_its_address_a_pod_keeps_the_one_that_is_surely_its_own,
			2 * N_OF(homes)},
		{the_same_pod_that_comes_back_finds_its_slot_and_connections, ONCE},
		{after_a_restart_of_the_agent_pods_keep_their_servers, ONCE},
		{a_reload_fills_all_slots_in_one_plan, ONCE},
		{a_server_is_added_with_its_checks_and_deleted_when_empty, ONCE},
		{an_ipv6_pod_is_added_in_brackets, ONCE},
		{backup_servers_and_resolved_servers_are_left_alone, ONCE},
		{without_kubernetes_servers_stay_as_haproxy_has_them, ONCE},
		{with_draining_servers_alone_none_is_opened, ONCE},
		{of_empty_slots_nothing_is_taken, ONCE},
		{one_address_on_two_servers_is_one_pod_and_open, ONCE},
		{a_foreign_change_is_repaired, ONCE},
		{any_history_keeps_pods_apart_and_settles_in_one_plan, ONCE},
	};

	run_dice("slots");
	return run_suite_with("slots", NULL, sim_teardown, tests, N_OF(tests));
}
