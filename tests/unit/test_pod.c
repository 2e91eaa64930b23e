/* SPDX-License-Identifier: MIT */
/* Pods: one an address, shared by servers, and what their polls leave behind. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cluster/pod.h"
#include "core/kube/slice.h"
#include "run.h"

static const struct pod_source here = {.index = 0};

struct gone {
	int n;
	char key[64];
};

/* The pod must still be whole when it is told. */
static void note_gone(struct pod *pod, void *arg)
{
	struct gone *gone = arg;

	gone->n++;
	snprintf(gone->key, sizeof(gone->key), "%s", pod->key);
}

static size_t count_pods(const struct pod_table *table)
{
	size_t n;

	pod_table_list(table, &n);
	return n;
}

START_TEST(a_new_pod_has_said_nothing)
{
	struct pod_table *table = pod_table_new();
	struct pod *pod = pod_hold(table, "10.0.0.1", 8080, &here, 77);

	ck_assert_str_eq(pod->address, "10.0.0.1");
	ck_assert_uint_eq(pod->port, 8080);
	ck_assert_str_eq(pod->key, "10.0.0.1:8080");
	ck_assert_uint_eq(pod->n_servers, 1);
	ck_assert_int_eq(pod->since_ms, 77);
	ck_assert(!pod->heard);
	ck_assert(!pod->wanted);
	ck_assert_int_eq(pod->polled_ms, 0);
	ck_assert_int_eq(pod->outcome, METRIC_OK);
	ck_assert_str_eq(pod->error, "");
	pod_table_free(table);
}
END_TEST

START_TEST(a_key_is_unique_and_brackets_an_ipv6_address)
{
	static const struct {
		const char *address;
		uint16_t port;
		const char *key;
	} pods[] = {
		{"10.0.0.1", 1, "10.0.0.1:1"},
		{"10.0.0.1", 65535, "10.0.0.1:65535"},
		{"10.0.0.11", 1, "10.0.0.11:1"},
		{"::1", 80, "[::1]:80"},
		{"fe80::1%eth0", 80, "[fe80::1%eth0]:80"},
		/* These two differ in nothing but the brackets. */
		{"::1:8", 0, "[::1:8]:0"},
		{"::1", 8, "[::1]:8"},
	};
	struct pod_table *table = pod_table_new();

	for (size_t i = 0; i < sizeof(pods) / sizeof(*pods); i++) {
		struct pod *pod = pod_hold(table, pods[i].address, pods[i].port, &here, 1);

		ck_assert_str_eq(pod->key, pods[i].key);
		ck_assert_str_eq(pod->address, pods[i].address);
		ck_assert_uint_eq(count_pods(table), i + 1);
	}
	pod_table_free(table);
}
END_TEST

START_TEST(servers_with_one_address_share_a_pod_until_the_last_lets_go)
{
	struct pod_table *table = pod_table_new();
	struct gone gone = {0};
	struct pod *pod = pod_hold(table, "10.0.0.1", 80, &here, 5);

	ck_assert_ptr_eq(pod_hold(table, "10.0.0.1", 80, &here, 9), pod);
	ck_assert_ptr_ne(pod_hold(table, "10.0.0.1", 81, &here, 9), pod);
	ck_assert_uint_eq(pod->n_servers, 2);
	ck_assert_int_eq(pod->since_ms, 5);
	pod_release(table, pod, note_gone, &gone);
	ck_assert_int_eq(gone.n, 0);
	ck_assert_uint_eq(pod->n_servers, 1);
	pod_release(table, pod, note_gone, &gone);
	ck_assert_int_eq(gone.n, 1);
	ck_assert_str_eq(gone.key, "10.0.0.1:80");
	ck_assert_uint_eq(count_pods(table), 1);
	pod_table_free(table);
}
END_TEST

START_TEST(a_pod_that_comes_back_has_no_past)
{
	struct pod_table *table = pod_table_new();
	struct metric metric = {.count = 9};
	struct pod *pod = pod_hold(table, "10.0.0.1", 80, &here, 5);

	pod_observe(pod, METRIC_OK, &metric, NULL, 6);
	pod_release(table, pod, NULL, NULL);
	ck_assert_uint_eq(count_pods(table), 0);
	pod = pod_hold(table, "10.0.0.1", 80, &here, 7);
	ck_assert(!pod->heard);
	ck_assert_int_eq(pod->since_ms, 7);
	pod_release(table, pod, NULL, NULL);
	pod_release(table, NULL, NULL, NULL);
	pod_table_free(table);
	pod_table_free(NULL);
}
END_TEST

