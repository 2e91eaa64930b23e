/* SPDX-License-Identifier: MIT */
/* What the store of EndpointSlices promises. */
#include <check.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/kube/slicestore.h"
#include "run.h"

static struct json_object *parse(const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	ck_assert_msg(object != NULL, "the test's own JSON is wrong: %s", text);
	return object;
}

/* Applies {"type": type, "object": {name, family, port 8080 "ws", endpoints}}. */
static struct slicestore_news apply_slice(struct slicestore *slices, const char *type,
	const char *name, const char *family, const char *endpoints)
{
	static char text[65536];
	static struct json_object *last;
	struct why why;

	snprintf(text, sizeof(text),
		"{\"type\":\"%s\",\"object\":{\"addressType\":\"%s\",\"metadata\":{\"name\":\"%s\","
		"\"resourceVersion\":\"7\",\"labels\":{\"kubernetes.io/service-name\":\"web\"}},"
		"\"ports\":[{\"name\":\"ws\",\"port\":8080,\"protocol\":\"TCP\"}],"
		"\"endpoints\":[%s]}}",
		type, family, name, endpoints);
	if (last)
		json_object_put(last);
	last = parse(text);
	return slicestore_apply(slices, last, &why);
}

#define A1                                                                     \
	"{\"addresses\":[\"10.0.0.1\"],\"conditions\":{\"ready\":true},"       \
	"\"targetRef\":{\"kind\":\"Pod\",\"name\":\"web-a\",\"uid\":\"u-a\"}," \
	"\"nodeName\":\"n1\",\"zone\":\"z1\"}"
#define A2 "{\"addresses\":[\"10.0.0.2\"],\"conditions\":{\"ready\":true}}"

/* The union as one line: "10.0.0.1:8080 ready; ..." in the caller's buffer. */
static const char *union_text(const struct slicestore *slices)
{
	static char text[4096];
	struct endpoint *endpoints;
	size_t n, at = 0;

	ck_assert(slicestore_union(slices, &endpoints, &n));
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s:%u %s", i ? "; " : "",
			endpoints[i].address, endpoints[i].port,
			endpoint_state_name(endpoints[i].state));
	free(endpoints);
	return text;
}

