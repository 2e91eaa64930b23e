/* SPDX-License-Identifier: MIT */
/* libwebsockets on libev, for thousands of connections in one process. */
#include "loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { SERV_BUF_BYTES = 65536 + 256 };

const lws_retry_bo_t loop_no_idle_ping;

static const struct lws_extension deflate[] = {
	{"permessage-deflate", lws_extension_callback_pm_deflate,
		"permessage-deflate; client_no_context_takeover; client_max_window_bits"},
	{NULL, NULL, NULL},
};

static void raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The libev glue of libwebsockets 4.1 looks at timeouts after a descriptor was served, and never
 * moves its timer forward when a nearer timeout is set: waking it is what keeps them in time. */
static void on_tick(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct loop *loop = timer->data;
	(void)ev;
	(void)revents;
	lws_cancel_service(loop->lws);
}

static void on_signal(struct ev_loop *ev, ev_signal *signal, int revents)
{
	struct loop *loop = signal->data;
	(void)ev;
	(void)revents;
	loop->on_stop(loop);
}

static bool make_context(struct loop *loop, const struct loop_setup *setup)
{
	void *foreign[] = {loop->ev};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = setup->protocols,
		.options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
			   LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.foreign_loops = foreign,
		.pt_serv_buf_size = SERV_BUF_BYTES,
		.timeout_secs = (unsigned)setup->handshake_s,
		.connect_timeout_secs = (unsigned)setup->handshake_s,
		.retry_and_idle_policy = &loop_no_idle_ping,
		.keepalive_timeout = 75,
		.extensions = setup->deflate ? deflate : NULL,
		.alpn = "http/1.1",
		.vhost_name = "field",
	};
	if (setup->client_tls)
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	if (setup->cert) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = setup->cert;
		info.ssl_private_key_filepath = setup->key;
		info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	}

	loop->lws = lws_create_context(&info);
	if (!loop->lws)
		return false;
	loop->vhost = lws_create_vhost(loop->lws, &info);
	return loop->vhost != NULL;
}

bool loop_start(struct loop *loop, const char *program, const struct loop_setup *setup)
{
	*loop = (struct loop){.on_stop = setup->on_stop, .owner = setup->owner};
	raise_file_limit();
	/* It logs the mistakes of peers as errors; what matters of them is counted. */
	lws_set_log_level(setup->verbose ? LLL_ERR | LLL_WARN : 0, NULL);
	/* libwebsockets would take these for every connection of ours. */
	unsetenv("http_proxy");
	unsetenv("socks_proxy");

	loop->ev = ev_loop_new(EVFLAG_NOENV);
	if (!loop->ev || !make_context(loop, setup)) {
		fprintf(stderr, "%s: cannot set up libwebsockets on libev (--verbose says why)\n",
			program);
		lws_context_destroy(loop->lws);
		if (loop->ev)
			ev_loop_destroy(loop->ev);
		return false;
	}

	ev_timer_init(&loop->tick, on_tick, 0.25, 0.25);
	loop->tick.data = loop;
	ev_timer_start(loop->ev, &loop->tick);
	ev_signal_init(&loop->on_int, on_signal, SIGINT);
	ev_signal_init(&loop->on_term, on_signal, SIGTERM);
	loop->on_int.data = loop;
	loop->on_term.data = loop;
	ev_signal_start(loop->ev, &loop->on_int);
	ev_signal_start(loop->ev, &loop->on_term);
	return true;
}

void loop_run(struct loop *loop)
{
	ev_run(loop->ev, 0);
}

void loop_break(struct loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

void loop_stop(struct loop *loop)
{
	ev_timer_stop(loop->ev, &loop->tick);
	ev_signal_stop(loop->ev, &loop->on_int);
	ev_signal_stop(loop->ev, &loop->on_term);
	lws_context_destroy(loop->lws);
	ev_loop_destroy(loop->ev);
	*loop = (struct loop){0};
}

int64_t loop_now_us(void)
{
	return lws_now_usecs();
}

void loop_timer_start(struct loop *loop, ev_timer *timer, int64_t us)
{
	ev_timer_stop(loop->ev, timer);
	/* libev counts from the start of the turn; a long turn must not shorten the wait. */
	ev_now_update(loop->ev);
	ev_timer_set(timer, (double)us / 1e6, 0.0);
	ev_timer_start(loop->ev, timer);
}