START_TEST(a_failure_is_kept_in_words_and_leaves_the_last_good_answer)
{
	struct pod_table *table = pod_table_new();
	struct pod *pod = pod_hold(table, "10.0.0.1", 80, &here, 1);
	struct metric metric = {.count = 42, .draining = true, .capacity = 2, .pod_name = "p"};
	char words[400];

	pod_observe(pod, METRIC_CONNECT_FAILED, NULL, "refused", 10);
	ck_assert(!pod->heard);
	ck_assert_int_eq(pod->polled_ms, 10);
	ck_assert_int_eq(pod->outcome, METRIC_CONNECT_FAILED);
	ck_assert_str_eq(pod->error, "refused");

	pod_observe(pod, METRIC_OK, &metric, "not looked at", 20);
	ck_assert(pod->heard);
	ck_assert_int_eq(pod->heard_ms, 20);
	ck_assert_int_eq(pod->polled_ms, 20);
	ck_assert_uint_eq(pod->metric.count, 42);
	ck_assert_str_eq(pod->error, "");

	pod_observe(pod, METRIC_NOT_JSON, NULL, NULL, 30);
	ck_assert_str_eq(pod->error, metric_outcome_name(METRIC_NOT_JSON));
	pod_observe(pod, METRIC_TIMED_OUT, NULL, "", 40);
	ck_assert_str_eq(pod->error, metric_outcome_name(METRIC_TIMED_OUT));
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	pod_observe(pod, METRIC_BROKEN, NULL, words, 50);
	ck_assert_uint_eq(strlen(pod->error), sizeof(pod->error) - 1);
	ck_assert_int_eq(pod->polled_ms, 50);
	ck_assert_int_eq(pod->heard_ms, 20);
	ck_assert_uint_eq(pod->metric.count, 42);
	ck_assert(pod->metric.draining);
	pod_table_free(table);
}
END_TEST

START_TEST(growth_adds_up_and_neither_a_first_count_nor_a_fall_is_growth)
{
	static const uint32_t counts[] = {10, 13, 13, 2, 4};
	struct pod_table *table = pod_table_new();
	struct pod *pod = pod_hold(table, "10.0.0.1", 80, &here, 1);

	for (int i = 0; i < 5; i++) {
		struct metric metric = {.count = counts[i]};

		pod_observe(pod, METRIC_OK, &metric, NULL, 10 + i);
		pod_observe(pod, METRIC_TIMED_OUT, NULL, NULL, 10 + i);
	}
	ck_assert_uint_eq(pod->gained, 5);
	pod_table_free(table);
}
END_TEST

START_TEST(names_are_kubernetes_word_or_else_the_pods_own)
{
	struct pod_table *table = pod_table_new();
	struct pod *pod = pod_hold(table, "10.0.0.1", 80, &here, 1);
	struct metric metric = {.pod_name = "says-itself", .node_name = "its-node"};
	struct endpoint endpoint = {.uid = "u1"};

	ck_assert_str_eq(pod_name(pod), "");
	ck_assert_str_eq(pod_node(pod), "");
	pod_observe(pod, METRIC_OK, &metric, NULL, 2);
	ck_assert_str_eq(pod_name(pod), "says-itself");
	ck_assert_str_eq(pod_node(pod), "its-node");
	/* Kubernetes may leave either out. */
	ck_assert(pod_identify(pod, &endpoint, 3));
	ck_assert_str_eq(pod_name(pod), "says-itself");
	ck_assert_str_eq(pod_node(pod), "its-node");
	strcpy(endpoint.pod, "ws-0");
	strcpy(endpoint.node, "n1");
	ck_assert(pod_identify(pod, &endpoint, 4));
	ck_assert_str_eq(pod_name(pod), "ws-0");
	ck_assert_str_eq(pod_node(pod), "n1");
	ck_assert(pod->heard);
	ck_assert_int_eq(pod->since_ms, 1);
	pod_table_free(table);
}
END_TEST

