/* SPDX-License-Identifier: MIT */
/* Recorded rounds planned again: as they were with their own settings, and counted with others. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record/record.h"
#include "core/record/record_parse.h"
#include "core/record/record_write.h"
#include "core/record/rerun.h"
#include "core/steer/steer.h"
#include "rows.h"
#include "run.h"

enum { N = 6, ROUNDS = 40 };

/* Servers of one backend, an answer of HAProxy's and a plan a second. */
struct bench {
	struct cluster *cluster;
	char names[N][8];
	char addresses[N][16];
	struct hastate_server rows[N];
	struct hastate_backend backend;
	int64_t now_ms;
};

static void setup(struct bench *bench, const struct cluster_settings *settings, const char *algo)
{
	*bench = (struct bench){.cluster = cluster_new(settings), .now_ms = 1000};
	for (size_t i = 0; i < N; i++) {
		snprintf(bench->names[i], sizeof(bench->names[i]), "s%zu", i);
		snprintf(bench->addresses[i], sizeof(bench->addresses[i]), "10.0.0.%zu", i);
		bench->rows[i] = row_up(bench->names[i], bench->addresses[i], 0);
	}
	bench->backend = row_backend("be", algo, bench->rows, N);
}

static struct server *server_of(const struct bench *bench, size_t i)
{
	return row_find(bench->cluster, "be", bench->names[i]);
}

/* A round, as a line. */
static char *play(struct bench *bench, int64_t pid, size_t *len)
{
	struct hastate_snapshot answer = row_answer(pid, &bench->backend, 1);
	struct record record;
	char *line;

	bench->now_ms += 1000;
	ck_assert(cluster_update(bench->cluster, &answer, bench->now_ms, NULL, NULL));
	ck_assert(steer_plan(bench->cluster, bench->now_ms));
	ck_assert(
		record_from(bench->cluster, bench->now_ms, 1700000000000 + bench->now_ms, &record));
	line = record_write(&record, len);
	ck_assert_ptr_nonnull(line);
	record_fini(&record);
	return line;
}

static void feed(struct rerun *rerun, const char *line, size_t len)
{
	struct record record;
	struct why why;

	ck_assert_msg(record_parse(line, len, &record, &why), "%s: %.900s", why.text, line);
	ck_assert(rerun_add(rerun, &record));
	record_fini(&record);
}

/* The counts of the pods, heard half a second after the last answer, which then are HAProxy's too.
 */
static void hear(struct bench *bench, const uint32_t counts[N])
{
	for (size_t i = 0; i < N; i++) {
		row_hear(server_of(bench, i), counts[i], bench->now_ms + 500);
		bench->rows[i].stot +=
			counts[i] > bench->rows[i].scur ? counts[i] - bench->rows[i].scur : 0;
		bench->rows[i].scur = counts[i];
	}
}

static const struct rerun_backend *only_backend(const struct rerun *rerun)
{
	size_t n;
	const struct rerun_backend *backends = rerun_backends(rerun, &n);

	ck_assert_uint_eq(n, 1);
	return backends;
}

/* Anything that may come between two rounds. */
static void stir(struct bench *bench, unsigned *state)
{
	for (size_t i = 0; i < N; i++) {
		struct hastate_server *row = &bench->rows[i];
		struct server *server = server_of(bench, i);
		struct metric metric = {
			.count = (uint32_t)rand_r(state) % 300,
			.draining = rand_r(state) % 12 == 0,
			.capacity = rand_r(state) % 3 == 0 ? 1.0 + rand_r(state) % 7 / 3.0 : 0.0,
		};
		uint32_t started = (uint32_t)rand_r(state) % 20;

		row->stot += started;
		row->scur = (row->scur + started) * (uint32_t)(rand_r(state) % 4) / 3;
		row->iweight = 1 + rand_r(state) % 256;
		row->status = rand_r(state) % 15 == 0 ? "DOWN" : "UP";
		if (rand_r(state) % 20 == 0)
			snprintf(bench->addresses[i], sizeof(bench->addresses[i]), "10.0.1.%u",
				(unsigned)rand_r(state) % 200);
		if (server && server->pod && rand_r(state) % 3 > 0)
			pod_observe(server->pod, METRIC_OK, &metric, NULL,
				bench->now_ms + rand_r(state) % 1000);
	}
}

static const char *const algos[] = {"leastconn", "random", "roundrobin"};

