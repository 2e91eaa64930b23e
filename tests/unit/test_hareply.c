/* SPDX-License-Identifier: MIT */
/* HAProxy's answers, as captured from three versions, whole, cut and spoilt. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "captures.h"
#include "core/base/buf.h"
#include "core/haproxy/hareply.h"
#include "core/haproxy/hastate.h"
#include "run.h"

static void parse_capture(int version, const char *name, struct hastate_snapshot *out)
{
	size_t len;
	char *reply = read_capture(version, name, &len);
	struct why why;
	enum hareply_outcome outcome = hareply_parse(reply, len, out, &why);

	ck_assert_msg(outcome == HAREPLY_OK, "%s-%s: %d, %s", versions[version], name, (int)outcome,
		why.text);
	free(reply);
}

/* ---- what the captures hold: see tests/data/haproxy/capture.cfg ---- */

static const struct {
	const char *name;
	const char *algo;
	uint32_t scur;
	size_t n_servers;
} backends[] = {
	{"pods", "leastconn", 9, 12},
	{"slots", "roundrobin", 0, 5},
	{"dotted.name:1_2-3", "random", 0, 1},
	{"by-source", "source", 0, 1},
	{"nobody", "leastconn", 0, 0},
	{"both", "roundrobin", 0, 1},
};
enum { N_BACKENDS = sizeof(backends) / sizeof(*backends) };

static const struct hastate_server servers[] = {
	{"plain", "127.0.0.1", 18080, "", "no check", 0, 2, 1, 1, 1, 1, false, 0, false, false,
		false, 0},
	{"checked", "127.0.0.1", 18081, "", "UP", 0, 2, 100, 100, 1, 1, false, 0, true, false,
		false, 0},
	{"gone", "127.0.0.1", 18079, "", "DOWN", 0, 0, 1, 1, 0, 0, false, 0, true, false, false, 0},
	{"disabled", "127.0.0.1", 18082, "", "MAINT", 5, 0, 1, 1, 0, 0, false, 0, false, false,
		false, 0},
	{"drained", "127.0.0.1", 18083, "", "DRAIN", 8, 2, 50, 50, 0, 0, false, 0, false, false,
		false, 0},
	{"zero", "127.0.0.1", 18084, "", "no check", 0, 2, 0, 0, 0, 0, false, 0, false, false,
		false, 0},
	{"heavy", "127.0.0.1", 18085, "", "no check", 0, 2, 256, 256, 3, 3, false, 0, false, false,
		false, 0},
	{"asked", "127.0.0.1", 18086, "", "no check", 0, 2, 100, 100, 1, 1, false, 18090, false,
		false, false, 0},
	{"lifeboat", "127.0.0.1", 18087, "", "no check", 0, 2, 1, 1, 0, 0, true, 0, false, false,
		false, 0},
	{"six", "::1", 18088, "", "no check", 0, 2, 1, 1, 1, 1, false, 0, false, false, false, 0},
	{"path", "", 0, "", "no check", 0, 2, 1, 1, 1, 1, false, 0, false, false, false, 0},
	{"tracks", "127.0.0.1", 18089, "", "UP", 0, 2, 1, 1, 1, 1, false, 0, false, false, false,
		0},
	{"pod1", "127.0.0.12", 8080, "pods.test", "DOWN", 0, 0, 100, 100, 0, 0, false, 0, true,
		false, false, 0},
	{"pod2", "127.0.0.11", 8080, "pods.test", "DOWN", 0, 0, 100, 100, 0, 0, false, 0, true,
		false, false, 0},
	{"pod3", "", 8080, "pods.test", "MAINT (resolution)", 32, 0, 100, 100, 0, 0, false, 0, true,
		false, false, 0},
	{"pod4", "", 8080, "pods.test", "MAINT (resolution)", 32, 0, 100, 100, 0, 0, false, 0, true,
		false, false, 0},
	{"named", "", 9000, "other.test", "MAINT (resolution)", 32, 0, 1, 1, 0, 0, false, 0, false,
		false, false, 0},
	{"s.1:a_b-c", "127.0.0.2", 80, "", "no check", 0, 2, 1, 1, 0, 0, false, 0, false, false,
		false, 0},
	{"a", "127.0.0.3", 80, "", "no check", 0, 2, 1, 1, 0, 0, false, 0, false, false, false, 0},
	{"a", "127.0.0.5", 80, "", "no check", 0, 2, 7, 7, 0, 0, false, 0, false, false, false, 0},
};

