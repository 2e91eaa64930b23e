/* SPDX-License-Identifier: MIT */
/* wsload: WebSocket clients by the thousand that check every echo, for tests and by hand. */
#include "load.h"
#include "opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct load_plan plan;
	struct target *targets; /* owned */
	size_t n_targets;
	int64_t allow_failed, allow_dropped;
	bool no_replace;
};

static bool take_target(void *out, const char *value, const char **why)
{
	struct options *options = out;
	struct target *grown = realloc(options->targets, (options->n_targets + 1) * sizeof(*grown));
	*why = "is one for which memory ran out";
	if (!grown)
		return false;
	options->targets = grown;
	if (!target_init(&options->targets[options->n_targets], value, why))
		return false;
	options->n_targets++;
	return true;
}

static bool take_spread(void *out, const char *value, const char **why)
{
	static const char *const names[] = {
		[LOAD_FIXED] = "fixed",
		[LOAD_EXPONENTIAL] = "exponential",
		[LOAD_LOGNORMAL] = "lognormal",
	};
	*why = "must be fixed, exponential or lognormal";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]) != 0)
			continue;
		*(enum load_spread *)out = (enum load_spread)i;
		return true;
	}
	return false;
}

static bool take_storm(void *out, const char *value, const char **why)
{
	struct load_plan *plan = out;
	struct load_storm storm;
	char at[32];
	*why = "must be SECOND:FRACTION, as in 20:0.5 (16 of them at most)";
	size_t bytes = strcspn(value, ":");
	if (value[bytes] == '\0' || bytes >= sizeof(at) || plan->n_storms == LOAD_STORMS)
		return false;
	memcpy(at, value, bytes);
	at[bytes] = '\0';
	if (!opt_real(at, 0.0, 1e6, &storm.at_s) ||
		!opt_real(value + bytes + 1, 0.0, 1.0, &storm.fraction))
		return false;
	plan->storms[plan->n_storms++] = storm;
	return true;
}

static const char after[] = "A connection that wsload ends (lifetime, storm, end of the run) "
			    "counts as closed, one that\n"
			    "somebody else ends as dropped, an attempt that comes to no WebSocket "
			    "as failed. An echo that\n"
			    "differs is wrong, one that does not come in time is lost. The time of "
			    "an echo counts from\n"
			    "when its message was due. Once all connections stand, `standing N "
			    "after T s` is printed on\n"
			    "stderr.\n"
			    "\n"
			    "SIGINT and SIGTERM end the run in good order, a second one at once.\n"
			    "Exit: 0 if nothing was wrong or lost and failed and dropped stayed "
			    "within their limits, 1\n"
			    "if not, 2 for a wrong command line.\n";

