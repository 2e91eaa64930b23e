/* SPDX-License-Identifier: MIT */
#include "checkcmd.h"

#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commandline.h"
#include "cli/options.h"
#include "core/base/text.h"
#include "core/checkup.h"
#include "core/haproxy/haquery.h"
#include "core/haproxy/hareply.h"
#include "core/settings.h"
#include "haproxy/runtime.h"
#include "io/clock.h"
#include "io/configfile.h"
#include "io/localaddr.h"
#include "pods/poller.h"

static const double TICK_S = 0.05;

struct check {
	struct ev_loop *loop;
	struct config config;
	struct cluster *cluster;
	struct runtime *runtime; /* NULL: agent-check alone */
	struct hastate_snapshot snapshot;
	char cli_level[32];
	bool has_snapshot;
	unsigned n_faults;
};

static void say(enum checkup_level level, const char *text, void *arg)
{
	static const char *const names[] = {
		[CHECKUP_OK] = "ok", [CHECKUP_WARNING] = "warning", [CHECKUP_FAULT] = "fault"};
	struct check *check = arg;
	char shown[1024];

	check->n_faults += level == CHECKUP_FAULT;
	printf("%-8s %s\n", names[level], text_show(text, shown, sizeof(shown)));
}

/* ---- HAProxy ---- */

static void on_level(const struct runtime_reply *reply, void *arg)
{
	struct check *check = arg;

	if (reply->outcome == RUNTIME_OK)
		snprintf(check->cli_level, sizeof(check->cli_level), "%.*s", (int)reply->len,
			reply->bytes);
	ev_break(check->loop, EVBREAK_ONE);
}

static void on_state(const struct runtime_reply *reply, void *arg)
{
	struct check *check = arg;
	enum hareply_outcome outcome;
	struct why why = {.line = 0};
	char text[768];

	if (reply->outcome != RUNTIME_OK) {
		snprintf(text, sizeof(text),
			"HAProxy: %s: %s: does 'stats socket' in haproxy.cfg name this socket, and may "
			"this user open it?",
			runtime_outcome_name(reply->outcome), reply->detail);
		say(CHECKUP_FAULT, text, check);
		ev_break(check->loop, EVBREAK_ONE);
		return;
	}
	outcome = hareply_parse(reply->bytes, reply->len, &check->snapshot, &why);
	check->has_snapshot = outcome == HAREPLY_OK;
	if (!check->has_snapshot) {
		snprintf(text, sizeof(text), "HAProxy: %s%s%s", hareply_outcome_name(outcome),
			*why.text ? ": " : "", why.text);
		say(CHECKUP_FAULT, text, check);
		ev_break(check->loop, EVBREAK_ONE);
	}
}

static bool ask_haproxy(struct check *check)
{
	char *line = haquery_write(NULL, 0);
	bool ok = line && runtime_send(check->runtime, line, on_state, check) &&
		  runtime_send(check->runtime, "show cli level\n", on_level, check);

	free(line);
	if (!ok) {
		say(CHECKUP_FAULT, "out of memory", check);
		return false;
	}
	ev_run(check->loop, 0);
	if (!check->has_snapshot)
		return false;
	checkup_haproxy(&check->snapshot.info, check->cli_level, say, check);
	checkup_clock(&check->snapshot.info, clock_wall_ms() / 1000, say, check);
	return true;
}

/* ---- the pods ---- */

static void on_answer(struct pod *pod, const struct poller_result *result, void *arg)
{
	(void)arg;
	if (result->outcome == METRIC_OK && pod_weigh(pod, result->metric) != METRIC_OK)
		pod_observe(pod, METRIC_NO_SAMPLE, NULL, NULL, result->at_ms);
	else
		pod_observe(pod, result->outcome, result->metric, result->detail, result->at_ms);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	const struct check *check = timer->data;
	static int n_left = 200; /* ten seconds: longer than any poll of many pods */

	(void)events;
	if (cluster_is_first_round_done(check->cluster) || --n_left == 0)
		ev_break(loop, EVBREAK_ONE);
}

static bool ask_pods(struct check *check)
{
	struct poller *poller = poller_new(check->loop, &check->config, on_answer, check);
	ev_timer tick;

	if (!poller ||
		!cluster_update(check->cluster, &check->snapshot, clock_now_ms(), NULL, NULL) ||
		!poller_sync(poller, check->cluster, 1.0, 1.0)) {
		poller_free(poller);
		say(CHECKUP_FAULT, "out of memory", check);
		return false;
	}
	ev_timer_init(&tick, on_tick, TICK_S, TICK_S);
	tick.data = check;
	ev_timer_start(check->loop, &tick);
	ev_run(check->loop, 0);
	ev_timer_stop(check->loop, &tick);
	poller_free(poller);
	return true;
}

/* ---- all of it ---- */

static bool prepare(struct check *check)
{
	struct cluster_settings settings;

	check->loop = ev_default_loop(EVFLAG_AUTO);
	if (!check->loop || !settings_for_cluster(&check->config, 0, &settings))
		return false;
	settings.selection.is_local = localaddr_is_own;
	check->cluster = cluster_new(&settings);
	cluster_settings_fini(&settings);
	if (check->config.has_socket)
		check->runtime = runtime_new(check->loop, &check->config.socket);
	return check->cluster && (check->runtime || !check->config.has_socket);
}

static void run(struct check *check)
{
	if (!prepare(check)) {
		say(CHECKUP_FAULT, "out of memory", check);
		return;
	}
	if (check->runtime && !ask_haproxy(check))
		return;
	if (!check->runtime && !settings_snapshot(&check->config, &check->snapshot)) {
		say(CHECKUP_FAULT, "out of memory", check);
		return;
	}
	if (ask_pods(check))
		checkup_cluster(check->cluster, &check->config, say, check);
}

static int check_configured(const struct commandline *options)
{
	struct check check = {.n_faults = 0};
	struct config_mistakes mistakes;
	const char *path = options->config_path ? options->config_path : OPTIONS_DEFAULT_CONFIG;

	if (!configfile_load(path, &check.config, &mistakes)) {
		configfile_complain(path, &mistakes);
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	say(CHECKUP_OK, path, &check);
	run(&check);
	runtime_free(check.runtime);
	hastate_fini(&check.snapshot);
	cluster_free(check.cluster);
	config_fini(&check.config);
	if (check.loop)
		ev_loop_destroy(check.loop);
	return check.n_faults > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int checkcmd_main(int argc, char **argv)
{
	return commandline_main(argc, argv, check_configured);
}
