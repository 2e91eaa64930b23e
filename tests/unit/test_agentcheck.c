/* SPDX-License-Identifier: MIT */
/* Agent-check: every weight as a percentage, and the names that come in. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/steer/agentcheck.h"
#include "core/steer/percent.h"
#include "core/steer/steer.h"
#include "rows.h"
#include "run.h"

/* What HAProxy makes of "N%" (server_parse_weight_change_request in server.c, 2.6 to 3.2);
 * tests/system/test_percent.py asks a real one. */
static int haproxy_weight(int iweight, int percent)
{
	int weight = iweight * percent / 100;

	return weight > 256 ? 256 : weight;
}

/* The smallest distance from the wanted weight to one above 0 that some percentage gives. */
static int nearest(const bool reached[257], int wanted)
{
	int distance = 0;

	while ((wanted - distance < 1 || !reached[wanted - distance]) &&
		(wanted + distance > 256 || !reached[wanted + distance]))
		distance++;
	return distance;
}

/* Checks one configured weight; returns the wanted weight that goes wrong, -1 for none. Check's
 * own macros are too slow for 66,000 pairs. */
static int first_wrong(int iweight)
{
	bool reached[257] = {false};

	for (int percent = 1; percent <= 25600 / iweight + 1; percent++)
		reached[haproxy_weight(iweight, percent)] = true;
	for (int wanted = 0; wanted <= 256; wanted++) {
		int got = percent_reachable(iweight, wanted);
		int percent = percent_of(iweight, got);

		if (percent < 0 || percent > 25600 || haproxy_weight(iweight, percent) != got ||
			(got == 0) != (wanted == 0) || percent_reachable(iweight, got) != got ||
			(wanted > 0 && abs(got - wanted) != nearest(reached, wanted)) ||
			(iweight <= 100 && got != wanted))
			return wanted;
	}
	return -1;
}

START_TEST(every_weight_is_answered_by_the_nearest_that_haproxy_can_reach)
{
	for (int iweight = 1; iweight <= 256; iweight++) {
		int wrong = first_wrong(iweight);

		ck_assert_msg(wrong < 0, "weight %d of %d", wrong, iweight);
	}
}
END_TEST

START_TEST(the_weight_in_the_configuration_is_always_within_reach)
{
	for (int iweight = 1; iweight <= 256; iweight++) {
		ck_assert_int_eq(percent_reachable(iweight, iweight), iweight);
		ck_assert_int_le(percent_of(iweight, iweight), 100);
		ck_assert_int_eq(percent_reachable(iweight, 256), 256);
		ck_assert_int_eq(percent_reachable(iweight, -1), 0);
	}
}
END_TEST

/* ---- the line ---- */

static bool is_line_good(int iweight, int weight)
{
	struct server server = {.plan = {.made = true}, .haproxy = {.iweight = iweight}};
	char line[AGENTCHECK_SIZE];
	char *end;
	size_t len;
	long percent;

	server.plan.weight = percent_reachable(iweight, weight);
	len = agentcheck_write(&server, line);
	percent = strtol(line, &end, 10);
	return len == strlen(line) && strcmp(end, "%\n") == 0 &&
	       haproxy_weight(iweight, (int)percent) == server.plan.weight;
}

START_TEST(the_line_is_a_percentage_and_nothing_else)
{
	for (int iweight = 1; iweight <= 256; iweight++) {
		for (int weight = 0; weight <= 256; weight++) {
			if (!is_line_good(iweight, weight))
				ck_abort_msg("weight %d of %d", weight, iweight);
		}
	}
}
END_TEST