static void assert_server(const struct hastate_server *got, const struct hastate_server *want)
{
	ck_assert_str_eq(got->name, want->name);
	ck_assert_str_eq(got->address, want->address);
	ck_assert_uint_eq(got->port, want->port);
	ck_assert_str_eq(got->fqdn, want->fqdn);
	ck_assert_str_eq(got->status, want->status);
	ck_assert_uint_eq(got->admin_state, want->admin_state);
	ck_assert_uint_eq(got->op_state, want->op_state);
	ck_assert_int_eq(got->uweight, want->uweight);
	ck_assert_int_eq(got->iweight, want->iweight);
	/* How connections fall on equal servers is HAProxy's affair. */
	if (want->scur == 0 || want->scur == 3)
		ck_assert_uint_eq(got->scur, want->scur);
	ck_assert_uint_eq(got->stot, got->scur);
	ck_assert(got->backup == want->backup);
	ck_assert_uint_eq(got->agent_port, want->agent_port);
	ck_assert_int_eq(got->port_is_sure, want->port_is_sure);
	ck_assert_int_eq(got->by_srv, want->by_srv);
	ck_assert_int_eq(got->slow, want->slow);
	ck_assert_uint_eq(got->maxconn, want->maxconn);
}

static void assert_all(const struct hastate_snapshot *snapshot)
{
	size_t s = 0;

	ck_assert_uint_eq(snapshot->n_backends, N_BACKENDS);
	for (size_t b = 0; b < N_BACKENDS; b++) {
		const struct hastate_backend *backend = &snapshot->backends[b];

		ck_assert_str_eq(backend->name, backends[b].name);
		ck_assert_str_eq(backend->algo, backends[b].algo);
		ck_assert_uint_eq(backend->scur, backends[b].scur);
		ck_assert_uint_eq(backend->n_servers, backends[b].n_servers);
		for (size_t i = 0; i < backend->n_servers; i++)
			assert_server(&backend->servers[i], &servers[s++]);
	}
	ck_assert_uint_eq(s, sizeof(servers) / sizeof(*servers));
}

START_TEST(every_kind_of_server_is_read_from_every_version)
{
	struct hastate_snapshot snapshot;

	parse_capture(_i, "admin", &snapshot);
	assert_all(&snapshot);
	ck_assert_int_eq(strncmp(snapshot.info.version, versions[_i], 3), 0);
	ck_assert_int_gt(snapshot.info.pid, 1);
	ck_assert_int_gt(snapshot.info.start_time_s, 1700000000);
	ck_assert_int_lt(snapshot.info.uptime_s, 60);
	ck_assert(!snapshot.info.stopping);
	hastate_fini(&snapshot);
	ck_assert_ptr_null(snapshot.text);
	ck_assert_uint_eq(snapshot.n_backends, 0);
	hastate_fini(&snapshot);
}
END_TEST

START_TEST(a_backend_that_is_not_there_does_not_spoil_the_others)
{
	struct hastate_snapshot snapshot;

	parse_capture(_i, "missing", &snapshot);
	ck_assert_uint_eq(snapshot.n_backends, 1);
	ck_assert_str_eq(snapshot.backends[0].name, "slots");
	ck_assert_uint_eq(snapshot.backends[0].n_servers, 5);
	hastate_fini(&snapshot);
}
END_TEST

