/* SPDX-License-Identifier: MIT */
/* The question of a round, and the answer that the configuration gives in HAProxy's stead. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/cluster.h"
#include "core/haproxy/commands.h"
#include "core/haproxy/haquery.h"
#include "core/steer/agentcheck.h"
#include "core/steer/steer.h"
#include "rows.h"
#include "run.h"

static const char all[] = "show stat -1 6 -1;show servers state;show info\n";

START_TEST(without_names_all_backends_are_asked_for)
{
	char *line = haquery_write(NULL, 0);

	ck_assert_str_eq(line, all);
	free(line);
}
END_TEST

/* hareply_parse tells a whole answer by the last command's. */
START_TEST(named_backends_are_asked_for_one_by_one_and_info_at_last)
{
	char one[] = "web";
	char two[] = "api.v1";
	char *line = haquery_write((char *[]){one, two}, 2);

	ck_assert_str_eq(line, "show stat web 6 -1;show servers state web;"
			       "show stat api.v1 6 -1;show servers state api.v1;show info\n");
	free(line);
}
END_TEST

START_TEST(more_names_than_a_line_holds_mean_all)
{
	static char names[COMMANDS_LINE_MAX][8];
	static char *pointers[COMMANDS_LINE_MAX];
	bool fell_back = false;

	for (size_t n = 0; n < COMMANDS_LINE_MAX; n++) {
		snprintf(names[n], sizeof(names[n]), "b%06zu", n);
		pointers[n] = names[n];
	}
	for (size_t n = 1; n < 200; n++) {
		char *line = haquery_write(pointers, n);

		ck_assert_uint_le(strlen(line), COMMANDS_LINE_MAX);
		/* Each name stands there twice, or none at all, and never again one once it did
		 * not fit. */
		if (strcmp(line, all) == 0)
			fell_back = true;
		else
			ck_assert(!fell_back && strstr(line, names[n - 1]));
		ck_assert_str_eq(line + strlen(line) - strlen("show info\n"), "show info\n");
		free(line);
	}
	ck_assert(fell_back);
}
END_TEST

START_TEST(a_question_may_fill_a_line_to_its_last_byte)
{
	static char name[COMMANDS_LINE_MAX];
	char *names[] = {name};
	size_t fixed = strlen("show stat  6 -1;show servers state ;show info\n");
	size_t len = (COMMANDS_LINE_MAX - fixed) / 2;

	for (size_t extra = 0; extra < 2; extra++) {
		char *line;

		memset(name, 'x', len + extra);
		line = haquery_write(names, 1);
		if (extra == 0)
			ck_assert_uint_ge(strlen(line), COMMANDS_LINE_MAX - 1);
		else
			ck_assert_str_eq(line, all);
		free(line);
	}
}
END_TEST

/* ---- without a socket ---- */

struct bench {
	char hosts[3][16];
	char server_names[3][8];
	char service_names[2][8];
	struct config_server servers[3];
	struct config_service services[2];
	struct config config;
};

static void setup(struct bench *bench)
{
	*bench = (struct bench){
		.hosts = {"10.0.0.1", "::1", "pod.test"},
		.server_names = {"s1", "s2", "s1"},
		.service_names = {"one", "two"},
	};
	for (size_t i = 0; i < 3; i++) {
		bench->servers[i] = (struct config_server){
			.name = bench->server_names[i],
			.address = {.host = bench->hosts[i], .port = (uint16_t)(8080 + i)},
			.weight = 1 + 100 * (int)i,
		};
	}
	bench->services[0] = (struct config_service){
		.name = bench->service_names[0], .servers = bench->servers, .n_servers = 2};
	bench->services[1] = (struct config_service){
		.name = bench->service_names[1], .servers = bench->servers + 2, .n_servers = 1};
	bench->config = (struct config){.services = bench->services, .n_services = 2};
}