START_TEST(the_settings_of_the_record_give_the_weights_of_the_record)
{
	unsigned state = run_seed() + (unsigned)_i;

	for (int run = 0; run < 20; run++) {
		struct cluster_settings settings = {
			.replicas = 1 + (unsigned)rand_r(&state) % 4,
			.poll_interval_ms = 1000,
			.cache_ttl_ms = 1000 + rand_r(&state) % 5000,
			.ramp_ms = rand_r(&state) % 2 * 5000,
			.max_share = rand_r(&state) % 2 ? 1.0 : 0.3,
			.percent_steps = rand_r(&state) % 2,
			.agent_check_only = rand_r(&state) % 5 == 0,
		};
		const struct rerun_backend *backend;
		struct rerun *rerun = rerun_new(&settings);
		uint64_t fallbacks = 0;
		struct bench bench;

		setup(&bench, &settings, algos[_i]);
		for (int round = 0; round < ROUNDS; round++) {
			size_t len;
			char *line = play(&bench, 1 + round / 17, &len);

			feed(rerun, line, len);
			fallbacks += strstr(line, "\"fallback\":true") != NULL;
			stir(&bench, &state);
			free(line);
		}
		backend = only_backend(rerun);
		ck_assert_uint_eq(backend->rounds, ROUNDS);
		ck_assert_uint_eq(backend->planned, ROUNDS);
		ck_assert(backend->difference == 0.0);
		ck_assert_int_eq(backend->largest_difference, 0);
		ck_assert_uint_gt(backend->changes_recorded, 0);
		ck_assert_uint_eq(backend->changes, backend->changes_recorded);
		ck_assert_uint_eq(backend->fallbacks_recorded, fallbacks);
		ck_assert_uint_eq(backend->fallbacks, fallbacks);
		ck_assert(backend->seconds == ROUNDS - 1);
		rerun_free(rerun);
		cluster_free(bench.cluster);
	}
}
END_TEST

/* Five rounds of pods that hold 100 each but for the last, which holds 40; all heard. */
static struct rerun *rerun_of_five(
	const struct cluster_settings *recorded, const struct cluster_settings *other)
{
	struct rerun *rerun = rerun_new(other);
	struct bench bench;

	setup(&bench, recorded, "leastconn");
	for (int round = 0; round < 5; round++) {
		size_t len;
		char *line = play(&bench, 7, &len);

		hear(&bench, (uint32_t[N]){100, 100, 100, 100, 100, 40});
		/* The first round knows nothing yet. */
		if (round > 0)
			feed(rerun, line, len);
		free(line);
	}
	cluster_free(bench.cluster);
	return rerun;
}

/* Whatever the settings make of it, what stood at the end is what stood there. */
START_TEST(what_a_record_ends_with_is_told_as_it_was)
{
	struct cluster_settings recorded = row_settings();
	struct cluster_settings others[2] = {row_settings(), row_settings()};

	others[0].agent_check_only = true;
	others[1].replicas = 9;
	for (size_t i = 0; i < 2; i++) {
		struct rerun *rerun = rerun_of_five(&recorded, &others[i]);
		const struct rerun_backend *backend = only_backend(rerun);

		ck_assert_double_eq_tol(backend->connections, 540.0, 1e-9);
		ck_assert_double_eq_tol(backend->imbalance, 100.0 / 90.0 - 1.0, 1e-9);
		ck_assert_double_eq_tol(backend->surplus, 10.0, 1e-9);
		rerun_free(rerun);
	}
}
END_TEST

/* Before all pods were heard, a few known beside many unknown are no imbalance. */
START_TEST(the_first_rounds_are_in_no_imbalance)
{
	struct cluster_settings settings = row_settings();
	struct rerun *rerun = rerun_new(&settings);
	struct bench bench;

	setup(&bench, &settings, "leastconn");
	for (int round = 0; round < 12; round++) {
		size_t len;
		char *line = play(&bench, 7, &len);

		/* One more pod is heard in each round: at first one of six. */
		for (size_t i = 0; i < N && i <= (size_t)round; i++)
			row_hear(server_of(&bench, i), 100, bench.now_ms + 500);
		feed(rerun, line, len);
		free(line);
	}
	ck_assert_uint_eq(only_backend(rerun)->rounds, 12);
	ck_assert_uint_ge(only_backend(rerun)->imbalance_rounds, 5);
	ck_assert_uint_le(only_backend(rerun)->imbalance_rounds, 7);
	ck_assert_double_le(only_backend(rerun)->imbalance_peak, 0.01);
	rerun_free(rerun);
	cluster_free(bench.cluster);
}
END_TEST

START_TEST(other_settings_are_told_apart_by_their_weights)
{
	struct cluster_settings recorded = row_settings();
	struct cluster_settings other = row_settings();
	const struct rerun_backend *backend;
	struct rerun *rerun;

	/* Without HAProxy's own counts: by flow, so that all new connections go to the last. */
	other.agent_check_only = true;
	rerun = rerun_of_five(&recorded, &other);
	backend = only_backend(rerun);
	ck_assert_uint_eq(backend->planned, 4);
	ck_assert_int_eq(backend->mode, BACKEND_FLOW);
	ck_assert_int_gt(backend->largest_difference, 50);
	ck_assert(backend->difference > 4 * 20.0);
	ck_assert(backend->imbalance_peak > 0.1 && backend->imbalance_peak < 0.12);
	rerun_free(rerun);
}
END_TEST

