/* SPDX-License-Identifier: MIT */
/* The event loop that the field tools share: libwebsockets on libev.
 *
 * The poll() loop inside libwebsockets hands every descriptor to the kernel at every turn, and its
 * timers are a sorted list that each insertion walks. With thousands of connections both cost more
 * than the work, so descriptors wait in libev's epoll and our own timers in libev's heap. */
#ifndef FIELD_LOOP_H
#define FIELD_LOOP_H

#include <ev.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdint.h>

/* libwebsockets would else ping each connection after five idle minutes, by a timer for each. */
extern const lws_retry_bo_t loop_no_idle_ping;

struct loop {
	struct ev_loop *ev;
	struct lws_context *lws;
	struct lws_vhost *vhost; /* the only one; it does not listen */
	ev_timer tick;           /* lets libwebsockets look at its own timeouts */
	ev_signal on_int, on_term;
	void (*on_stop)(struct loop *loop);
	void *owner;
};

struct loop_setup {
	const struct lws_protocols *protocols; /* live as long as the loop */
	int handshake_s;                       /* for a peer that does not finish its handshake */
	bool deflate;                          /* offer or accept permessage-deflate */
	const char *cert, *key;                /* PEM files to serve TLS with; NULL: plain */
	bool client_tls;                       /* some connections of ours may be wss:// */
	bool verbose;                          /* errors and warnings of libwebsockets on stderr */
	void (*on_stop)(struct loop *loop);    /* SIGINT or SIGTERM came; maybe not the first */
	void *owner;                           /* for on_stop */
};

/* Raises the limit of open files as far as it goes and sets up loop and context in the caller's
 * memory. On false one line on stderr says why, and nothing is left to free. */
bool loop_start(struct loop *loop, const char *program, const struct loop_setup *setup);

/* Runs until loop_break(). */
void loop_run(struct loop *loop);

/* Ends loop_run() when the callback that runs now has returned. */
void loop_break(struct loop *loop);

/* Closes all connections at once (their callbacks still run) and frees everything. Watchers of the
 * caller's own must be stopped before. */
void loop_stop(struct loop *loop);

/* Monotonic microseconds, read now. */
int64_t loop_now_us(void);

/* The start-or-restart of a one-shot timer, counted from now and not from the loop's last turn. */
void loop_timer_start(struct loop *loop, ev_timer *timer, int64_t us);

#endif