START_TEST(configured_servers_have_the_shape_of_an_answer)
{
	struct hastate_snapshot snapshot;
	struct bench bench;

	setup(&bench);
	ck_assert(ask_configured(&bench.config, &snapshot));
	ck_assert_uint_eq(snapshot.n_backends, 2);
	ck_assert_str_eq(snapshot.backends[0].name, "one");
	ck_assert_uint_eq(snapshot.backends[0].n_servers, 2);
	ck_assert_str_eq(snapshot.backends[1].name, "two");
	ck_assert_uint_eq(snapshot.backends[1].n_servers, 1);
	for (size_t i = 0; i < 3; i++) {
		const struct hastate_server *server =
			i < 2 ? &snapshot.backends[0].servers[i] : &snapshot.backends[1].servers[0];

		ck_assert_str_eq(server->name, bench.server_names[i]);
		ck_assert_str_eq(server->address, bench.hosts[i]);
		ck_assert_uint_eq(server->port, 8080 + i);
		ck_assert_int_eq(server->iweight, 1 + 100 * (int)i);
		ck_assert_int_eq(server->uweight, server->iweight);
		ck_assert_uint_eq(server->scur, 0);
		ck_assert_uint_eq(server->stot, 0);
		ck_assert(!server->backup);
	}
	hastate_fini(&snapshot);
}
END_TEST

START_TEST(without_services_there_is_nothing)
{
	struct config config = {.n_services = 0};
	struct hastate_snapshot snapshot;

	ck_assert(ask_configured(&config, &snapshot));
	ck_assert_uint_eq(snapshot.n_backends, 0);
	hastate_fini(&snapshot);
}
END_TEST

/* From the file to the answer of an agent-check, with no HAProxy in sight. */
START_TEST(configured_servers_are_steered_by_flow_and_answered)
{
	struct cluster_params params = row_params();
	struct hastate_snapshot snapshot;
	struct cluster *cluster;
	struct bench bench;
	char line[AGENTCHECK_SIZE];
	size_t n;

	setup(&bench);
	bench.servers[1].weight = 1;
	params.agent_check_only = true;
	params.percent_steps = true;
	cluster = cluster_new(&params);
	for (int round = 1; round <= 3; round++) {
		ck_assert(ask_configured(&bench.config, &snapshot));
		ck_assert(cluster_update(cluster, &snapshot, 1000 * round, NULL, NULL));
		hastate_fini(&snapshot);
		row_hear(row_find(cluster, "one", "s1"), 90, 1000 * round + 100);
		row_hear(row_find(cluster, "one", "s2"), 10, 1000 * round + 100);
	}
	ck_assert_int_eq(cluster_backends(cluster, &n)[0]->mode, BACKEND_FLOW);
	ck_assert_uint_eq(cluster_counters(cluster)->reloads, 0);
	ck_assert(ask_configured(&bench.config, &snapshot));
	ck_assert(cluster_update(cluster, &snapshot, 4000, NULL, NULL));
	hastate_fini(&snapshot);
	ck_assert(steer_plan(cluster, 4000));
	agentcheck_write(row_find(cluster, "one", "s2"), line);
	ck_assert_str_eq(line, "25600%\n");
	agentcheck_write(row_find(cluster, "one", "s1"), line);
	ck_assert_str_eq(line, "100%\n");
	/* Nobody was heard in the other: its weight is the configured one. */
	agentcheck_write(row_find(cluster, "two", "s1"), line);
	ck_assert_str_eq(line, "100%\n");
	cluster_free(cluster);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{without_names_all_backends_are_asked_for, ONCE},
		{named_backends_are_asked_for_one_by_one_and_info_at_last, ONCE},
		{more_names_than_a_line_holds_mean_all, ONCE},
		{a_question_may_fill_a_line_to_its_last_byte, ONCE},
		{configured_servers_have_the_shape_of_an_answer, ONCE},
		{without_services_there_is_nothing, ONCE},
		{configured_servers_are_steered_by_flow_and_answered, ONCE},
	};

	return run_suite("haquery", tests, N_OF(tests));
}