/* ---- what is not whole ---- */

/* A snapshot that nobody may touch. */
static const struct hastate_snapshot untouched = {.n_backends = 4711, .info = {.pid = -1}};

static enum hareply_outcome parse(const char *reply, size_t len, struct why *why)
{
	struct hastate_snapshot snapshot = untouched;
	enum hareply_outcome outcome;

	memset(why, 0x55, sizeof(*why));
	outcome = hareply_parse(reply, len, &snapshot, why);
	ck_assert_ptr_nonnull(memchr(why->text, '\0', sizeof(why->text)));
	if (outcome == HAREPLY_OK)
		hastate_fini(&snapshot);
	else
		ck_assert_int_eq(memcmp(&snapshot, &untouched, sizeof(snapshot)), 0);
	return outcome;
}

START_TEST(an_answer_cut_at_any_byte_is_not_taken)
{
	static const char *const names[] = {"admin", "missing"};

	for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
		size_t len;
		char *reply = read_capture(_i, names[n], &len);
		struct why why;

		/* Every seventh, or all of them. */
		for (size_t cut = 0; cut < len; cut += run_is_long() ? 1 : 7) {
			/* Of its own, so that a read beyond the cut is seen. */
			char *part = malloc(cut);
			enum hareply_outcome outcome;

			ck_assert(part || cut == 0);
			if (part)
				memcpy(part, reply, cut);
			outcome = parse(part, cut, &why);
			ck_assert_msg(outcome == HAREPLY_TRUNCATED || outcome == HAREPLY_MALFORMED,
				"%s: cut at %zu of %zu: %d", names[n], cut, len, (int)outcome);
			free(part);
		}
		ck_assert_int_eq(parse(reply, len, &why), HAREPLY_OK);
		free(reply);
	}
}
END_TEST

START_TEST(no_bytes_at_all_are_truncated)
{
	struct why why;

	ck_assert_int_eq(parse(NULL, 0, &why), HAREPLY_TRUNCATED);
	ck_assert_int_eq(parse("", 0, &why), HAREPLY_TRUNCATED);
	ck_assert_int_eq(parse("\n", 1, &why), HAREPLY_TRUNCATED);
	ck_assert_int_eq(hareply_parse("", 0, NULL, NULL), HAREPLY_TRUNCATED);
}
END_TEST

START_TEST(an_unknown_command_is_seen_and_a_forbidden_one_told_apart)
{
	size_t len;
	char *reply = read_capture(_i, "unknown", &len);
	struct why why;

	ck_assert_int_eq(parse(reply, len, &why), HAREPLY_MALFORMED);
	ck_assert(strstr(why.text, "master socket") != NULL);
	free(reply);
	reply = read_capture(_i, "forbidden", &len);
	ck_assert_int_eq(parse(reply, len, &why), HAREPLY_DENIED);
	free(reply);
}
END_TEST

START_TEST(a_socket_of_level_user_is_denied_for_what_it_hides)
{
	size_t len;
	char *reply = read_capture(_i, "user", &len);
	struct why why;

	ck_assert_int_eq(parse(reply, len, &why), HAREPLY_DENIED);
	free(reply);
}
END_TEST

/* ---- a small answer, spoilt in one place ---- */

#define STAT_HEADER "# pxname,svname,scur,stot,status,bck,type,mode,algo,uweight,\n"
#define STATE_HEADER                                                                            \
	"1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_iweight " \
	"srv_fqdn srv_port srv_agent_port\n"
#define STAT_A  "b,a,3,9,UP,0,2,http,,50,\n"
#define STAT_C  "b,c,0,0,UP,0,2,http,,50,\n"
#define STAT_B  "b,BACKEND,3,9,UP,,1,http,leastconn,100,\n"
#define STATE_A "3 b 1 a 127.0.0.1 2 0 100 - 80 0\n"
#define STATE_C "3 b 2 c 127.0.0.2 2 0 100 - 80 0\n"
#define INFO    "Name: HAProxy\nVersion: 2.6\nPid: 7\nUptime_sec: 2\nStopping: 0\n\n"
#define SMALL   STAT_HEADER STAT_A STAT_C STAT_B "\n" STATE_HEADER STATE_A STATE_C "\n" INFO