START_TEST(a_shorter_cache_ttl_shows_its_rounds_of_fallback)
{
	struct cluster_settings recorded = row_settings();
	struct cluster_settings other = row_settings();
	const struct rerun_backend *backend;
	struct rerun *rerun;

	other.cache_ttl_ms = 400; /* counts are half a second old when they are planned with */
	rerun = rerun_of_five(&recorded, &other);
	backend = only_backend(rerun);
	ck_assert_uint_eq(backend->fallbacks_recorded, 0);
	ck_assert_uint_eq(backend->fallbacks, 4);
	rerun_free(rerun);
}
END_TEST

START_TEST(replicas_left_open_are_those_of_the_record)
{
	struct cluster_settings recorded = row_settings();
	struct cluster_settings other = row_settings();
	struct rerun *rerun;

	recorded.replicas = 3;
	other.replicas = 0;
	rerun = rerun_of_five(&recorded, &other);
	ck_assert_int_eq(only_backend(rerun)->largest_difference, 0);
	rerun_free(rerun);
}
END_TEST

START_TEST(a_backend_that_is_not_named_is_not_planned)
{
	struct cluster_settings recorded = row_settings();
	struct cluster_settings other = row_settings();
	char name[] = "other";
	char *names[] = {name};
	const struct rerun_backend *backend;
	struct rerun *rerun;

	other.selection.backends = names;
	other.selection.n_backends = 1;
	rerun = rerun_of_five(&recorded, &other);
	backend = only_backend(rerun);
	ck_assert_int_eq(backend->mode, BACKEND_NOT_STEERED);
	ck_assert_uint_eq(backend->rounds, 4);
	ck_assert_uint_eq(backend->planned, 0);
	ck_assert_uint_eq(backend->changes, 0);
	rerun_free(rerun);
}
END_TEST

/* Freed twice it would end every replay. */
START_TEST(what_the_settings_own_is_copied)
{
	struct cluster_settings settings = row_settings();
	struct rerun *rerun;

	settings.peers = calloc(1, sizeof(*settings.peers));
	settings.peers[0] = strdup("http://10.0.0.1:9180/balancer-metrics");
	settings.n_peers = 1;
	rerun = rerun_new(&settings);
	ck_assert_ptr_nonnull(rerun);
	rerun_free(rerun);
	ck_assert_str_eq(settings.peers[0], "http://10.0.0.1:9180/balancer-metrics");
	free(settings.peers[0]);
	free(settings.peers);
}
END_TEST

START_TEST(the_last_round_tells_how_long_until_balance)
{
	struct cluster_settings settings = row_settings();
	struct rerun *rerun = rerun_of_five(&settings, &settings);
	const struct rerun_backend *backend = only_backend(rerun);

	/* 540 on six pods: five stand 10 over the level of 90, the last 50 below. */
	ck_assert_uint_eq(backend->n_pods, 6);
	ck_assert_double_eq_tol(backend->connections, 540.0, 1e-9);
	ck_assert_double_eq_tol(backend->outlook.deficit, 50.0, 1e-9);
	ck_assert_double_eq_tol(backend->surplus, 10.0, 1e-9);
	ck_assert_str_eq(backend->fullest, "s0");
	/* 40 + x = 0.95 * (90 + x / 6). */
	ck_assert_double_eq_tol(backend->outlook.seconds * backend->arrivals_per_s, 54.06, 0.3);
	rerun_free(rerun);
}
END_TEST

START_TEST(rounds_far_apart_do_not_follow_on_one_another)
{
	struct cluster_settings settings = row_settings();
	struct rerun *rerun = rerun_new(&settings);
	struct bench bench;

	setup(&bench, &settings, "leastconn");
	for (int round = 0; round < 4; round++) {
		size_t len;
		char *line = play(&bench, 7, &len);

		feed(rerun, line, len);
		free(line);
		if (round == 1)
			bench.now_ms += 100000;
	}
	ck_assert(only_backend(rerun)->seconds == 2.0);
	rerun_free(rerun);
	rerun_free(NULL);
	cluster_free(bench.cluster);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{the_settings_of_the_record_give_the_weights_of_the_record, N_OF(algos)},
		{what_a_record_ends_with_is_told_as_it_was, ONCE},
		{the_first_rounds_are_in_no_imbalance, ONCE},
		{other_settings_are_told_apart_by_their_weights, ONCE},
		{a_shorter_cache_ttl_shows_its_rounds_of_fallback, ONCE},
		{replicas_left_open_are_those_of_the_record, ONCE},
		{a_backend_that_is_not_named_is_not_planned, ONCE},
		{the_last_round_tells_how_long_until_balance, ONCE},
		{what_the_settings_own_is_copied, ONCE},
		{rounds_far_apart_do_not_follow_on_one_another, ONCE},
	};

	run_dice("rerun");
	return run_suite("rerun", tests, N_OF(tests));
}