START_TEST(a_pod_renames_itself_a_few_times_and_no_more)
{
	struct pod_table *table = pod_table_new();
	struct pod *pod = pod_hold(table, "10.0.0.1", 8080, &here, 0);
	struct metric metric = {.count = 1};

	for (int i = 0; i < 100; i++) {
		snprintf(metric.pod_name, sizeof(metric.pod_name), "web-%d", i);
		metric.count = (uint32_t)i;
		pod_observe(pod, METRIC_OK, &metric, "", 1000 + i);
		ck_assert_uint_eq(pod->metric.count, (uint32_t)i);
		if (i < 4)
			ck_assert_str_eq(pod_name(pod), metric.pod_name);
		else
			ck_assert_str_eq(pod_name(pod), "web-3");
	}
	/* Ten minutes later it may again. */
	pod_observe(pod, METRIC_OK, &metric, "", 1000 + 600000);
	ck_assert_str_eq(pod_name(pod), "web-99");
	pod_table_free(table);
}
END_TEST

START_TEST(a_pod_does_not_take_the_name_of_another)
{
	struct pod_table *table = pod_table_new();
	struct pod *first = pod_hold(table, "10.0.0.1", 80, &here, 1);
	struct pod *second = pod_hold(table, "10.0.0.2", 80, &here, 1);
	struct metric metric = {.count = 3, .pod_name = "web-0", .node_name = "n"};

	pod_observe(first, METRIC_OK, &metric, NULL, 1000);
	pod_observe(second, METRIC_OK, &metric, NULL, 1000);
	ck_assert_str_eq(pod_name(first), "web-0");
	ck_assert(!pod_lacks_name(first));
	ck_assert_str_eq(pod_name(second), "");
	ck_assert_str_eq(pod_node(second), "n");
	ck_assert_uint_eq(second->metric.count, 3);
	ck_assert(pod_lacks_name(second));
	/* Its own it may have, and then let the other have one that it had. */
	strcpy(metric.pod_name, "web-1");
	pod_observe(first, METRIC_OK, &metric, NULL, 2000);
	strcpy(metric.pod_name, "web-0");
	pod_observe(second, METRIC_OK, &metric, NULL, 2000);
	ck_assert_str_eq(pod_name(first), "web-1");
	ck_assert_str_eq(pod_name(second), "web-0");
	ck_assert(!pod_lacks_name(second));
	/* With a pod its name goes. */
	pod_release(table, second, NULL, NULL);
	pod_observe(first, METRIC_OK, &metric, NULL, 3000);
	ck_assert_str_eq(pod_name(first), "web-0");
	pod_table_free(table);
}
END_TEST

START_TEST(a_silent_pod_keeps_its_name_for_a_minute)
{
	struct pod_table *table = pod_table_new();
	struct pod *first = pod_hold(table, "10.0.0.1", 80, &here, 1);
	struct pod *second = pod_hold(table, "10.0.0.2", 80, &here, 1);
	struct metric metric = {.pod_name = "web-0"};

	pod_observe(first, METRIC_OK, &metric, NULL, 1000);
	pod_observe(second, METRIC_OK, &metric, NULL, 61000);
	ck_assert_str_eq(pod_name(second), "");
	pod_observe(second, METRIC_OK, &metric, NULL, 61001);
	ck_assert_str_eq(pod_name(second), "web-0");
	ck_assert_str_eq(pod_name(first), "");
	/* It comes back, and the name is another's now. */
	pod_observe(first, METRIC_OK, &metric, NULL, 61002);
	ck_assert_str_eq(pod_name(first), "");
	pod_table_free(table);
}
END_TEST

START_TEST(a_name_that_kubernetes_gives_is_its_pods)
{
	struct pod_table *table = pod_table_new();
	struct pod *liar = pod_hold(table, "10.0.0.1", 80, &here, 1);
	struct pod *pod = pod_hold(table, "10.0.0.2", 80, &here, 1);
	struct pod *port = pod_hold(table, "10.0.0.2", 81, &here, 1);
	struct metric metric = {.pod_name = "ws-0"};
	struct endpoint endpoint = {.uid = "u1", .pod = "ws-0"};

	pod_observe(liar, METRIC_OK, &metric, NULL, 1000);
	ck_assert_str_eq(pod_name(liar), "ws-0");
	ck_assert(pod_identify(pod, &endpoint, 1001));
	ck_assert_str_eq(pod_name(pod), "ws-0");
	ck_assert_str_eq(pod_name(liar), "");
	pod_observe(liar, METRIC_OK, &metric, NULL, 1000000);
	ck_assert_str_eq(pod_name(liar), "");
	ck_assert(pod_lacks_name(liar));
	/* A pod of two ports has the name at both. */
	ck_assert(pod_identify(port, &endpoint, 1001));
	ck_assert_str_eq(pod_name(port), "ws-0");
	ck_assert(!pod_lacks_name(port));
	/* What a pod that Kubernetes knows says of itself takes nobody's name. */
	strcpy(metric.pod_name, "ws-1");
	pod_observe(pod, METRIC_OK, &metric, NULL, 1000001);
	pod_observe(liar, METRIC_OK, &metric, NULL, 1000001);
	ck_assert_str_eq(pod_name(pod), "ws-0");
	ck_assert_str_eq(pod_name(liar), "ws-1");
	pod_table_free(table);
}
END_TEST

