/* SPDX-License-Identifier: MIT */
/* How often backends are planned and pods are asked. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/steer/steer.h"
#include "core/steer/tempo.h"
#include "rows.h"
#include "run.h"

enum { MOST = 1100 };

/* A cluster of up to two backends whose pods have all answered with 100. */
struct trial {
	struct cluster *cluster;
	struct hastate_server rows[2][MOST];
	char names[2][MOST][24];
	char addresses[2][MOST][72];
	struct hastate_backend backends[2];
	size_t n_backends;
	struct backend *const *found;
};

static void answer(struct trial *trial, int64_t now_ms)
{
	struct hastate_snapshot snapshot = row_answer(7, trial->backends, trial->n_backends);
	size_t n;

	ck_assert(cluster_update(trial->cluster, &snapshot, now_ms, NULL, NULL));
	trial->found = cluster_edit_backends(trial->cluster, &n);
	ck_assert_uint_eq(n, trial->n_backends);
}

static void hear_all(struct trial *trial, int64_t now_ms)
{
	for (size_t b = 0; b < trial->n_backends; b++) {
		for (size_t i = 0; i < trial->found[b]->n_servers; i++)
			row_hear(trial->found[b]->servers[i], 100, now_ms);
	}
}

static struct trial *trial_new(
	unsigned replicas, int64_t interval_ms, size_t n_first, size_t n_second)
{
	static const char *const names[] = {"one", "two"};
	struct cluster_settings settings = row_settings();
	struct trial *trial = calloc(1, sizeof(*trial));
	const size_t n[] = {n_first, n_second};

	ck_assert_ptr_nonnull(trial);
	settings.replicas = replicas;
	settings.poll_interval_ms = interval_ms;
	trial->cluster = cluster_new(&settings);
	ck_assert_ptr_nonnull(trial->cluster);
	trial->n_backends = n_second > 0 ? 2 : 1;
	for (size_t b = 0; b < trial->n_backends; b++) {
		for (size_t i = 0; i < n[b]; i++) {
			snprintf(trial->names[b][i], sizeof(trial->names[b][i]), "s%zu", i);
			snprintf(trial->addresses[b][i], sizeof(trial->addresses[b][i]),
				"10.%zu.%zu.%zu", b, i / 256, i % 256);
			trial->rows[b][i] = row_up(trial->names[b][i], trial->addresses[b][i],
				100 / (uint32_t)replicas);
		}
		trial->backends[b] = row_backend(names[b], "leastconn", trial->rows[b], n[b]);
	}
	answer(trial, 1000);
	hear_all(trial, 1000);
	answer(trial, 1000);
	ck_assert(steer_plan(trial->cluster, 1000));
	return trial;
}

static void trial_free(struct trial *trial)
{
	cluster_free(trial->cluster);
	free(trial);
}

START_TEST(an_interval_that_is_set_rules_all)
{
	struct trial *trial = trial_new(1, 3000, 3, 2);

	ck_assert_int_eq(tempo_round_ms(trial->cluster), 3000);
	for (size_t b = 0; b < 2; b++) {
		ck_assert_int_eq(trial->found[b]->every_ms, 3000);
		ck_assert_int_eq(trial->found[b]->due_ms, 4000);
		ck_assert_int_eq(trial->found[b]->servers[0]->pod->every_ms, 3000);
		ck_assert_int_eq(trial->found[b]->servers[0]->pod->due_ms, 4000);
	}
	trial_free(trial);
}
END_TEST

/* 4 times pods times instances is at most 1,000 a second. */
START_TEST(auto_is_fast_where_that_is_cheap)
{
	static const struct {
		unsigned replicas;
		size_t n;
		int64_t every_ms;
	} cases[] = {
		{1, 1, 250},
		{1, 250, 250},
		{1, 251, 1000},
		{10, 25, 250},
		{10, 26, 1000},
	};

	for (size_t i = 0; i < N_OF(cases); i++) {
		struct trial *trial = trial_new(cases[i].replicas, 0, cases[i].n, 0);

		ck_assert_int_eq(tempo_round_ms(trial->cluster), cases[i].every_ms);
		trial_free(trial);
	}
}
END_TEST

START_TEST(a_pod_of_several_backends_is_asked_once)
{
	struct trial *trial = trial_new(10, 0, 25, 25);

	/* Fifty servers of fifty pods are too many, of twenty-five they are not. */
	ck_assert_int_eq(tempo_round_ms(trial->cluster), 1000);
	for (size_t i = 0; i < 25; i++)
		trial->rows[1][i].address = trial->addresses[0][i];
	answer(trial, 2000);
	ck_assert(steer_plan(trial->cluster, 2000));
	ck_assert_int_eq(tempo_round_ms(trial->cluster), 250);
	trial_free(trial);
}
END_TEST

