/* SPDX-License-Identifier: MIT */
/* What one Service's list and watch promise, and what the reports say of them. */
#include <check.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kube/kubefeed.h"
#include "core/report/report_kube.h"
#include "run.h"

static const char list_text[] =
	"{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{\"name\":\"a\"},"
	"\"addressType\":\"IPv4\",\"ports\":[{\"port\":80}],\"endpoints\":[{\"addresses\":"
	"[\"10.0.0.1\"]}]}]}\n";
static const char event_line[] =
	"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"6\"},"
	"\"addressType\":\"IPv4\",\"ports\":[{\"port\":80}],\"endpoints\":[{\"addresses\":"
	"[\"10.0.0.2\"]}]}}\n";
static const struct kubefeed_end whole = {.whole = true, .code = 200};

static struct kubefeed listed(void)
{
	struct kubefeed feed;

	ck_assert(kubefeed_init(&feed, "web", NULL, LISTWATCH_SILENCE_MS));
	kubefeed_begin(&feed, 1000000);
	ck_assert(kubefeed_feed(&feed, 200, list_text, strlen(list_text), 1000000));
	ck_assert(kubefeed_ended(&feed, &whole, 1000000, 0).listed);
	ck_assert(feed.changed);
	feed.changed = false;
	kubefeed_begin(&feed, 1000000);
	return feed;
}

static size_t count(const struct kubefeed *feed)
{
	struct endpoint *endpoints;
	size_t n;

	ck_assert(slicestore_union(feed->slices, &endpoints, &n));
	free(endpoints);
	return n;
}

START_TEST(a_list_counts_only_when_it_has_come_whole)
{
	struct kubefeed feed = listed();
	static const char empty[] = "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[]}";
	struct kubefeed_end broken = {.code = 200, .detail = "broken off"};
	struct kubefeed_next next;

	feed.watch.list = true;
	kubefeed_begin(&feed, 1000000);
	ck_assert(kubefeed_feed(&feed, 200, empty, strlen(empty), 1000000));
	ck_assert_uint_eq(count(&feed), 1);
	next = kubefeed_ended(&feed, &broken, 1000000, 0);
	ck_assert(!next.listed);
	ck_assert_int_eq(next.outcome.end, LISTWATCH_END_TRANSPORT);
	ck_assert_str_eq(feed.failure.text, "broken off");

	kubefeed_begin(&feed, 1000000);
	ck_assert(kubefeed_feed(&feed, 200, empty, strlen(empty), 1000000));
	ck_assert(!kubefeed_feed(&feed, 200, "{}", 2, 1000000));
	next = kubefeed_ended(&feed, &broken, 1000000, 0);
	ck_assert_int_eq(next.outcome.end, LISTWATCH_END_MALFORMED);
	ck_assert_uint_eq(count(&feed), 1);
	ck_assert(!feed.changed);

	kubefeed_begin(&feed, 1000000);
	ck_assert(kubefeed_feed(&feed, 200, empty, strlen(empty), 1000000));
	ck_assert(kubefeed_ended(&feed, &whole, 1000000, 0).listed);
	ck_assert_uint_eq(count(&feed), 0);
	ck_assert_str_eq(feed.failure.text, "");
	kubefeed_fini(&feed);
}
END_TEST

START_TEST(an_event_counts_at_once_and_a_half_one_never)
{
	struct kubefeed feed = listed();

	ck_assert(kubefeed_feed(&feed, 200, event_line, strlen(event_line), 1000100));
	ck_assert(feed.changed);
	ck_assert_uint_eq(count(&feed), 2);
	ck_assert_str_eq(feed.watch.version, "6");
	ck_assert(kubefeed_feed(&feed, 200, event_line, 50, 1000100));
	ck_assert_int_eq(
		kubefeed_ended(&feed, &whole, 1000200, 0).outcome.end, LISTWATCH_END_TRANSPORT);
	ck_assert_uint_eq(count(&feed), 2);
	kubefeed_fini(&feed);
}
END_TEST