/* SMALL with the first `from` replaced by `to`; freed by the caller. */
static char *spoil(const char *from, const char *to)
{
	const char *at = strstr(SMALL, from);
	char *text = NULL;

	ck_assert_msg(at != NULL, "not in the answer: %s", from);
	ck_assert_int_gt(
		asprintf(&text, "%.*s%s%s", (int)(at - SMALL), SMALL, to, at + strlen(from)), 0);
	return text;
}

static const struct {
	const char *from;
	const char *to;
	enum hareply_outcome outcome;
	const char *why; /* NULL: not looked at */
} spoilt[] = {
	{"Name: ", "Name: ", HAREPLY_OK, ""},
	/* Numbers: at their limits, beyond them, none at all. */
	{"b,a,3,9", "b,a,4294967295,18446744073709551615", HAREPLY_OK, ""},
	{"b,a,3,9", "b,a,4294967296,9", HAREPLY_MALFORMED, "scur"},
	{"b,a,3,9", "b,a,3,18446744073709551616", HAREPLY_MALFORMED, "stot"},
	{"b,a,3,9", "b,a,-3,9", HAREPLY_MALFORMED, "scur"},
	{"b,a,3,9", "b,a,,", HAREPLY_OK, ""},
	{",50,", ",256,", HAREPLY_OK, ""},
	{",50,", ",257,", HAREPLY_MALFORMED, "uweight"},
	{"UP,0,2", "UP,2,2", HAREPLY_MALFORMED, "bck"},
	{"UP,0,2", "UP,0,4", HAREPLY_MALFORMED, "type"},
	{"2 0 100 - 80 0", "3 0 100 - 80 0", HAREPLY_OK, ""},
	{"2 0 100 - 80 0", "4 0 100 - 80 0", HAREPLY_MALFORMED, "srv_op_state"},
	{"2 0 100 - 80 0", "2 65536 100 - 80 0", HAREPLY_MALFORMED, "srv_admin_state"},
	{"2 0 100 - 80 0", "2 0 257 - 80 0", HAREPLY_MALFORMED, "srv_iweight"},
	{"2 0 100 - 80 0", "2 0 100 - 4294966296 0", HAREPLY_OK, ""},
	{"2 0 100 - 80 0", "2 0 100 - 4294967296 0", HAREPLY_MALFORMED, "srv_port"},
	{"2 0 100 - 80 0", "2 0 100 - 80 65536", HAREPLY_MALFORMED, "srv_agent_port"},
	{"Pid: 7", "Pid: x", HAREPLY_MALFORMED, "Pid: "},
	{"Pid: 7", "Pid: 0", HAREPLY_MALFORMED, "Pid: "},
	{"Pid: 7\n", "", HAREPLY_MALFORMED, "Pid: "},
	{"Pid: 7", "Pid: 9223372036854775807", HAREPLY_OK, ""},
	{"Pid: 7", "Pid: 9223372036854775808", HAREPLY_MALFORMED, "Pid: "},
	{"Stopping: 0", "Stopping: no", HAREPLY_MALFORMED, "Stopping: "},
	/* Names that HAProxy takes from nobody: they would not mean one server. */
	{STAT_A, "b,c/a,3,9,UP,0,2,http,,50,\n", HAREPLY_MALFORMED, "svname"},
	{STAT_A, "b,\"a b\",3,9,UP,0,2,http,,50,\n", HAREPLY_MALFORMED, "svname"},
	{STAT_A, "b,,3,9,UP,0,2,http,,50,\n", HAREPLY_MALFORMED, "svname"},
	{STAT_B, "b/c,BACKEND,3,9,UP,,1,http,leastconn,100,\n", HAREPLY_MALFORMED, "pxname"},
	{STATE_A, "3 b 1 a;x 127.0.0.1 2 0 100 - 80 0\n", HAREPLY_MALFORMED, "srv_name"},
	{STATE_A, "3 b/a 1 a 127.0.0.1 2 0 100 - 80 0\n", HAREPLY_MALFORMED, "be_name"},
	{STAT_A, "b/c,FRONTEND,3,9,UP,0,0,http,,50,\n", HAREPLY_OK, ""},
	/* Rows and columns. */
	{STAT_A, "b,a,3,9,UP,0,2,http\n", HAREPLY_MALFORMED, "uweight"},
	{STATE_A, "3 b 1 a 127.0.0.1 2 0 100 - 80\n", HAREPLY_MALFORMED, "srv_agent_port"},
	{STATE_A, "3 b 1 a 127.0.0.1 2 0 100 - 80 0 new columns\n", HAREPLY_OK, ""},
	{"uweight", "vweight", HAREPLY_MALFORMED, "uweight"},
	{"srv_fqdn", "srv_name2", HAREPLY_MALFORMED, "srv_fqdn"},
	{STAT_A, "", HAREPLY_OK, ""},
	{STATE_A, "", HAREPLY_OK, ""},
	{STAT_B, "", HAREPLY_MALFORMED, NULL},
	{"http,leastconn,", "http,,", HAREPLY_DENIED, ""},
	{STATE_A, STATE_A "4 off 1 a 127.0.0.1 2 0 100 - 80 0\n", HAREPLY_OK, ""},
	/* Parts. */
	{INFO, "", HAREPLY_TRUNCATED, ""},
	{INFO, INFO INFO, HAREPLY_MALFORMED, "something follows the answer to \"show info\""},
	{INFO, INFO "\n", HAREPLY_MALFORMED, "something follows the answer to \"show info\""},
	{STAT_HEADER, INFO STAT_HEADER, HAREPLY_MALFORMED,
		"something follows the answer to \"show info\""},
	{STAT_HEADER, "\n\n" STAT_HEADER, HAREPLY_OK, ""},
	{STAT_HEADER, "Permission denied\n" STAT_HEADER, HAREPLY_DENIED, ""},
	{STAT_HEADER, "", HAREPLY_MALFORMED, "a line that belongs to no answer"},
	{STATE_HEADER, "", HAREPLY_MALFORMED, "a line that belongs to no answer"},
	{"\n1\n# be_id", "\n# be_id", HAREPLY_OK, ""},
	{"\n\n1\n# be_id", "\n1\n# be_id", HAREPLY_MALFORMED, NULL},
	{"\n\nName: ", "\nName: ", HAREPLY_MALFORMED, NULL},
};