START_TEST(an_address_is_the_name_of_nobody_else)
{
	static const struct {
		const char *name;
		bool taken;
	} names[] = {
		{"10.0.0.1", true},
		{"10.0.0.1:80", true},
		{"10.0.0.2", false},
		{"10.0.0.1:81", false},
		{"10.0.0.2:80", false},
		{"fd00::1", false},
		{"[fd00::1]:80", false},
		{"10.0.0.1-a", true},
		{"web:80", true},
		{"1", true},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct pod_table *table = pod_table_new();
		struct pod *pod = pod_hold(table, "10.0.0.1", 80, &here, 1);
		struct metric metric = {.count = 1};

		strcpy(metric.pod_name, names[i].name);
		pod_observe(pod, METRIC_OK, &metric, NULL, 2);
		ck_assert_msg((pod_name(pod)[0] != '\0') == names[i].taken, "%s", names[i].name);
		ck_assert(pod_lacks_name(pod) == !names[i].taken);
		pod_table_free(table);
	}
}
END_TEST

START_TEST(one_process_that_is_asked_in_two_ways_has_one_name)
{
	struct pod_source other = {.identity = (char *)(uintptr_t) "other", .index = 1};
	struct pod_table *table = pod_table_new();
	struct pod *first = pod_hold(table, "10.0.0.1", 80, &here, 1);
	struct pod *second = pod_hold(table, "10.0.0.1", 80, &other, 1);
	struct metric metric = {.pod_name = "web-0"};

	pod_observe(first, METRIC_OK, &metric, NULL, 2);
	pod_observe(second, METRIC_OK, &metric, NULL, 2);
	ck_assert_str_eq(pod_name(first), "web-0");
	ck_assert_str_eq(pod_name(second), "web-0");
	pod_release(table, first, NULL, NULL);
	pod_observe(second, METRIC_OK, &metric, NULL, 3);
	ck_assert_str_eq(pod_name(second), "web-0");
	pod_table_free(table);
}
END_TEST

START_TEST(another_uid_at_the_same_address_is_a_pod_that_was_not_heard)
{
	struct pod_table *table = pod_table_new();
	struct pod *pod = pod_hold(table, "10.0.0.1", 80, &here, 1);
	struct metric metric = {.count = 40};
	struct endpoint endpoint = {.uid = "u1"};

	pod_observe(pod, METRIC_OK, &metric, NULL, 2);
	ck_assert(pod_identify(pod, &endpoint, 3));
	ck_assert(pod_identify(pod, &endpoint, 4));
	ck_assert(pod->heard);
	strcpy(endpoint.uid, "u2");
	ck_assert(pod_identify(pod, &endpoint, 5));
	ck_assert(!pod->heard);
	ck_assert_int_eq(pod->since_ms, 5);
	/* Its first count is no growth of the other's. */
	metric.count = 90;
	pod_observe(pod, METRIC_OK, &metric, NULL, 6);
	ck_assert_uint_eq(pod->gained, 0);
	pod_table_free(table);
}
END_TEST

START_TEST(the_table_grows_and_each_pod_is_visited_once)
{
	enum { N = 5000 };
	struct pod_table *table = pod_table_new();
	struct pod *pods[N];
	struct gone gone = {0};

	for (int i = 0; i < N; i++) {
		char address[32];

		snprintf(address, sizeof(address), "10.%d.%d.1", i / 200, i % 200);
		pods[i] = pod_hold(table, address, 80, &here, 1);
		ck_assert_ptr_nonnull(pods[i]);
	}
	ck_assert_uint_eq(count_pods(table), N);
	for (int i = 0; i < N; i += 2)
		pod_release(table, pods[i], note_gone, &gone);
	ck_assert_int_eq(gone.n, N / 2);
	ck_assert_uint_eq(count_pods(table), N / 2);
	for (int i = 1; i < N; i += 2)
		ck_assert_ptr_eq(pod_hold(table, pods[i]->address, 80, &here, 2), pods[i]);
	/* Those that are left are freed without a word. */
	pod_table_free(table);
	ck_assert_int_eq(gone.n, N / 2);
}
END_TEST

