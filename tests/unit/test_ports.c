/* SPDX-License-Identifier: MIT */
/* Whether a Service is rightly named. */
#include <check.h>
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "core/kube/ports.h"
#include "run.h"

#define SLICE(name, ports, endpoints)                                                           \
	"{\"metadata\":{\"name\":\"" name "\"},\"addressType\":\"IPv4\",\"ports\":[" ports "]," \
	"\"endpoints\":[" endpoints "]}"
#define WS      "{\"name\":\"ws\",\"port\":8080,\"protocol\":\"TCP\"}"
#define ADMIN   "{\"name\":\"admin\",\"port\":9000}"
#define UDP     "{\"name\":\"dns\",\"port\":53,\"protocol\":\"UDP\"}"
#define BARE    "{\"name\":\"\",\"port\":8080}"
#define READY   "{\"addresses\":[\"10.0.0.1\"],\"conditions\":{\"ready\":true}}"
#define OTHER   "{\"addresses\":[\"10.0.0.2\"],\"conditions\":{\"ready\":true}}"
#define UNREADY "{\"addresses\":[\"10.0.0.3\"],\"conditions\":{\"ready\":false}}"
#define LEAVING                                                                          \
	"{\"addresses\":[\"10.0.0.4\"],\"conditions\":{\"ready\":true,\"serving\":true," \
	"\"terminating\":true}}"

static const struct {
	const char *port; /* as configured */
	const char *slices;
	enum ports_finding finding;
	const char *words;
} services[] = {
	{NULL, SLICE("a", WS, READY), PORTS_OK, ""},
	{"ws", SLICE("a", WS, READY), PORTS_OK, ""},
	{"8080", SLICE("a", WS, READY), PORTS_OK, ""},
	/* The Service's port where the pods' is wanted. */
	{"80", SLICE("a", WS, READY), PORTS_NONE,
		"Service web has no port 80: its pods listen on ws:8080"},
	{"wss", SLICE("a", WS "," ADMIN, READY), PORTS_NONE,
		"Service web has no port wss: its pods listen on ws:8080, admin:9000"},
	{"80", SLICE("a", BARE, READY), PORTS_NONE,
		"Service web has no port 80: its pods listen on 8080"},
	{"ws", SLICE("a", UDP, READY), PORTS_NONE,
		"Service web has no port that its pods listen on: its targetPort is not among "
		"theirs"},
	{NULL, SLICE("a", "", READY), PORTS_NONE,
		"Service web has no port that its pods listen on: its targetPort is not among "
		"theirs"},
	/* No such Service. */
	{"ws", "", PORTS_NO_SLICE,
		"Service web has no EndpointSlice in the namespace apps: no Service there has "
		"this name"},
	/* Scaled to nothing, crashing, ending: the application's own affair. */
	{"80", SLICE("a", "", ""), PORTS_OK, ""},
	{"80", SLICE("a", WS, ""), PORTS_OK, ""},
	{"80", SLICE("a", WS, UNREADY), PORTS_OK, ""},
	{"80", SLICE("a", WS, LEAVING), PORTS_OK, ""},
	{"80", SLICE("a", WS, "{\"addresses\":[\"nowhere\"]}"), PORTS_OK, ""},
	/* Pods of two versions, and the port is that of one. */
	{"admin", SLICE("a", WS, READY) "," SLICE("b", ADMIN, OTHER), PORTS_OK, ""},
	{"admin", SLICE("a", WS, READY) "," SLICE("b", ADMIN, UNREADY), PORTS_NONE,
		"Service web has no port admin: its pods listen on ws:8080"},
	/* Never silently the first. */
	{NULL, SLICE("a", WS "," UDP "," ADMIN, READY), PORTS_SEVERAL,
		"Service web has several ports and none is named: the first of ws:8080, "
		"admin:9000 is taken"},
	{NULL, SLICE("a", WS "," UDP, READY), PORTS_OK, ""},
	{"ws", SLICE("a", WS "," ADMIN, READY), PORTS_OK, ""},
};

START_TEST(a_wrong_name_or_port_is_seen_and_told_from_an_outage)
{
	struct slicestore *store = slicestore_new("web", services[_i].port);
	const char *version;
	struct why why;
	char text[4096], words[PORTS_WORDS_SIZE];

	snprintf(text, sizeof(text), "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[%s]}",
		services[_i].slices);
	struct json_object *list = json_tokener_parse(text);
	ck_assert_msg(list != NULL, "the test's own JSON is wrong: %s", text);
	ck_assert(slicestore_replace(store, list, &version, &why));
	ck_assert_int_eq(ports_find(store), services[_i].finding);
	ports_describe(store, "apps", NULL, words, sizeof(words));
	ck_assert_str_eq(words, services[_i].words);
	ck_assert_int_eq(ports_is_misnamed(services[_i].finding),
		services[_i].finding == PORTS_NONE || services[_i].finding == PORTS_NO_SLICE);
	json_object_put(list);
	slicestore_free(store);
}
END_TEST