START_TEST(an_empty_line_changes_nothing_where_there_is_no_plan)
{
	struct server unplanned = {
		.plan = {.made = false, .weight = 50}, .haproxy = {.iweight = 100}};
	struct server zero = {.plan = {.made = true, .weight = 50}, .haproxy = {.iweight = 0}};
	char line[AGENTCHECK_SIZE] = "old";

	ck_assert_uint_eq(agentcheck_write(NULL, line), 1);
	ck_assert_str_eq(line, "\n");
	ck_assert_uint_eq(agentcheck_write(&unplanned, line), 1);
	ck_assert_str_eq(line, "\n");
	ck_assert_uint_eq(agentcheck_write(&zero, line), 1);
	ck_assert_str_eq(line, "\n");
}
END_TEST

/* ---- the request ---- */

static struct cluster *cluster_of_names(void)
{
	struct hastate_server one[] = {row_up("s1", "10.0.0.1", 0), row_up("s10", "10.0.0.2", 0),
		row_up("s2", "10.0.0.3", 0)};
	struct hastate_server two[] = {row_up("s1", "10.0.0.4", 0), row_up("s10x", "10.0.0.5", 0)};
	struct hastate_backend backends[] = {
		row_backend("be", "leastconn", one, 3), row_backend("b", "leastconn", two, 2)};
	struct hastate_snapshot answer = row_answer(7, backends, 2);
	struct cluster_settings settings = row_settings();
	struct cluster *cluster = cluster_new(&settings);

	ck_assert(cluster_update(cluster, &answer, 1000, NULL, NULL));
	return cluster;
}

#define BYTES(text) text, sizeof(text) - 1