START_TEST(an_answer_is_refused_for_what_is_wrong_with_it)
{
	char *text = spoil(spoilt[_i].from, spoilt[_i].to);
	struct why why;

	ck_assert_int_eq(parse(text, strlen(text), &why), spoilt[_i].outcome);
	if (spoilt[_i].why)
		ck_assert_str_eq(why.text, spoilt[_i].why);
	free(text);
}
END_TEST

START_TEST(a_name_longer_than_a_line_of_haproxys_is_refused)
{
	struct why why;
	char row[2100];

	for (int len = 1999; len <= 2000; len++) {
		snprintf(row, sizeof(row), "b,%0*d,3,9,UP,0,2,http,,50,\n", len, 7);
		char *text = spoil(STAT_A, row);

		ck_assert_int_eq(parse(text, strlen(text), &why),
			len < 2000 ? HAREPLY_OK : HAREPLY_MALFORMED);
		ck_assert_str_eq(why.text, len < 2000 ? "" : "svname");
		free(text);
	}
}
END_TEST

START_TEST(a_nul_byte_is_refused_wherever_it_stands)
{
	struct why why;

	for (size_t i = 0; i < strlen(SMALL); i++) {
		char text[] = SMALL;

		text[i] = '\0';
		ck_assert_int_eq(parse(text, strlen(SMALL), &why), HAREPLY_MALFORMED);
		ck_assert_str_eq(why.text, "a NUL byte");
	}
	ck_assert_int_eq(parse(SMALL, sizeof(SMALL), &why), HAREPLY_MALFORMED);
}
END_TEST