START_TEST(many_ports_are_cut_to_what_fits)
{
	struct slicestore *store = slicestore_new("web", "80");
	const char *version;
	struct why why;
	char text[8192] = "", words[PORTS_WORDS_SIZE];
	size_t at = 0;

	for (int i = 0; i < 60; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"%s{\"name\":\"a-port-of-the-service-%d\",\"port\":%d}", i ? "," : "", i,
			1000 + i);
	char whole[9000];
	snprintf(whole, sizeof(whole),
		"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":\"a\"},"
		"\"addressType\":\"IPv4\",\"ports\":[%s],\"endpoints\":[" READY "]}]}",
		text);
	struct json_object *list = json_tokener_parse(whole);
	ck_assert(slicestore_replace(store, list, &version, &why));
	ports_describe(store, "apps", NULL, words, sizeof(words));
	ck_assert_int_eq(strncmp(words,
				 "Service web has no port 80: its pods listen on "
				 "a-port-of-the-service-0:1000, ",
				 70),
		0);
	ck_assert_uint_lt(strlen(words), sizeof(words) - 1);
	json_object_put(list);
	slicestore_free(store);
}
END_TEST

static const struct {
	const char *port;
	const char *words;
} owned[] = {
	{"80", "Service web has no port 80: its pods listen on ws:8080 (80 is the Service's own "
	       "port, named ws)"},
	{"81", "Service web has no port 81: its pods listen on ws:8080 (81 is the Service's own "
	       "port)"},
	{"82", "Service web has no port 82: its pods listen on ws:8080"},
	{"wss", "Service web has no port wss: its pods listen on ws:8080"},
	{"99999", "Service web has no port 99999: its pods listen on ws:8080"},
};

START_TEST(the_services_own_port_is_named_where_it_is_known)
{
	static const char object[] =
		"{\"kind\":\"Service\",\"spec\":{\"ports\":[{\"name\":\"ws\",\"port\":80,"
		"\"targetPort\":8080},{\"port\":81},{\"port\":0},{\"port\":\"82\"},null,"
		"{\"name\":\"far-too-long-for-a-port\",\"port\":83}]}}";
	static const char list[] =
		"{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[" SLICE("a", WS, READY) "]}";
	struct slicestore *store = slicestore_new("web", owned[_i].port);
	struct json_object *slices = json_tokener_parse(list);
	struct ownports own;
	const char *version;
	struct why why;
	char words[PORTS_WORDS_SIZE];

	ck_assert(ownports_read(object, sizeof(object) - 1, &own, &why));
	ck_assert_uint_eq(own.n, 3);
	ck_assert_str_eq(own.list[2].name, "");
	ck_assert(slicestore_replace(store, slices, &version, &why));
	ports_describe(store, "apps", &own, words, sizeof(words));
	ck_assert_str_eq(words, owned[_i].words);
	json_object_put(slices);
	slicestore_free(store);
}
END_TEST

static const char *const no_services[] = {"", "{", "{\"spec\":{},\"spec\":{}}", "{\"a\":042}"};

START_TEST(what_is_no_json_is_no_service)
{
	struct ownports own = {.n = 7};
	struct why why;

	ck_assert(!ownports_read(no_services[_i], strlen(no_services[_i]), &own, &why));
	ck_assert_uint_eq(own.n, 7);
	ck_assert(why.text[0] != '\0');
}
END_TEST

START_TEST(any_json_may_have_no_ports)
{
	static const char *const texts[] = {
		"null", "[]", "{}", "{\"spec\":null}", "{\"spec\":{\"ports\":{}}}"};

	for (int i = 0; i < N_OF(texts); i++) {
		struct ownports own = {.n = 7};
		struct why why;

		ck_assert(ownports_read(texts[i], strlen(texts[i]), &own, &why));
		ck_assert_uint_eq(own.n, 0);
	}
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{a_wrong_name_or_port_is_seen_and_told_from_an_outage, N_OF(services)},
		{many_ports_are_cut_to_what_fits, ONCE},
		{the_services_own_port_is_named_where_it_is_known, N_OF(owned)},
		{what_is_no_json_is_no_service, N_OF(no_services)},
		{any_json_may_have_no_ports, ONCE},
	};

	return run_suite("ports", tests, N_OF(tests));
}