static const struct {
	const char *bytes;
	size_t len;
	enum agentcheck_request request;
	const char *id; /* NULL: none is meant */
} requests[] = {
	{BYTES("be/s1\n"), AGENTCHECK_COMPLETE, "be/s1"},
	{BYTES("be/s1\r\n"), AGENTCHECK_COMPLETE, "be/s1"},
	{BYTES("be/s10\n"), AGENTCHECK_COMPLETE, "be/s10"},
	{BYTES("b/s1\n"), AGENTCHECK_COMPLETE, "b/s1"},
	{BYTES("be/s1\nbe/s2\n"), AGENTCHECK_COMPLETE, "be/s1"},
	{BYTES("be/s1\nGET / HTTP/1.0"), AGENTCHECK_COMPLETE, "be/s1"},
	/* Without a newline: HAProxy's agent-send knows no escape for one. */
	{BYTES("be/s2"), AGENTCHECK_COMPLETE, "be/s2"},
	{BYTES("be/s10"), AGENTCHECK_COMPLETE, "be/s10"},
	{BYTES("b/s10x"), AGENTCHECK_COMPLETE, "b/s10x"},
	{BYTES("be/s1"), AGENTCHECK_MAYBE, "be/s1"},
	{BYTES("b/s1"), AGENTCHECK_MAYBE, "b/s1"},
	{BYTES(""), AGENTCHECK_PARTIAL, NULL},
	{BYTES("b"), AGENTCHECK_PARTIAL, NULL},
	{BYTES("be"), AGENTCHECK_PARTIAL, NULL},
	{BYTES("be/"), AGENTCHECK_PARTIAL, NULL},
	{BYTES("be/s"), AGENTCHECK_PARTIAL, NULL},
	{BYTES("b/s10"), AGENTCHECK_PARTIAL, NULL},
	{BYTES("be/s1\r"), AGENTCHECK_PARTIAL, NULL},
	{BYTES("be/s20"), AGENTCHECK_PARTIAL, NULL},
	/* A line that names no server. */
	{BYTES("\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("\r\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be/\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("/s1\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be/s3\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be/S1\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be/s1 \n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES(" be/s1\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be/s1\r\r\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be//s1\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be/s1\0\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be\0/s1\n"), AGENTCHECK_COMPLETE, NULL},
	{BYTES("be/s1\0"), AGENTCHECK_PARTIAL, NULL},
	{BYTES("\nbe/s1\n"), AGENTCHECK_COMPLETE, NULL},
};

START_TEST(a_request_names_a_server_wholly_or_not_at_all)
{
	struct cluster *cluster = cluster_of_names();
	struct server *server = (struct server *)cluster;
	char *bytes = malloc(requests[_i].len);

	if (bytes)
		memcpy(bytes, requests[_i].bytes, requests[_i].len);
	ck_assert_int_eq(agentcheck_read(cluster, bytes ? bytes : "", requests[_i].len, &server),
		requests[_i].request);
	if (requests[_i].id) {
		ck_assert_ptr_nonnull(server);
		ck_assert_str_eq(server->id, requests[_i].id);
	} else {
		ck_assert_ptr_null(server);
	}
	free(bytes);
	cluster_free(cluster);
}
END_TEST

START_TEST(the_longest_request_is_read_to_its_end)
{
	struct cluster *cluster = cluster_of_names();
	struct server *server;
	char bytes[AGENTCHECK_REQUEST_MAX];

	memset(bytes, 'x', sizeof(bytes));
	ck_assert_int_eq(
		agentcheck_read(cluster, bytes, sizeof(bytes), &server), AGENTCHECK_PARTIAL);
	bytes[5] = '/';
	ck_assert_int_eq(
		agentcheck_read(cluster, bytes, sizeof(bytes), &server), AGENTCHECK_PARTIAL);
	bytes[sizeof(bytes) - 1] = '\n';
	ck_assert_int_eq(
		agentcheck_read(cluster, bytes, sizeof(bytes), &server), AGENTCHECK_COMPLETE);
	ck_assert_ptr_null(server);
	cluster_free(cluster);
}
END_TEST

/* ---- together with the planner ---- */

START_TEST(in_steps_of_percent_the_wanted_weight_is_one_that_the_answer_gives)
{
	struct cluster_settings settings = row_settings();
	struct cluster *cluster;

	settings.percent_steps = true;
	cluster = cluster_new(&settings);
	for (int round = 1; round <= 300; round++) {
		struct hastate_server rows[] = {row_up("s1", "10.0.0.1", (uint32_t)rand() % 99),
			row_up("s2", "10.0.0.2", (uint32_t)rand() % 99),
			row_up("s3", "10.0.0.3", (uint32_t)rand() % 99)};
		struct hastate_backend backend = row_backend("be", "leastconn", rows, 3);
		struct hastate_snapshot answer = row_answer(7, &backend, 1);

		for (size_t i = 0; i < 3; i++)
			rows[i].iweight = 1 + rand() % 256;
		ck_assert(cluster_update(cluster, &answer, 1000 * round, NULL, NULL));
		for (size_t i = 0; i < 3; i++)
			row_hear(row_find(cluster, "be", rows[i].name), (uint32_t)rand() % 99,
				1000 * round + 500);
		ck_assert(cluster_update(cluster, &answer, 1000 * round + 600, NULL, NULL));
		ck_assert(steer_plan(cluster, 1000 * round + 600));
		for (size_t i = 0; i < 3; i++) {
			const struct server *server = row_find(cluster, "be", rows[i].name);
			char line[AGENTCHECK_SIZE];

			agentcheck_write(server, line);
			ck_assert_int_eq(haproxy_weight(server->haproxy.iweight,
						 (int)strtol(line, NULL, 10)),
				server->plan.weight);
			ck_assert_int_gt(server->plan.weight, 0);
		}
	}
	cluster_free(cluster);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{every_weight_is_answered_by_the_nearest_that_haproxy_can_reach, ONCE},
		{the_weight_in_the_configuration_is_always_within_reach, ONCE},
		{the_line_is_a_percentage_and_nothing_else, ONCE},
		{an_empty_line_changes_nothing_where_there_is_no_plan, ONCE},
		{a_request_names_a_server_wholly_or_not_at_all, N_OF(requests)},
		{the_longest_request_is_read_to_its_end, ONCE},
		{in_steps_of_percent_the_wanted_weight_is_one_that_the_answer_gives, ONCE},
	};

	run_dice("answer");
	return run_suite("agentcheck", tests, N_OF(tests));
}