/* The pod of the server lacks connections to the others' level. */
static void empty(struct trial *trial, size_t backend, size_t server, int64_t now_ms)
{
	trial->rows[backend][server].scur = 0;
	answer(trial, now_ms);
	hear_all(trial, now_ms);
	row_hear(trial->found[backend]->servers[server], 0, now_ms);
	answer(trial, now_ms);
}

START_TEST(a_rush_is_fast_for_its_own_backend)
{
	struct trial *trial = trial_new(10, 0, 30, 30);

	empty(trial, 0, 7, 2000);
	ck_assert(steer_plan(trial->cluster, 2000));
	ck_assert_int_eq(trial->found[0]->every_ms, 250);
	ck_assert_int_eq(trial->found[1]->every_ms, 1000);
	ck_assert_int_eq(trial->found[0]->servers[3]->pod->every_ms, 250);
	ck_assert_int_eq(trial->found[1]->servers[3]->pod->every_ms, 1000);
	ck_assert_int_eq(tempo_round_ms(trial->cluster), 250);

	/* Of the rounds in between only the one is planned. */
	ck_assert(steer_plan_due(trial->cluster, 2251));
	ck_assert_int_eq(trial->found[0]->planned_ms, 2251);
	ck_assert_int_eq(trial->found[1]->planned_ms, 2000);
	ck_assert(steer_plan_due(trial->cluster, 2999));
	ck_assert_int_eq(trial->found[0]->planned_ms, 2999);
	ck_assert_int_eq(trial->found[1]->planned_ms, 2999);
	ck_assert_int_eq(trial->found[1]->due_ms, 3999);
	trial_free(trial);
}
END_TEST

START_TEST(a_rush_lasts_five_seconds_after_its_last_sign)
{
	struct trial *trial = trial_new(10, 0, 30, 0);

	empty(trial, 0, 7, 2000);
	ck_assert(steer_plan(trial->cluster, 2000));
	trial->rows[0][7].scur = 10;
	answer(trial, 3000);
	hear_all(trial, 3000);
	answer(trial, 3000);
	ck_assert(steer_plan(trial->cluster, 3000));
	ck_assert_int_eq(trial->found[0]->every_ms, 250);
	ck_assert(steer_plan(trial->cluster, 7000));
	ck_assert_int_eq(trial->found[0]->every_ms, 250);
	ck_assert(steer_plan(trial->cluster, 7001));
	ck_assert_int_eq(trial->found[0]->every_ms, 1000);
	trial_free(trial);
}
END_TEST

/* A connection or two are chance, however large a part of ten. */
START_TEST(few_connections_are_no_rush)
{
	struct trial *trial = trial_new(10, 0, 30, 0);

	for (size_t i = 0; i < 30; i++)
		row_hear(trial->found[0]->servers[i], i == 7 ? 8 : 10, 2000);
	answer(trial, 2000);
	ck_assert(steer_plan(trial->cluster, 2000));
	ck_assert_int_eq(trial->found[0]->every_ms, 1000);
	trial_free(trial);
}
END_TEST

START_TEST(what_haproxy_has_to_tell_is_bounded)
{
	struct trial *trial = trial_new(1, 0, 1001, 0);

	empty(trial, 0, 7, 2000);
	ck_assert(steer_plan(trial->cluster, 2000));
	ck_assert_int_eq(trial->found[0]->every_ms, 1000);
	/* As bounded are those that no pod sits in. */
	trial->backends[0].n_servers = 1000;
	answer(trial, 3000);
	ck_assert(steer_plan(trial->cluster, 3000));
	ck_assert_int_eq(trial->found[0]->every_ms, 250);
	trial_free(trial);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{an_interval_that_is_set_rules_all, ONCE},
		{auto_is_fast_where_that_is_cheap, ONCE},
		{a_pod_of_several_backends_is_asked_once, ONCE},
		{a_rush_is_fast_for_its_own_backend, ONCE},
		{a_rush_lasts_five_seconds_after_its_last_sign, ONCE},
		{few_connections_are_no_rush, ONCE},
		{what_haproxy_has_to_tell_is_bounded, ONCE},
	};

	return run_suite("tempo", tests, N_OF(tests));
}