static size_t servers_of(const char *text, struct hastate_snapshot *snapshot)
{
	struct why why;

	ck_assert_msg(
		hareply_parse(text, strlen(text), snapshot, &why) == HAREPLY_OK, "%s", why.text);
	return snapshot->n_backends > 0 ? snapshot->backends[0].n_servers : 0;
}

START_TEST(servers_are_those_that_both_tables_have)
{
	struct hastate_snapshot snapshot;
	char *text = spoil(STAT_A, "");

	ck_assert_uint_eq(servers_of(text, &snapshot), 1);
	ck_assert_str_eq(snapshot.backends[0].servers[0].name, "c");
	hastate_fini(&snapshot);
	free(text);
	text = spoil(STATE_C, "");
	ck_assert_uint_eq(servers_of(text, &snapshot), 1);
	ck_assert_str_eq(snapshot.backends[0].servers[0].name, "a");
	hastate_fini(&snapshot);
	free(text);
}
END_TEST

START_TEST(rows_are_joined_by_name_and_not_by_place)
{
	struct hastate_snapshot snapshot;
	char *text = spoil(STATE_A STATE_C, STATE_C STATE_A);

	ck_assert_uint_eq(servers_of(text, &snapshot), 2);
	ck_assert_str_eq(snapshot.backends[0].servers[0].name, "c");
	ck_assert_uint_eq(snapshot.backends[0].servers[0].scur, 0);
	ck_assert_str_eq(snapshot.backends[0].servers[1].address, "127.0.0.1");
	ck_assert_uint_eq(snapshot.backends[0].servers[1].scur, 3);
	hastate_fini(&snapshot);
	free(text);
}
END_TEST

/* Two tables of so many servers each, none of which the other has, and one that both have. */
static char *make_strangers(size_t n)
{
	struct buf text = {0};

	buf_puts(&text, STAT_HEADER);
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "b,x%zu,3,9,UP,0,2,http,,50,\n", i);
	buf_puts(&text, STAT_A STAT_B "\n" STATE_HEADER);
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "3 b 1 y%zu 127.0.0.1 2 0 100 - 80 0\n", i);
	buf_puts(&text, STATE_A "\n" INFO);
	return buf_finish(&text, NULL);
}

static double seconds_of(size_t n)
{
	struct hastate_snapshot snapshot;
	char *text = make_strangers(n);
	clock_t began = clock();

	ck_assert_uint_eq(servers_of(text, &snapshot), 1);
	ck_assert_uint_eq(snapshot.backends[0].servers[0].scur, 3);
	double seconds = (double)(clock() - began) / CLOCKS_PER_SEC;
	hastate_fini(&snapshot);
	free(text);
	return seconds;
}

/* Each row against each took 20 times as long here. */
START_TEST(rows_that_do_not_fit_cost_no_more_each_the_more_there_are)
{
	double least_few = 1e9;
	double least_many = 1e9;

	for (int i = 0; i < 5; i++) {
		least_few = fmin(least_few, seconds_of(1000));
		least_many = fmin(least_many, seconds_of(20000));
	}
	ck_assert_msg(least_many < 20 * 4 * least_few, "%g s for 1,000, %g s for 20,000", least_few,
		least_many);
}
END_TEST

