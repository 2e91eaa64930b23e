/* SPDX-License-Identifier: MIT */
/* What a configuration means for the cluster, and the answer that it gives in HAProxy's stead. */
#include <check.h>

#include "core/cluster/cluster.h"
#include "core/settings.h"
#include "core/steer/agentcheck.h"
#include "core/steer/steer.h"
#include "rows.h"
#include "run.h"

START_TEST(settings_are_the_configurations)
{
	char names[4][8] = {"web", "a*", "key", "/m"};
	struct config_metric plain = {.path = names[3], .key = names[2], .port = CONFIG_OWN_PORT};
	struct config_metric other = {.path = names[3], .key = names[0], .port = 81};
	struct config_backend backends[] = {{names[0], plain}, {names[1], other}};
	const struct config config = {
		.has_socket = true,
		.has_agent_check = true,
		.replicas = 3,
		.poll_interval_ms = 2000,
		.cache_ttl_ms = 40000,
		.ramp_ms = 5000,
		.max_share = 0.25,
		.capacity_max = 3,
		.metric = plain,
		.backends = backends,
		.n_backends = 2,
	};
	struct cluster_settings settings;
	const struct selection *selection = &settings.selection;

	ck_assert(settings_for_cluster(&config, 0, &settings));
	ck_assert_uint_eq(settings.replicas, 3);
	ck_assert_int_eq(settings.poll_interval_ms, 2000);
	ck_assert_int_eq(settings.cache_ttl_ms, 40000);
	ck_assert_int_eq(settings.ramp_ms, 5000);
	ck_assert_double_eq(settings.max_share, 0.25);
	ck_assert_uint_eq(settings.capacity_max, 3);
	ck_assert(settings.percent_steps);
	ck_assert(!settings.agent_check_only);
	ck_assert_uint_eq(selection->n_backends, 2);
	ck_assert_str_eq(selection->backends[1], "a*");
	/* What makes another count of an address is in the identity, and the index leads back. */
	ck_assert_str_eq(selection_source(selection, "none", NULL)->identity, "http /m json key");
	ck_assert_str_eq(selection_source(selection, "web", NULL)->identity, "http /m json key");
	ck_assert_str_eq(selection_source(selection, "ab", NULL)->identity, "http /m json web");
	ck_assert_uint_eq(selection_source(selection, "ab", NULL)->port, 81);
	ck_assert_ptr_eq(settings_metric(&config, selection_source(selection, "ab", NULL)->index),
		&backends[1].metric);
	ck_assert_ptr_eq(settings_metric(&config, 0), &config.metric);
	ck_assert_ptr_eq(settings_metric(&config, 3), &config.metric);
	cluster_settings_fini(&settings);
}
END_TEST

START_TEST(instances_that_are_counted_stand_above_those_configured)
{
	char path[] = "/m";
	const struct config config = {.replicas = 3, .metric = {.path = path, .key = path}};
	struct cluster_settings settings;

	ck_assert(settings_for_cluster(&config, 2, &settings));
	ck_assert_uint_eq(settings.replicas, 2);
	ck_assert(!settings.percent_steps);
	ck_assert(settings.agent_check_only);
	cluster_settings_fini(&settings);
}
END_TEST

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
	ck_assert(settings_snapshot(&bench.config, &snapshot));
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

	ck_assert(settings_snapshot(&config, &snapshot));
	ck_assert_uint_eq(snapshot.n_backends, 0);
	hastate_fini(&snapshot);
}
END_TEST

/* From the file to the answer of an agent-check, with no HAProxy in sight. */
START_TEST(configured_servers_are_steered_by_flow_and_answered)
{
	struct cluster_settings settings = row_settings();
	struct hastate_snapshot snapshot;
	struct cluster *cluster;
	struct bench bench;
	char line[AGENTCHECK_SIZE];
	size_t n;

	setup(&bench);
	bench.servers[1].weight = 1;
	settings.agent_check_only = true;
	settings.percent_steps = true;
	cluster = cluster_new(&settings);
	for (int round = 1; round <= 3; round++) {
		ck_assert(settings_snapshot(&bench.config, &snapshot));
		ck_assert(cluster_update(cluster, &snapshot, 1000 * round, NULL, NULL));
		hastate_fini(&snapshot);
		row_hear(row_find(cluster, "one", "s1"), 90, 1000 * round + 100);
		row_hear(row_find(cluster, "one", "s2"), 10, 1000 * round + 100);
	}
	ck_assert_int_eq(cluster_backends(cluster, &n)[0]->mode, BACKEND_FLOW);
	ck_assert_uint_eq(cluster_counters(cluster)->reloads, 0);
	ck_assert(settings_snapshot(&bench.config, &snapshot));
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
		{settings_are_the_configurations, ONCE},
		{instances_that_are_counted_stand_above_those_configured, ONCE},
		{configured_servers_have_the_shape_of_an_answer, ONCE},
		{without_services_there_is_nothing, ONCE},
		{configured_servers_are_steered_by_flow_and_answered, ONCE},
	};

	return run_suite("settings", tests, N_OF(tests));
}
