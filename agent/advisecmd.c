/* SPDX-License-Identifier: MIT */
#include "advisecmd.h"

#include <ev.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commandline.h"
#include "cli/options.h"
#include "core/advice_words.h"
#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/haproxy/haquery.h"
#include "core/haproxy/hareply.h"
#include "core/haproxy/procs.h"
#include "haproxy/runtime.h"
#include "haproxy/siblings.h"
#include "io/clock.h"
#include "io/configfile.h"

static const double EVERY_S = 1.0;
/* Where Debian's unit puts it. */
static char DEFAULT_MASTER[] = "/run/haproxy-master.sock";

enum { FAILED_MAX = 3 };

enum { OLD_MAX = 32 }; /* old workers that are read; more are counted as not seen */

struct advise {
	struct ev_loop *loop;
	struct runtime *runtime;
	struct runtime *master; /* NULL: none, or given up */
	bool must_have_master;  /* it was named */
	ev_timer tick;
	ev_timer end;
	ev_signal stop[2];
	bool asking;
	struct advice advice;

	/* Of the reading under way. */
	int64_t old_pids[OLD_MAX];
	struct hastate_snapshot old[OLD_MAX];
	size_t n_old;
	size_t n_asked; /* of the old workers that the master has named */
	struct procs procs;
	struct buf reply; /* of one old worker */
	unsigned n_parts; /* answers that are still to come */

	unsigned n_failed; /* before the first reading */
	char failure[768]; /* the last one in words; "" where there was none */
};

static void print(const char *line, void *arg)
{
	char shown[1024];

	(void)arg;
	puts(text_show(line, shown, sizeof(shown)));
}

static void fail(struct advise *advise, const char *what, const char *detail)
{
	snprintf(advise->failure, sizeof(advise->failure), "%s%s%s", what,
		detail && *detail ? ": " : "", detail ? detail : "");
	advise->asking = false;
	/* A HAProxy that answered once may be back in a moment. */
	if (advise->advice.n_readings == 0 && ++advise->n_failed == FAILED_MAX)
		ev_break(advise->loop, EVBREAK_ONE);
}

static void forget_old(struct advise *advise)
{
	for (size_t i = 0; i < advise->n_old; i++)
		hastate_fini(&advise->old[i]);
	advise->n_old = 0;
	procs_fini(&advise->procs);
}

/* ---- a reading ends ---- */

static void observe(struct advise *advise, const struct hastate_snapshot *snapshot)
{
	struct advice_workers workers = {.sight = ADVICE_BLIND};
	int64_t *pids = NULL;

	if (advise->master && procs_has(&advise->procs, snapshot->info.pid)) {
		workers = (struct advice_workers){.sight = ADVICE_READ,
			.pids = advise->old_pids,
			.n = advise->n_old,
			.snapshots = advise->old};
	} else if (siblings_find(snapshot->info.pid, &pids, &workers.n)) {
		workers.sight = ADVICE_COUNTED;
		workers.pids = pids;
	}
	if (!advice_observe(&advise->advice, snapshot, &workers, clock_now_ms()))
		fail(advise, "out of memory", NULL);
	free(pids);
}

static void on_state(const struct runtime_reply *reply, void *arg)
{
	struct advise *advise = arg;
	struct hastate_snapshot snapshot;
	enum hareply_outcome outcome;
	struct why why = {.line = 0};

	if (reply->outcome != RUNTIME_OK) {
		fail(advise, runtime_outcome_name(reply->outcome), reply->detail);
		return;
	}
	outcome = hareply_parse(reply->bytes, reply->len, &snapshot, &why);
	if (outcome != HAREPLY_OK) {
		fail(advise, hareply_outcome_name(outcome), why.text);
		return;
	}
	/* An answer of a worker on its way out says nothing. */
	if (!snapshot.info.stopping)
		observe(advise, &snapshot);
	hastate_fini(&snapshot);
	advise->asking = false;
}

static void ask_worker(struct advise *advise)
{
	char *line = haquery_write(NULL, 0);

	if (!line || !runtime_send(advise->runtime, line, on_state, advise))
		fail(advise, "out of memory", NULL);
	free(line);
}

/* ---- old workers ---- */

static void ask_next_old(struct advise *advise);

static void on_old_part(const struct runtime_reply *reply, void *arg)
{
	struct advise *advise = arg;

	if (reply->outcome == RUNTIME_OK)
		buf_append(&advise->reply, reply->bytes, reply->len);
	if (--advise->n_parts > 0)
		return;
	/* One that has ended meanwhile has no answer, and holds nothing. */
	if (hareply_parse(buf_text(&advise->reply), advise->reply.len, &advise->old[advise->n_old],
		    NULL) == HAREPLY_OK)
		advise->n_old++;
	ask_next_old(advise);
}

/* The master leads each line to the worker that it names, and what follows a semicolon to itself.
 */
static bool ask_old(struct advise *advise, int64_t pid)
{
	static const char *const commands[] = {
		"show stat -1 6 -1", "show servers state", "show info"};

	buf_clear(&advise->reply);
	advise->n_parts = 0;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char line[80];

		snprintf(line, sizeof(line), "@!%" PRId64 " %s\n", pid, commands[i]);
		if (!runtime_send(advise->master, line, on_old_part, advise))
			return advise->n_parts > 0;
		advise->n_parts++;
	}
	return true;
}

static void ask_next_old(struct advise *advise)
{
	while (advise->n_asked < advise->procs.n && advise->n_old < OLD_MAX) {
		const struct procs_worker *worker = &advise->procs.workers[advise->n_asked++];

		if (!worker->old)
			continue;
		advise->old_pids[advise->n_old] = worker->pid;
		if (ask_old(advise, worker->pid))
			return;
	}
	ask_worker(advise);
}