START_TEST(a_server_of_the_same_name_in_another_backend_is_another)
{
	struct hastate_snapshot snapshot;
	char *text = spoil(STAT_B "\n",
		STAT_B "a,a,5,9,DOWN,0,2,tcp,,1,\na,BACKEND,5,9,UP,,1,tcp,first,1,\n\n");
	char *both = NULL;
	char *at = strstr(text, INFO);

	at[-1] = '\0'; /* up to the last row of the states */
	ck_assert_int_gt(asprintf(&both, "%s4 a 1 a 127.0.0.9 0 0 1 - 81 0\n\n" INFO, text), 0);
	ck_assert_uint_eq(servers_of(both, &snapshot), 2);
	ck_assert_uint_eq(snapshot.backends[1].n_servers, 1);
	ck_assert_uint_eq(snapshot.backends[1].servers[0].scur, 5);
	ck_assert_str_eq(snapshot.backends[1].servers[0].status, "DOWN");
	ck_assert_uint_eq(snapshot.backends[0].servers[0].scur, 3);
	hastate_fini(&snapshot);
	free(both);
	free(text);
}
END_TEST

START_TEST(a_backend_in_two_places_is_refused)
{
	char *text = spoil(STATE_HEADER STATE_A STATE_C,
		STATE_HEADER STATE_A "\n" STAT_HEADER "x,a,0,0,UP,0,2,http,,1,\n"
				     "x,BACKEND,0,0,UP,,1,http,first,1,\n\n" STATE_HEADER
				     "9 x 1 a 127.0.0.1 2 0 1 - 80 0\n" STATE_C);
	struct why why;

	ck_assert_int_eq(parse(text, strlen(text), &why), HAREPLY_MALFORMED);
	ck_assert_str_eq(why.text, "a backend's servers are not together");
	free(text);
}
END_TEST

/* HAProxy has no name for "random"; a backend of mode log has servers but no connections. */
START_TEST(an_algorithm_without_a_name_is_random_only_where_connections_are_balanced)
{
	static const struct {
		const char *mode_and_algo;
		const char *algo;
	} rows[] = {
		{",1,http,unknown,", "random"},
		{",1,tcp,unknown,", "random"},
		{",1,syslog,unknown,", "syslog"},
		{",1,syslog,roundrobin,", "syslog"},
		{",1,http,hdr,", "hdr"},
		{",1,,leastconn,", "leastconn"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct hastate_snapshot snapshot;
		char *text = spoil(",1,http,leastconn,", rows[i].mode_and_algo);

		servers_of(text, &snapshot);
		ck_assert_str_eq(snapshot.backends[0].algo, rows[i].algo);
		hastate_fini(&snapshot);
		free(text);
	}
}
END_TEST

START_TEST(info_is_read_by_its_keys_and_a_long_version_is_cut)
{
	struct hastate_snapshot snapshot;
	char version[201];
	char text[512];

	memset(version, 'v', 200);
	version[200] = '\0';
	snprintf(text, sizeof(text),
		"Name: x\nStopping: 1\nUptime: 1d 2h\nUptime_sec: 93600\nStart_time_sec: 5\n"
		"Pid: 12\nPids: 99\nVersion: %s\n\n",
		version);
	servers_of(text, &snapshot);
	ck_assert(snapshot.info.stopping);
	ck_assert_int_eq(snapshot.info.pid, 12);
	ck_assert_int_eq(snapshot.info.uptime_s, 93600);
	ck_assert_int_eq(snapshot.info.start_time_s, 5);
	ck_assert_uint_eq(strlen(snapshot.info.version), sizeof(snapshot.info.version) - 1);
	ck_assert_uint_eq(snapshot.n_backends, 0);
	hastate_fini(&snapshot);
}
END_TEST

/* ---- any bytes ---- */

static void assert_sound(const struct hastate_snapshot *snapshot)
{
	for (size_t b = 0; b < snapshot->n_backends; b++) {
		const struct hastate_backend *backend = &snapshot->backends[b];

		ck_assert_ptr_nonnull(backend->name);
		ck_assert_ptr_nonnull(backend->algo);
		for (size_t i = 0; i < backend->n_servers; i++) {
			const struct hastate_server *server = &backend->servers[i];

			ck_assert(
				server->name && server->address && server->fqdn && server->status);
			ck_assert_int_le(server->uweight, 256);
			ck_assert_int_le(server->iweight, 256);
		}
	}
}

START_TEST(spoilt_bytes_do_no_harm)
{
	static const char lures[] = "\n,\" -0123456789#:\0\xff";
	size_t len;
	char *reply = read_capture(_i, "missing", &len);

	for (int round = 0; round < run_rounds(2000); round++) {
		struct hastate_snapshot snapshot;
		char *copy = malloc(len);
		struct why why;

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, reply, len);
		for (int i = rand() % 4; i >= 0; i--)
			copy[(size_t)rand() % len] = lures[(size_t)rand() % (sizeof(lures) - 1)];
		if (hareply_parse(copy, len, &snapshot, &why) == HAREPLY_OK) {
			assert_sound(&snapshot);
			hastate_fini(&snapshot);
		}
		free(copy);
	}
	free(reply);
}
END_TEST