static enum opt_result read_options(struct options *o, int argc, char **argv)
{
	struct load_plan *p = &o->plan;
	const struct opt opts[] = {
		OPT_TAKE("target", "URL", take_target, o,
			"ws://HOST:PORT/PATH; again: one more, in turn (ws://127.0.0.1:8080/)"),
		OPT_WHOLE(
			"connections", "N", &p->connections, 1, 1000000, "to keep standing (100)"),
		OPT_REAL("rate", "N", &p->rate, 0.001, 1e6, "opened a second at the start (500)"),
		OPT_REAL("lifetime", "S", &p->lifetime_s, 0.0, 1e7,
			"mean of a connection's life; 0: no end (0)"),
		OPT_TAKE("lifetime-spread", "KIND", take_spread, &p->spread,
			"fixed, exponential or lognormal (exponential)"),
		OPT_FLAG("no-replace", &o->no_replace, "do not open another when a life ends"),
		OPT_REAL("message-interval", "S", &p->message_interval_s, 0.0, 1e6,
			"between the messages of a client; 0: none (1)"),
		OPT_WHOLE(
			"message-bytes", "N", &p->message_bytes, 0, 64 << 20, "of a message (64)"),
		OPT_FLAG("text", &p->text, "send text, not binary"),
		OPT_REAL("ping-interval", "S", &p->ping_interval_s, 0.0, 1e6,
			"between pings of a client; 0: none (0)"),
		OPT_REAL("reconnect-ms", "MS", &p->reconnect_ms, 1.0, 1e6,
			"wait after a drop, half to one and a half of it, doubled for\n"
			"each failure in a row, 30 s at most (1000)"),
		OPT_TAKE("storm", "S:FRACTION", take_storm, p,
			"at that second this share closes and reconnects; again: one more"),
		OPT_REAL("duration", "S", &p->duration_s, 0.0, 1e7,
			"of the run; 0: until a signal (0)"),
		OPT_REAL("connect-timeout", "S", &p->handshake_s, 0.1, 1e4,
			"for the connection and its handshake, at each address (10)"),
		OPT_REAL("echo-timeout", "S", &p->echo_s, 0.1, 1e4, "then an echo is lost (10)"),
		OPT_TEXT("subprotocol", "NAME", &p->subprotocol, "ask for this subprotocol"),
		OPT_FLAG("deflate", &p->deflate, "offer permessage-deflate"),
		OPT_FLAG("insecure", &p->insecure, "accept any certificate of wss://"),
		OPT_WHOLE("seed", "N", &p->seed, INT64_MIN, INT64_MAX, "of all random choices (1)"),
		OPT_WHOLE("allow-failed", "N", &o->allow_failed, 0, INT64_MAX,
			"limit for exit 0 (0)"),
		OPT_WHOLE("allow-dropped", "N", &o->allow_dropped, 0, INT64_MAX,
			"limit for exit 0 (0)"),
		OPT_FLAG("progress", &p->progress, "a line on stderr every second"),
		OPT_FLAG("verbose", &p->verbose, "print what libwebsockets complains of"),
		OPT_FLAG("json", &p->json, "the report as one JSON object, progress as JSON lines"),
	};
	return opt_read("wsload", "WebSocket clients that check every echo.", opts,
		sizeof(opts) / sizeof(opts[0]), after, argc, argv);
}

/* Runs the plan and writes the report; the exit status. */
static int run(struct options *options)
{
	struct load load;
	if (!load_start(&load, &options->plan, options->targets, options->n_targets))
		return 1;
	load_run(&load);
	const struct tally *tally = &load.tally;
	const struct tally_report report = {
		.tally = tally,
		.targets = options->targets,
		.n_targets = options->n_targets,
		.connections = options->plan.connections,
		.message_bytes = options->plan.message_bytes,
		.ran_s = load_age_s(&load),
		.ok = tally->failed <= (uint64_t)options->allow_failed &&
		      tally->dropped <= (uint64_t)options->allow_dropped && tally->wrong == 0 &&
		      tally->lost == 0,
	};
	tally_write(&report, stdout, options->plan.json);
	load_stop(&load);
	return report.ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct options options = {
		.plan.connections = 100,
		.plan.rate = 500.0,
		.plan.spread = LOAD_EXPONENTIAL,
		.plan.message_interval_s = 1.0,
		.plan.message_bytes = 64,
		.plan.reconnect_ms = 1000.0,
		.plan.handshake_s = 10.0,
		.plan.echo_s = 10.0,
		.plan.seed = 1,
	};
	int status = 2;
	const char *ignored;
	switch (read_options(&options, argc, argv)) {
	case OPT_HELP:
		status = 0;
		break;
	case OPT_WRONG:
		break;
	case OPT_OK:
		options.plan.replace = !options.no_replace;
		status = 1;
		if (options.n_targets > 0 ||
			take_target(&options, "ws://127.0.0.1:8080/", &ignored))
			status = run(&options);
		break;
	}
	for (size_t i = 0; i < options.n_targets; i++)
		target_fini(&options.targets[i]);
	free(options.targets);
	return status;
}