static void on_procs(const struct runtime_reply *reply, void *arg)
{
	struct advise *advise = arg;

	if (reply->outcome == RUNTIME_OK && procs_read(reply->bytes, reply->len, &advise->procs)) {
		ask_next_old(advise);
		return;
	}
	if (advise->must_have_master) {
		fail(advise, "the master socket",
			reply->outcome == RUNTIME_OK ? "it knows no 'show proc': is it that of -S?"
						     : reply->detail);
		return;
	}
	ask_worker(advise);
}

/* ---- the time ---- */

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct advise *advise = timer->data;

	(void)loop;
	(void)events;
	if (advise->asking)
		return;
	advise->asking = true;
	advise->n_asked = 0;
	forget_old(advise);
	if (!advise->master)
		ask_worker(advise);
	else if (!runtime_send(advise->master, "show proc\n", on_procs, advise))
		fail(advise, "out of memory", NULL);
}

static void on_end(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(loop, EVBREAK_ONE);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)watcher;
	(void)events;
	ev_break(loop, EVBREAK_ONE);
}

static void watch(struct advise *advise, int64_t watch_ms)
{
	static const int signals[] = {SIGINT, SIGTERM};

	ev_timer_init(&advise->tick, on_tick, 0.0, EVERY_S);
	ev_timer_init(&advise->end, on_end, (double)watch_ms / 1000.0, 0.0);
	advise->tick.data = advise;
	ev_timer_start(advise->loop, &advise->tick);
	ev_timer_start(advise->loop, &advise->end);
	for (size_t i = 0; i < 2; i++) {
		ev_signal_init(&advise->stop[i], on_signal, signals[i]);
		ev_signal_start(advise->loop, &advise->stop[i]);
	}
	ev_run(advise->loop, 0);
	for (size_t i = 0; i < 2; i++)
		ev_signal_stop(advise->loop, &advise->stop[i]);
	ev_timer_stop(advise->loop, &advise->end);
	ev_timer_stop(advise->loop, &advise->tick);
}

/* ---- all of it ---- */

/* Where HAProxy is: as named, as configured, or where Debian has it. The strings are the
 * configuration's or static. */
static bool find_socket(
	const struct commandline *options, struct config *config, struct config_endpoint *out)
{
	static char default_socket[] = "/run/haproxy/admin.sock";
	const char *path = options->config_path;
	struct config_mistakes mistakes;

	*out = (struct config_endpoint){.path = options->socket ? options->socket : default_socket};
	if (options->socket || (!path && access(OPTIONS_DEFAULT_CONFIG, F_OK) != 0))
		return true;
	path = path ? path : OPTIONS_DEFAULT_CONFIG;
	if (!configfile_load(path, config, &mistakes)) {
		configfile_complain(path, &mistakes);
		return false;
	}
	if (!config->has_socket) {
		fprintf(stderr, "wsbalancer advise: %s: no haproxy.socket to look through\n", path);
		return false;
	}
	*out = config->socket;
	return true;
}

static bool prepare(struct advise *advise, const struct commandline *options,
	const struct config_endpoint *socket)
{
	char *master = options->master;
	struct config_endpoint endpoint;

	if (!master && access(DEFAULT_MASTER, R_OK | W_OK) == 0)
		master = DEFAULT_MASTER;
	endpoint = (struct config_endpoint){.path = master};
	advise->must_have_master = options->master != NULL;
	advise->loop = ev_default_loop(EVFLAG_AUTO);
	if (!advise->loop)
		return false;
	advise->runtime = runtime_new(advise->loop, socket);
	if (master)
		advise->master = runtime_new(advise->loop, &endpoint);
	return advise->runtime && (advise->master || !master);
}

static int look(struct advise *advise, const struct commandline *options,
	const struct config_endpoint *socket)
{
	char place[TEXT_ENDPOINT_SIZE];
	char time[24];

	if (!prepare(advise, options, socket)) {
		fputs("wsbalancer advise: out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	if (socket->path)
		snprintf(place, sizeof(place), "%s", socket->path);
	else
		text_format_endpoint(socket->host, socket->port, place, sizeof(place));
	printf("looking at the HAProxy of %s for %s; Ctrl-C ends it earlier. Nothing is changed, no "
	       "pod is asked.\n",
		place, text_format_duration(options->watch_ms, time, sizeof(time)));
	fflush(stdout);
	watch(advise, options->watch_ms);
	if (advise->advice.n_readings == 0) {
		fprintf(stderr, "wsbalancer advise: %s: %s\n", place,
			*advise->failure ? advise->failure : "no answer");
		return EXIT_FAILURE;
	}
	advice_tell(&advise->advice, print, NULL);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct commandline *options)
{
	struct advise advise = {.n_old = 0};
	struct config config = {.has_socket = false};
	struct config_endpoint socket;
	int status = EXIT_FAILURE;

	signal(SIGPIPE, SIG_IGN);
	if (find_socket(options, &config, &socket))
		status = look(&advise, options, &socket);
	runtime_free(advise.runtime);
	runtime_free(advise.master);
	forget_old(&advise);
	buf_fini(&advise.reply);
	advice_fini(&advise.advice);
	config_fini(&config);
	if (advise.loop)
		ev_loop_destroy(advise.loop);
	return status;
}

int advisecmd_main(int argc, char **argv)
{
	return commandline_main(argc, argv, run);
}