START_TEST(every_outcome_has_words_of_its_own)
{
	for (int i = HAREPLY_OK; i <= HAREPLY_OUT_OF_MEMORY; i++) {
		for (int j = HAREPLY_OK; j < i; j++)
			ck_assert_str_ne(hareply_outcome_name((enum hareply_outcome)i),
				hareply_outcome_name((enum hareply_outcome)j));
	}
}
END_TEST

static const struct {
	const char *version;
	bool too_old;
} ages[] = {
	{"1.9.16", true},
	{"2.0", true},
	{"2.3-dev4", true},
	{"2.4.0", false},
	{"2.10.1", false},
	{"3.0.5", false},
	{"", false},
	{"2", false},
	{"2.x", false},
	{"master", false},
};

START_TEST(versions_before_2_4_are_too_old_and_what_is_none_is_not)
{
	struct hastate_info info = {.pid = 1};

	strcpy(info.version, ages[_i].version);
	ck_assert(hastate_is_too_old(&info) == ages[_i].too_old);
}
END_TEST

int main(void)
{
	const struct run_test tests[] = {
		{every_kind_of_server_is_read_from_every_version, N_VERSIONS},
		{a_socket_of_level_user_is_denied_for_what_it_hides, N_VERSIONS},
		{a_backend_that_is_not_there_does_not_spoil_the_others, N_VERSIONS},
		{an_answer_cut_at_any_byte_is_not_taken, N_VERSIONS},
		{no_bytes_at_all_are_truncated, ONCE},
		{an_unknown_command_is_seen_and_a_forbidden_one_told_apart, N_VERSIONS},
		{an_answer_is_refused_for_what_is_wrong_with_it, N_OF(spoilt)},
		{a_name_longer_than_a_line_of_haproxys_is_refused, ONCE},
		{a_nul_byte_is_refused_wherever_it_stands, ONCE},
		{servers_are_those_that_both_tables_have, ONCE},
		{rows_are_joined_by_name_and_not_by_place, ONCE},
		{rows_that_do_not_fit_cost_no_more_each_the_more_there_are, ONCE},
		{a_server_of_the_same_name_in_another_backend_is_another, ONCE},
		{a_backend_in_two_places_is_refused, ONCE},
		{an_algorithm_without_a_name_is_random_only_where_connections_are_balanced, ONCE},
		{info_is_read_by_its_keys_and_a_long_version_is_cut, ONCE},
		{spoilt_bytes_do_no_harm, N_VERSIONS},
		{every_outcome_has_words_of_its_own, ONCE},
		{versions_before_2_4_are_too_old_and_what_is_none_is_not, N_OF(ages)},
	};

	run_dice("hareply");
	return run_suite("hareply", tests, N_OF(tests));
}
