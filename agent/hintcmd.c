/* SPDX-License-Identifier: MIT */
#include "hintcmd.h"

#include <curl/curl.h>
#include <ev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/text.h"
#include "core/haproxy/haquery.h"
#include "core/haproxy/hareply.h"
#include "core/hints.h"
#include "core/terms.h"
#include "haproxy/runtime.h"

static const double PATIENCE_S = 1.0;

struct asking {
	struct ev_loop *loop;
	const struct config *config;
	const char *path; /* of the file */
	bool answered;
};

static void say(const char *text, void *arg)
{
	const struct asking *asking = arg;
	char shown[768];
	char path[256];

	fprintf(stderr, "wsbalancer: %s: warning: %s\n",
		text_show(asking->path, path, sizeof(path)), text_show(text, shown, sizeof(shown)));
}

static void say_unasked(struct asking *asking, const char *what, const char *detail)
{
	char text[768];

	snprintf(text, sizeof(text),
		"haproxy.socket: " TERM_HAPROXY_SILENT ": %s%s%s: does it run, and does 'stats "
		"socket' in haproxy.cfg name this socket?",
		what, *detail ? ": " : "", detail);
	say(text, asking);
}

static void on_state(const struct runtime_reply *reply, void *arg)
{
	struct asking *asking = arg;
	struct hastate_snapshot snapshot = {.n_backends = 0};
	struct why why = {.line = 0};
	enum hareply_outcome outcome;

	asking->answered = true;
	ev_break(asking->loop, EVBREAK_ONE);
	if (reply->outcome != RUNTIME_OK) {
		say_unasked(asking, runtime_outcome_name(reply->outcome), reply->detail);
		return;
	}
	outcome = hareply_parse(reply->bytes, reply->len, &snapshot, &why);
	if (outcome != HAREPLY_OK)
		say_unasked(asking, hareply_outcome_name(outcome), why.text);
	else
		hints_backends(asking->config, &snapshot, say, asking);
	hastate_fini(&snapshot);
}

static void on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(loop, EVBREAK_ONE);
}

static void ask(struct asking *asking)
{
	struct runtime *runtime = runtime_new(asking->loop, &asking->config->socket);
	char *line = haquery_write(NULL, 0);
	ev_timer timer;

	if (runtime && line && runtime_send(runtime, line, on_state, asking)) {
		ev_timer_init(&timer, on_patience, PATIENCE_S, 0.0);
		ev_timer_start(asking->loop, &timer);
		ev_run(asking->loop, 0);
		ev_timer_stop(asking->loop, &timer);
		if (!asking->answered)
			say_unasked(asking, "no answer within a second", "");
	}
	free(line);
	runtime_free(runtime);
}

void hintcmd_run(const struct config *config, const char *path)
{
	struct asking asking = {.config = config, .path = path};

	hints_paths(config, say, &asking);
	if (!config->has_socket)
		return;
	signal(SIGPIPE, SIG_IGN);
	asking.loop = ev_default_loop(EVFLAG_AUTO);
	if (!asking.loop || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return;
	ask(&asking);
	curl_global_cleanup();
	ev_loop_destroy(asking.loop);
}
