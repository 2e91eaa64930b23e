/* SPDX-License-Identifier: MIT */
/* wspod: a WebSocket echo pod with /metric, for tests and by hand. */
#include "opt.h"
#include "pod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PODS = 10000, MAX_SUBPROTOCOLS = 16 };

struct options {
	struct opt_address *listen; /* owned */
	size_t n_listen;
	const char *subprotocols[MAX_SUBPROTOCOLS];
	size_t n_subprotocols;
	bool no_subprotocol;
	struct pod_setup pods;
};

static bool take_listen(void *out, const char *value, const char **why)
{
	struct options *options = out;
	struct opt_address address = {0};
	*why = "must be ADDR:PORT, as in 127.0.0.1:0 or [::1]:8080";
	if (!opt_address(value, &address))
		return false;
	*why = "is one too many, or memory ran out";
	if (options->n_listen == MAX_PODS)
		return false;
	struct opt_address *grown =
		realloc(options->listen, (options->n_listen + 1) * sizeof(*grown));
	if (!grown)
		return false;
	options->listen = grown;
	options->listen[options->n_listen++] = address;
	return true;
}

static bool take_subprotocol(void *out, const char *value, const char **why)
{
	struct options *options = out;
	*why = "must be a word of 1 to 63 letters, digits or one of -._ (16 of them at most)";
	size_t length = strlen(value);
	if (length == 0 || length > 63 || options->n_subprotocols == MAX_SUBPROTOCOLS ||
		value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._")] != '\0')
		return false;
	options->subprotocols[options->n_subprotocols++] = value;
	return true;
}

static bool take_path(void *out, const char *value, const char **why)
{
	*why = "must begin with '/' and have no '?'";
	if (value[0] != '/' || strchr(value, '?'))
		return false;
	*(const char **)out = value;
	return true;
}

static bool take_lie(void *out, const char *value, const char **why)
{
	struct pod_metric *metric = out;
	*why = "must be a whole number, below 0 too";
	metric->lies = opt_whole(value, INT64_MIN, INT64_MAX, &metric->lie);
	return metric->lies;
}

static const char after[] =
	"POD_NAME, POD_IP and NODE_NAME are reported by /metric when they are set. With several\n"
	"--listen each pod's name has its index appended, as in POD_NAME-0.\n"
	"\n"
	"Paths: /metric, /health, and /truth, which is /metric without delay and lies, answer plain\n"
	"requests; every path takes WebSockets.\n"
	"\n"
	"Signals: SIGUSR1 turns \"draining\" on and off, SIGUSR2 the silence of /metric. SIGTERM\n"
	"and SIGINT stop listening, close every WebSocket with 1001 and end within a second.\n"
	"\n"
	"On stdout comes one line `listening ADDR:PORT` for each pod once it accepts connections.\n"
	"Exit: 0 after a signal, 1 when it cannot listen, 2 for a wrong command line.\n";

static enum opt_result read_options(struct options *o, int argc, char **argv)
{
	struct pod_metric *m = &o->pods.metric;
	const struct opt opts[] = {
		OPT_TAKE("listen", "ADDR:PORT", take_listen, o,
			"where to listen; port 0: a free one; again: one more pod\n"
			"of its own in this process (127.0.0.1:8080)"),
		OPT_TAKE("metric-path", "PATH", take_path, &m->path, "path of the count (/metric)"),
		OPT_WHOLE("capacity", "N", &m->capacity, 1, INT32_MAX, "report \"capacity\": N"),
		OPT_FLAG("draining", &m->draining, "report \"draining\": true from the start"),
		OPT_TAKE("lie", "N", take_lie, m, "always report N connections"),
		OPT_WHOLE("metric-status", "CODE", &m->status, 200, 599,
			"answer /metric with this HTTP status (200)"),
		OPT_TEXT(
			"metric-body", "TEXT", &m->body, "answer /metric with TEXT, not with JSON"),
		OPT_WHOLE("metric-delay", "MS", &m->delay_ms, 0, 3600000,
			"answer /metric that much later"),
		OPT_WHOLE("metric-every", "MS", &m->every_ms, 0, 3600000,
			"count anew when the last count is so old, as applications\n"
			"do that write a gauge now and then (0)"),
		OPT_FLAG("no-metric", &m->silent, "take requests for /metric and never answer"),
		OPT_TAKE("subprotocol", "NAME", take_subprotocol, o,
			"accept this subprotocol; again: one more (echo)"),
		OPT_FLAG("no-subprotocol", &o->no_subprotocol, "accept none by name"),
		OPT_FLAG("deflate", &o->pods.deflate, "accept permessage-deflate"),
		OPT_WHOLE("buffer", "BYTES", &o->pods.buffer_bytes, 512, 65536,
			"receive buffer of each connection (4096)"),
		OPT_TEXT("cert", "FILE", &o->pods.cert, "serve TLS with this certificate (PEM)"),
		OPT_TEXT("key", "FILE", &o->pods.key, "and its key"),
		OPT_FLAG("verbose", &o->pods.verbose, "print what libwebsockets complains of"),
	};
	return opt_read("wspod", "A WebSocket echo pod that reports its connections at /metric.",
		opts, sizeof(opts) / sizeof(opts[0]), after, argc, argv);
}

/* What only the whole command line shows. */
static bool complete(struct options *options)
{
	const char *ignored;
	if (options->n_listen == 0 && !take_listen(options, "127.0.0.1:8080", &ignored))
		return false;
	if (options->no_subprotocol)
		options->n_subprotocols = 0;
	else if (options->n_subprotocols == 0)
		options->subprotocols[options->n_subprotocols++] = "echo";
	if (!options->pods.cert != !options->pods.key) {
		opt_complain("wspod", "--cert and --key go together");
		return false;
	}
	return true;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);
	return value && value[0] ? value : NULL;
}

int main(int argc, char **argv)
{
	struct options options = {
		.pods.metric = {.path = "/metric", .status = 200},
		.pods.buffer_bytes = 4096,
	};
	int status = 2;
	switch (read_options(&options, argc, argv)) {
	case OPT_HELP:
		status = 0;
		goto out;
	case OPT_WRONG:
		goto out;
	case OPT_OK:
		break;
	}
	if (!complete(&options))
		goto out;

	options.pods.listen = options.listen;
	options.pods.n_listen = options.n_listen;
	options.pods.subprotocols = options.subprotocols;
	options.pods.n_subprotocols = options.n_subprotocols;
	options.pods.name = environment("POD_NAME");
	options.pods.ip = environment("POD_IP");
	options.pods.node = environment("NODE_NAME");
	struct pod_host host;
	status = 1;
	if (pod_host_start(&host, &options.pods)) {
		pod_host_run(&host);
		status = 0;
		if (pod_host_is_crowded(&host))
			_exit(status);
		pod_host_stop(&host);
	}
out:
	free(options.listen);
	return status;
}