/* 0 for want of a sample is the word of a pod before its first client, or of a broken collector. */
START_TEST(a_series_without_samples_is_believed_of_a_pod_that_never_had_one)
{
	static const struct {
		uint32_t shown; /* by the pod's answers before */
		uint32_t sampled;
		uint32_t unsampled;
		uint32_t held;
		enum metric_outcome outcome;
	} rows[] = {
		{0, 1, 0, 900, METRIC_OK},
		{0, 0, 1, 0, METRIC_OK},
		{0, 0, 1, 4, METRIC_OK},
		{0, 0, 1, 5, METRIC_NO_SAMPLE},
		{1, 0, 1, 0, METRIC_NO_SAMPLE},
		/* Opened less closed: nothing has closed yet. */
		{0, 1, 2, 900, METRIC_OK},
		{1, 1, 2, 900, METRIC_OK},
		{3, 1, 2, 900, METRIC_NO_SAMPLE},
		{3, 3, 0, 900, METRIC_OK},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pod pod = {.sampled = rows[i].shown, .held = rows[i].held};
		struct metric metric = {.sampled = rows[i].sampled, .unsampled = rows[i].unsampled};

		ck_assert_msg(pod_weigh(&pod, &metric) == rows[i].outcome, "row %zu", i);
		pod_observe(&pod, METRIC_OK, &metric, NULL, 1);
		ck_assert_uint_eq(pod.sampled, rows[i].shown | rows[i].sampled);
	}
}
END_TEST

START_TEST(two_servers_are_one_pod_when_they_are_asked_the_same)
{
	char stats[] = "http /stats json n";
	const struct pod_source other = {.identity = stats, .index = 1};
	const struct pod_source ported = {.port = 9000, .index = 2};
	struct pod_table *table = pod_table_new();
	struct pod *plain = pod_hold(table, "10.0.0.1", 80, &here, 1);
	struct pod *port = pod_hold(table, "10.0.0.1", 80, &ported, 1);

	ck_assert_ptr_eq(pod_hold(table, "10.0.0.1", 80, &here, 1), plain);
	ck_assert_ptr_ne(pod_hold(table, "10.0.0.1", 80, &other, 1), plain);
	ck_assert_ptr_ne(port, plain);
	/* The port that is asked counts, not that of the server. */
	ck_assert_ptr_eq(pod_hold(table, "10.0.0.1", 81, &ported, 1), port);
	ck_assert_ptr_eq(pod_hold(table, "10.0.0.1", 9000, &here, 1), port);
	ck_assert_str_eq(port->key, "10.0.0.1:80");
	pod_table_free(table);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_new_pod_has_said_nothing, ONCE},
		{a_key_is_unique_and_brackets_an_ipv6_address, ONCE},
		{servers_with_one_address_share_a_pod_until_the_last_lets_go, ONCE},
		{a_pod_that_comes_back_has_no_past, ONCE},
		{a_failure_is_kept_in_words_and_leaves_the_last_good_answer, ONCE},
		{growth_adds_up_and_neither_a_first_count_nor_a_fall_is_growth, ONCE},
		{names_are_kubernetes_word_or_else_the_pods_own, ONCE},
		{a_pod_renames_itself_a_few_times_and_no_more, ONCE},
		{a_pod_does_not_take_the_name_of_another, ONCE},
		{a_silent_pod_keeps_its_name_for_a_minute, ONCE},
		{a_name_that_kubernetes_gives_is_its_pods, ONCE},
		{an_address_is_the_name_of_nobody_else, ONCE},
		{one_process_that_is_asked_in_two_ways_has_one_name, ONCE},
		{another_uid_at_the_same_address_is_a_pod_that_was_not_heard, ONCE},
		{the_table_grows_and_each_pod_is_visited_once, ONCE},
		{a_series_without_samples_is_believed_of_a_pod_that_never_had_one, ONCE},
		{two_servers_are_one_pod_when_they_are_asked_the_same, ONCE},
	};

	return run_suite("pod", tests, N_OF(tests));
}