START_TEST(a_refusal_is_told_in_the_servers_words)
{
	struct kubefeed feed = listed();
	static const char status[] = "{\"kind\":\"Status\",\"message\":\"you may not\"}";
	struct kubefeed_end end = {.whole = true, .code = 403};
	char noise[KUBEFEED_REFUSAL_SIZE * 2];

	ck_assert(kubefeed_feed(&feed, 403, status, 10, 1000100));
	ck_assert(kubefeed_feed(&feed, 403, status + 10, strlen(status) - 10, 1000100));
	ck_assert_int_eq(kubefeed_ended(&feed, &end, 1000200, 0).outcome.code, 403);
	ck_assert_str_eq(feed.failure.text, "HTTP 403: you may not");

	kubefeed_begin(&feed, 1000300);
	memset(noise, 'x', sizeof(noise));
	ck_assert(kubefeed_feed(&feed, 429, noise, sizeof(noise), 1000300));
	end = (struct kubefeed_end){.whole = true, .code = 429, .retry_after_ms = 7000};
	ck_assert_int_eq(kubefeed_ended(&feed, &end, 1000400, 0).delay_ms, 7000);
	ck_assert_str_eq(feed.failure.text, "HTTP 429");
	kubefeed_fini(&feed);
}
END_TEST

static struct service_status report_of(const struct kubefeed *feed)
{
	return (struct service_status){
		.namespace = "ns\"\n<b>",
		.service = "web",
		.backend = "ws",
		.error = feed->failure.text,
		.ports = "",
		.watching = true,
		.watch = &feed->watch,
		.n_slices = 1,
		.n_ready = 3,
		.n_terminating = 2,
		.n_unready = 1,
		.n_taken_over = 8,
		.quarantined = 4,
		.free = 5,
		.added = 6,
		.unplaced = 7,
	};
}

START_TEST(the_reports_tell_the_counts_and_the_age)
{
	struct kubefeed feed = listed();
	struct service_status kube = report_of(&feed);
	struct report_view view = {.now_ms = 1002500,
		.wall_ms = 1700000002500,
		.kubernetes = &kube,
		.n_kubernetes = 1};
	struct buf json = {.bytes = NULL};
	struct jsonput put = {.to = &json};

	report_kube_json(&put, &view);
	ck_assert_str_eq(buf_text(&json),
		"\"kubernetes\":[{\"namespace\":\"ns\\\"\\n<b>\",\"service\":\"web\",\"proxy\":"
		"\"ws\","
		"\"listed\":true,\"watching\":true,\"error\":null,\"misnamed\":false,\"ports\":null,\"heard_at\":1700000000.0,\"slices\":1,"
		"\"endpoints_ready\":3,\"endpoints_terminating\":2,\"endpoints_unready\":1,"
		"\"servers_taken_over\":8,\"slots_free\":5,\"slots_quarantined\":4,\"servers_added\":6,\"pods_unplaced\":7}]");
	buf_fini(&json);

	struct buf text = {.bytes = NULL};
	struct promtext out = {.to = &text};
	report_kube_prom(&out, &view);
	static const char labels[] = "{namespace=\"ns\\\"\\n<b>\",service=\"web\",proxy=\"ws\"";
	static const struct {
		const char *name;
		const char *rest;
	} samples[] = {
		{"watching", "} 1\n"},
		{"last_heard_timestamp_seconds", "} 1700000000\n"},
		{"endpoints", ",state=\"ready\"} 3\n"},
		{"endpoints", ",state=\"terminating\"} 2\n"},
		{"slots", ",state=\"free\"} 5\n"},
		{"slots", ",state=\"added\"} 6\n"},
		{"unplaced_pods", "} 7\n"},
		{"lists_total", "} 1\n"},
		{"request_ends_total", ",reason=\"error_event\"} 0\n"},
	};
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		char line[256];

		snprintf(line, sizeof(line), "\nwsbalancer_kubernetes_%s%s%s", samples[i].name,
			labels, samples[i].rest);
		ck_assert_msg(strstr(text.bytes, line) != NULL, "no %s in %s", line, text.bytes);
	}
	buf_fini(&text);
	kubefeed_fini(&feed);
}
END_TEST

START_TEST(without_kubernetes_the_reports_are_silent)
{
	struct report_view view = {.now_ms = 1};
	struct buf text = {.bytes = NULL};
	struct jsonput put = {.to = &text};
	struct promtext out = {.to = &text};

	report_kube_json(&put, &view);
	report_kube_prom(&out, &view);
	ck_assert_uint_eq(text.len, 0);
	buf_fini(&text);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_list_counts_only_when_it_has_come_whole, ONCE},
		{an_event_counts_at_once_and_a_half_one_never, ONCE},
		{a_refusal_is_told_in_the_servers_words, ONCE},
		{the_reports_tell_the_counts_and_the_age, ONCE},
		{without_kubernetes_the_reports_are_silent, ONCE},
	};

	return run_suite("kubefeed", tests, N_OF(tests));
}