START_TEST(an_added_slice_gives_its_endpoints_with_their_names)
{
	struct slicestore *slices = slicestore_new("web", NULL);
	struct endpoint *endpoints;
	size_t n;

	struct slicestore_news news = apply_slice(slices, "ADDED", "web-1", "IPv4", A1 "," A2);
	ck_assert_int_eq(news.event, SLICESTORE_CHANGED);
	ck_assert_str_eq(news.version, "7");
	ck_assert(slicestore_union(slices, &endpoints, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(endpoints[0].uid, "u-a");
	ck_assert_str_eq(endpoints[0].pod, "web-a");
	ck_assert_str_eq(endpoints[0].node, "n1");
	ck_assert_str_eq(endpoints[0].zone, "z1");
	ck_assert_str_eq(endpoints[1].uid, "");
	ck_assert_ptr_eq(slicestore_find(endpoints, n, "10.0.0.2", 8080), &endpoints[1]);
	ck_assert_ptr_null(slicestore_find(endpoints, n, "10.0.0.2", 8081));
	free(endpoints);
	slicestore_free(slices);
}
END_TEST

static const struct {
	const char *conditions;
	const char *state;
} conditions[] = {
	{"null", "ready"},
	{"{}", "ready"},
	{"{\"ready\":null}", "ready"},
	{"{\"ready\":\"no\"}", "ready"},
	{"{\"ready\":false}", "unready"},
	{"{\"ready\":true,\"serving\":true,\"terminating\":true}", "terminating"},
	{"{\"ready\":false,\"serving\":true,\"terminating\":true}", "terminating"},
	{"{\"ready\":false,\"serving\":false,\"terminating\":true}", "unready"},
	{"{\"ready\":false,\"terminating\":true}", "terminating"},
	{"{\"ready\":true,\"serving\":false,\"terminating\":false}", "ready"},
};

START_TEST(conditions_have_the_defaults_of_the_api)
{
	struct slicestore *slices = slicestore_new("web", NULL);
	char endpoint[256], expected[64];

	snprintf(endpoint, sizeof(endpoint), "{\"addresses\":[\"10.0.0.1\"],\"conditions\":%s}",
		conditions[_i].conditions);
	snprintf(expected, sizeof(expected), "10.0.0.1:8080 %s", conditions[_i].state);
	apply_slice(slices, "ADDED", "web-1", "IPv4", endpoint);
	ck_assert_str_eq(union_text(slices), expected);
	slicestore_free(slices);
}
END_TEST

static const struct {
	const char *wanted;
	const char *ports;
	unsigned port;
} ports[] = {
	{NULL, "[{\"port\":80}]", 80},
	{NULL, "[{\"name\":\"\",\"port\":80,\"protocol\":null}]", 80},
	{NULL, "[{\"port\":53,\"protocol\":\"UDP\"},{\"name\":\"a\",\"port\":80},{\"port\":81}]",
		80},
	{"ws", "[{\"name\":\"a\",\"port\":80},{\"name\":\"ws\",\"port\":81}]", 81},
	{"ws", "[{\"name\":\"a\",\"port\":80},{\"port\":81}]", 0},
	{"81", "[{\"name\":\"a\",\"port\":80},{\"name\":\"ws\",\"port\":81}]", 81},
	{"82", "[{\"name\":\"a\",\"port\":80}]", 0},
	{NULL, "[{\"name\":\"a\"}]", 0},
	{NULL, "[{\"name\":\"a\",\"port\":null}]", 0},
	{NULL, "[{\"port\":0},{\"port\":65536},{\"port\":-1},{\"port\":1.5},{\"port\":\"80\"}]", 0},
	{NULL, "[7,null,[]]", 0},
	{NULL, "null", 0},
	{NULL, "{}", 0},
};

START_TEST(the_port_is_found_by_name_by_number_or_as_the_first)
{
	struct slicestore *slices = slicestore_new("web", ports[_i].wanted);
	char text[1024], expected[64] = "";
	const char *version;
	struct why why;

	snprintf(text, sizeof(text),
		"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":"
		"\"s\"},"
		"\"addressType\":\"IPv4\",\"ports\":%s,\"endpoints\":[" A2 "]}]}",
		ports[_i].ports);
	if (ports[_i].port)
		snprintf(expected, sizeof(expected), "10.0.0.2:%u ready", ports[_i].port);
	struct json_object *list = parse(text);
	ck_assert(slicestore_replace(slices, list, &version, &why));
	ck_assert_str_eq(union_text(slices), expected);
	json_object_put(list);
	slicestore_free(slices);
}
END_TEST

START_TEST(an_endpoint_in_two_slices_counts_once_and_at_its_best)
{
	struct slicestore *slices = slicestore_new("web", NULL);

	apply_slice(slices, "ADDED", "web-1", "IPv4",
		"{\"addresses\":[\"10.0.0.1\"],\"conditions\":{\"ready\":false}}");
	apply_slice(slices, "ADDED", "web-2", "IPv4",
		"{\"addresses\":[\"10.0.0.1\"],\"conditions\":{\"ready\":false,\"terminating\":"
		"true}}");
	ck_assert_str_eq(union_text(slices), "10.0.0.1:8080 terminating");
	apply_slice(slices, "ADDED", "web-0", "IPv4", A1);
	ck_assert_str_eq(union_text(slices), "10.0.0.1:8080 ready");
	apply_slice(slices, "DELETED", "web-0", "IPv4", A1);
	ck_assert_str_eq(union_text(slices), "10.0.0.1:8080 terminating");
	slicestore_free(slices);
}
END_TEST

#define POD(address, uid)                                                   \
	"{\"addresses\":[\"" address "\"],\"conditions\":{\"ready\":true}," \
	"\"targetRef\":{\"kind\":\"Pod\",\"name\":\"web-" uid "\",\"uid\":\"" uid "\"}}"

/* What each family's slice holds, and the union. */
static const struct {
	const char *ipv4, *ipv6, *expected;
} families[] = {
	/* The controller's placeholder, for pods with IPv6 alone. */
	{"", POD("2001:DB8:0:0::1", "a"), "2001:db8::1:8080 ready"},
	{POD("10.0.0.1", "a"), "", "10.0.0.1:8080 ready"},
	{POD("10.0.0.1", "a"), POD("2001:db8::1", "a"), "10.0.0.1:8080 ready"},
	/* Some pods were made before the cluster had both. */
	{POD("10.0.0.1", "a") "," POD("10.0.0.2", "b"),
		POD("2001:db8::2", "b") "," POD("2001:db8::3", "c"),
		"10.0.0.1:8080 ready; 10.0.0.2:8080 ready; 2001:db8::3:8080 ready"},
	/* Without a reference to a pod nothing tells which addresses are one pod's. */
	{A2, "{\"addresses\":[\"2001:db8::1\"]}", "10.0.0.2:8080 ready"},
	{"", "{\"addresses\":[\"2001:db8::1\"]}", "2001:db8::1:8080 ready"},
	{A2, "{\"addresses\":[\"2001:db8::1\"]}," POD("2001:db8::2", "b"),
		"10.0.0.2:8080 ready; 2001:db8::2:8080 ready"},
	/* One pod with two addresses of a family, while it moves. */
	{POD("10.0.0.1", "a") "," POD("10.0.0.2", "a"), POD("2001:db8::1", "a"),
		"10.0.0.1:8080 ready; 10.0.0.2:8080 ready"},
	{"{\"addresses\":[\"2001:db8::1\"]}", "{\"addresses\":[\"10.0.0.1\"]}", ""},
};

START_TEST(the_family_is_chosen_for_each_pod)
{
	struct slicestore *slices = slicestore_new("web", NULL);

	apply_slice(slices, "ADDED", "web-6", "IPv6", families[_i].ipv6);
	apply_slice(slices, "ADDED", "web-f", "FQDN", "{\"addresses\":[\"pod.example\"]}");
	apply_slice(slices, "ADDED", "web-4", "IPv4", families[_i].ipv4);
	ck_assert_str_eq(union_text(slices), families[_i].expected);
	slicestore_free(slices);
}
END_TEST

START_TEST(a_list_takes_away_what_it_does_not_name)
{
	struct slicestore *slices = slicestore_new("web", NULL);
	const char *version;
	struct why why;

	apply_slice(slices, "ADDED", "web-1", "IPv4", A1);
	apply_slice(slices, "ADDED", "web-2", "IPv4", A2);
	struct json_object *list = parse(
		"{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{\"metadata\":{\"name\":"
		"\"web-2\"},\"addressType\":\"IPv4\",\"ports\":[{\"port\":8080}],\"endpoints\":[" A2
		"]}]}");
	ck_assert(slicestore_replace(slices, list, &version, &why));
	ck_assert_str_eq(version, "9");
	ck_assert_str_eq(union_text(slices), "10.0.0.2:8080 ready");
	json_object_put(list);
	list = parse("{\"metadata\":{\"resourceVersion\":\"10\"},\"items\":null}");
	ck_assert(slicestore_replace(slices, list, &version, &why));
	ck_assert_str_eq(union_text(slices), "");
	json_object_put(list);
	slicestore_free(slices);
}
END_TEST

static const char *const bad_lists[] = {
	"{}",
	"[]",
	"7",
	"{\"kind\":\"Status\",\"metadata\":{},\"code\":403}",
	"{\"metadata\":{\"resourceVersion\":9},\"items\":[]}",
	"{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{}]}",
	"{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[null]}",
	("{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{\"metadata\":{\"name\":\"a\"}},"
	 "{\"metadata\":{\"name\":\"a\"}}]}"),
};

START_TEST(a_wrong_list_changes_nothing)
{
	struct slicestore *slices = slicestore_new("web", NULL);
	const char *version;
	struct why why;
	struct json_object *list = parse(bad_lists[_i]);

	apply_slice(slices, "ADDED", "web-1", "IPv4", A1);
	ck_assert(!slicestore_replace(slices, list, &version, &why));
	ck_assert_str_ne(why.text, "");
	ck_assert_str_eq(union_text(slices), "10.0.0.1:8080 ready");
	json_object_put(list);
	slicestore_free(slices);
}
END_TEST

static const struct {
	const char *text;
	enum slicestore_event event;
	unsigned code;
} events[] = {
	{"{\"type\":\"BOOKMARK\",\"object\":{\"addressType\":\"\",\"endpoints\":null,\"ports\":"
	 "null,"
	 "\"metadata\":{\"resourceVersion\":\"8\",\"creationTimestamp\":null}}}",
		SLICESTORE_BOOKMARK, 0},
	{"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}"
	 "}",
		SLICESTORE_ERROR, 410},
	{"{\"type\":\"ERROR\",\"object\":{}}", SLICESTORE_ERROR, 0},
	{"{\"type\":\"RENAMED\",\"object\":{\"metadata\":{\"name\":\"web-1\"}}}",
		SLICESTORE_IGNORED, 0},
	{"{}", SLICESTORE_MALFORMED, 0},
	{"{\"type\":7,\"object\":{}}", SLICESTORE_MALFORMED, 0},
	{"{\"type\":\"ADDED\",\"object\":null}", SLICESTORE_MALFORMED, 0},
	{"{\"type\":\"ADDED\",\"object\":{}}", SLICESTORE_MALFORMED, 0},
	{"{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"\"}}}", SLICESTORE_MALFORMED,
		0},
	{"{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a b\"}}}",
		SLICESTORE_MALFORMED, 0},
	{"{\"kind\":\"Status\",\"code\":403}", SLICESTORE_MALFORMED, 0},
};

START_TEST(an_event_that_is_no_change_changes_nothing)
{
	struct slicestore *slices = slicestore_new("web", NULL);
	struct json_object *event = parse(events[_i].text);
	struct why why;

	apply_slice(slices, "ADDED", "web-1", "IPv4", A1);
	struct slicestore_news news = slicestore_apply(slices, event, &why);
	ck_assert_int_eq(news.event, events[_i].event);
	ck_assert_uint_eq(news.code, events[_i].code);
	ck_assert_str_eq(union_text(slices), "10.0.0.1:8080 ready");
	json_object_put(event);
	slicestore_free(slices);
}
END_TEST

START_TEST(one_unusable_endpoint_leaves_the_others_alone)
{
	struct slicestore *slices = slicestore_new("web", NULL);

	apply_slice(slices, "ADDED", "web-1", "IPv4",
		"null,7,{},{\"addresses\":[]},{\"addresses\":null},{\"addresses\":[null]},"
		"{\"addresses\":[\"::1\"]},{\"addresses\":[\"10.0.0.256\"]},"
		"{\"addresses\":[\"10.0.0.9 \"]},"
		"{\"addresses\":[\"10.0.0.1\",\"10.0.0.3\"],\"targetRef\":null,"
		"\"nodeName\":\"a\\nb\",\"zone\":null}");
	ck_assert_str_eq(union_text(slices), "10.0.0.1:8080 ready");

	struct endpoint *endpoints;
	size_t n;
	ck_assert(slicestore_union(slices, &endpoints, &n));
	ck_assert_str_eq(endpoints[0].node, "");
	free(endpoints);
	slicestore_free(slices);
}
END_TEST

START_TEST(a_slice_whose_label_names_another_service_leaves)
{
	struct why why;
	struct slicestore *slices = slicestore_new("web", NULL);
	struct json_object *event =
		parse("{\"type\":\"MODIFIED\",\"object\":{\"addressType\":\"IPv4\",\"metadata\":{"
		      "\"name\":"
		      "\"web-1\",\"labels\":{\"kubernetes.io/service-name\":\"other\"}},"
		      "\"ports\":[{\"port\":8080}],\"endpoints\":[" A1 "]}}");

	apply_slice(slices, "ADDED", "web-1", "IPv4", A1);
	ck_assert_int_eq(slicestore_apply(slices, event, &why).event, SLICESTORE_CHANGED);
	ck_assert_str_eq(union_text(slices), "");
	ck_assert_uint_eq(slicestore_count(slices), 0);
	json_object_put(event);
	slicestore_free(slices);
}
END_TEST

/* A pod that moves between slices in either order of events is never out of the union. */
START_TEST(an_endpoint_that_moves_to_another_slice_stays)
{
	struct slicestore *slices = slicestore_new("web", NULL);

	apply_slice(slices, "ADDED", "web-1", "IPv4", A1 "," A2);
	apply_slice(slices, "ADDED", "web-2", "IPv4", A2);
	ck_assert_str_eq(union_text(slices), "10.0.0.1:8080 ready; 10.0.0.2:8080 ready");
	apply_slice(slices, "DELETED", "web-1", "IPv4", A1 "," A2);
	ck_assert_str_eq(union_text(slices), "10.0.0.2:8080 ready");
	slicestore_free(slices);
}
END_TEST

/* Random histories of four slices over 20 addresses against a model that keeps them as a table. */
START_TEST(the_union_is_that_of_a_plain_table_after_any_history)
{
	enum { SLICES = 4, ADDRESSES = 20, STEPS = 400 };
	static int table[SLICES][ADDRESSES]; /* state + 1, or 0 */
	static const char *const states[] = {
		"{\"ready\":false}", "{\"serving\":true,\"terminating\":true}", "{\"ready\":true}"};
	struct slicestore *slices = slicestore_new("web", "ws");

	memset(table, 0, sizeof(table));
	for (int step = 0; step < STEPS; step++) {
		int s = rand() % SLICES;
		char endpoints[8192] = "", name[16];
		size_t at = 0;
		bool deleted = rand() % 8 == 0;

		for (int a = 0; a < ADDRESSES; a++) {
			int state = deleted ? -1 : rand() % 6;

			table[s][a] = state >= 0 && state < 3 ? state + 1 : 0;
			if (table[s][a])
				at += (size_t)snprintf(endpoints + at, sizeof(endpoints) - at,
					"%s{\"addresses\":[\"10.0.0.%d\"],\"conditions\":%s}",
					at ? "," : "", a, states[state]);
		}
		snprintf(name, sizeof(name), "web-%d", s);
		apply_slice(slices,
			deleted      ? "DELETED"
			: rand() % 2 ? "ADDED"
				     : "MODIFIED",
			name, "IPv4", endpoints);

		struct endpoint *all;
		size_t n, expected = 0;
		ck_assert(slicestore_union(slices, &all, &n));
		for (int a = 0; a < ADDRESSES; a++) {
			int best = 0;
			char address[32];

			for (int i = 0; i < SLICES; i++)
				best = table[i][a] > best ? table[i][a] : best;
			snprintf(address, sizeof(address), "10.0.0.%d", a);
			const struct endpoint *found = slicestore_find(all, n, address, 8080);
			ck_assert_int_eq(found ? (int)found->state + 1 : 0, best);
			expected += best > 0;
		}
		ck_assert_uint_eq(n, expected);
		free(all);
	}
	slicestore_free(slices);
}
END_TEST

/* A slice's text with random bytes in it: whatever parses as JSON must do no harm. */
START_TEST(no_mutation_of_an_event_does_harm)
{
	static const char event[] = "{\"type\":\"ADDED\",\"object\":{\"addressType\":\"IPv4\","
				    "\"metadata\":{\"name\":\"a\","
				    "\"resourceVersion\":\"1\"},\"ports\":[{\"name\":\"ws\","
				    "\"port\":80}],\"endpoints\":[" A1 "]}}";
	static const char bytes[] = "{}[]\",:0123456789nulltruefalse-e.\\";
	struct slicestore *slices = slicestore_new("web", NULL);

	for (int round = 0; round < 20000; round++) {
		char text[sizeof(event)];
		struct endpoint *all;
		size_t n;

		memcpy(text, event, sizeof(event));
		for (int i = rand() % 4; i >= 0; i--)
			text[(size_t)rand() % (sizeof(event) - 1)] =
				bytes[(size_t)rand() % (sizeof(bytes) - 1)];
		struct json_object *object = json_tokener_parse(text);
		struct why why;
		if (!object)
			continue;
		slicestore_apply(slices, object, &why);
		ck_assert(slicestore_union(slices, &all, &n));
		free(all);
		json_object_put(object);
	}
	slicestore_free(slices);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{an_added_slice_gives_its_endpoints_with_their_names, ONCE},
		{conditions_have_the_defaults_of_the_api, N_OF(conditions)},
		{the_port_is_found_by_name_by_number_or_as_the_first, N_OF(ports)},
		{an_endpoint_in_two_slices_counts_once_and_at_its_best, ONCE},
		{the_family_is_chosen_for_each_pod, N_OF(families)},
		{a_list_takes_away_what_it_does_not_name, ONCE},
		{a_wrong_list_changes_nothing, N_OF(bad_lists)},
		{an_event_that_is_no_change_changes_nothing, N_OF(events)},
		{one_unusable_endpoint_leaves_the_others_alone, ONCE},
		{a_slice_whose_label_names_another_service_leaves, ONCE},
		{an_endpoint_that_moves_to_another_slice_stays, ONCE},
		{the_union_is_that_of_a_plain_table_after_any_history, ONCE},
		{no_mutation_of_an_event_does_harm, ONCE},
	};

	run_dice("slices");
	return run_suite("slicestore", tests, N_OF(tests));
}
