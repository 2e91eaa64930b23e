/* SPDX-License-Identifier: MIT */
/* A host of WebSocket echo pods: each has its own listening address and its own count.
 *
 * All connections live in one libwebsockets context. pod_listen.c accepts them, pod_call.c keeps
 * them until they say something, pod.c keeps the counts, pod_http.c answers plain requests, and
 * pod_echo.c answers WebSockets. */
#ifndef FIELD_POD_H
#define FIELD_POD_H

#include "loop.h"
#include "opt.h"

/* What /metric says besides the honest count, and how it misbehaves. */
struct pod_metric {
	const char *path; /* without a query, as in "/metric" */
	int64_t lie;      /* reported in place of the count, if lies */
	bool lies;
	int64_t capacity; /* reported as "capacity", if above 0 */
	int64_t status;   /* of HTTP: 200, or a test's */
	const char *body; /* the whole body in place of the JSON, or NULL */
	int64_t delay_ms; /* before the answer */
	int64_t every_ms; /* a count stands so long before it is taken anew; 0: never */
	bool silent;      /* takes the request and never answers; SIGUSR2 turns it over */
	bool draining;    /* says "draining": true; SIGUSR1 turns it over */
};

struct pod {
	struct pod_host *host;
	ev_io acceptor;
	ev_timer pause; /* out of descriptors: accepts again when it fires */
	bool paused;    /* said so once */
	int fd;         /* -1: does not listen any more */
	uint32_t n_websockets;
	uint32_t n_kept; /* of them, as /metric counted last, at kept_us */
	int64_t kept_us; /* 0: never */
	char *name;      /* owned; NULL: not told */
};

struct pod_caller;

/* Connections that libwebsockets does not have yet. */
struct pod_callers {
	struct pod_caller *silent;       /* owned: have said nothing yet */
	struct pod_caller *heard, **end; /* owned: have, and wait for their turn, in order */
	ev_timer turn;                   /* the next turn of the loop takes some of these */
};

struct pod_host {
	struct loop loop;
	struct pod_metric metric;
	const char *ip, *node; /* NULL: not told */
	struct pod *pods;      /* owned, n_pods */
	size_t n_pods;
	struct pod_callers callers;
	uint32_t n_connections;   /* of all pods, all kinds, but for callers */
	uint32_t n_websockets;    /* of all pods, open or closing */
	bool closing;             /* every WebSocket is to close with 1001 */
	struct pod_session *open; /* WebSockets that were not yet asked to close */
	int n_closing;            /* asked, and not yet closed */
	ev_timer closer;
	struct lws_protocols *protocols; /* owned */
	char offered[64];                /* the name of protocols[0], see pod.c */
	ev_signal on_usr1, on_usr2;
	ev_timer deadline;
};

struct pod_setup {
	const struct opt_address *listen; /* one for each pod; port 0: the kernel chooses */
	size_t n_listen;
	struct pod_metric metric;
	const char *name, *ip, *node; /* NULL: not told */
	const char **subprotocols;    /* accepted by name */
	size_t n_subprotocols;
	int64_t buffer_bytes; /* for what a connection receives in one turn */
	bool deflate;         /* accept permessage-deflate */
	bool verbose;         /* print what libwebsockets complains of */
	const char *cert, *key;
};

/* Listens, and prints `listening ADDR:PORT` for each pod in order on stdout. On false one line on
 * stderr says why, and nothing is left to free. The host must not move afterwards; what the setup
 * points to lives as long as it. */
bool pod_host_start(struct pod_host *host, const struct pod_setup *setup);

/* Serves until SIGTERM or SIGINT; then stops listening, closes every WebSocket with 1001 and
 * returns within a second. */
void pod_host_run(struct pod_host *host);

/* Frees everything. With thousands of connections that takes seconds: see pod_host_is_crowded(). */
void pod_host_stop(struct pod_host *host);

/* So many connections are left that a program that ends should leave them to the kernel:
 * libwebsockets looks at all connections for each that it closes. */
bool pod_host_is_crowded(const struct pod_host *host);

/* What follows is between pod.c, pod_http.c and pod_echo.c only. */

struct pod_piece;

/* One connection. libwebsockets allocates and zeroes it, and does so anew when HTTP becomes a
 * WebSocket. */
struct pod_session {
	struct lws *wsi;
	/* A plain request whose answer waits. */
	ev_timer delay;
	bool answers_later;
	/* A WebSocket. */
	struct pod_session *next, **link; /* in pod_host.open; link is NULL outside it */
	bool counted, closes;
	bool deflates;                  /* permessage-deflate was negotiated */
	struct pod_piece *first, *last; /* to be sent, in order */
	struct pod_piece *sent;         /* may still be read by the deflater */
	size_t queued_bytes;
	bool stalled;              /* too much is queued: receives no more */
	struct pod_piece *partial; /* receives the bytes of the current message */
	bool continues;            /* an earlier part of that message was queued already */
};

/* The pod that accepted this connection. */
struct pod *pod_of(struct lws *wsi);

/* Listens, and accepts connections; false leaves why in errno. */
bool pod_listen(struct pod *pod, const struct opt_address *address);

/* Prints where it listens on stdout, as users write addresses. */
void pod_announce(const struct pod *pod);

/* Listens no more; the connections stay. */
void pod_ignore(struct pod *pod);

/* A connection was accepted: it is libwebsockets' once it has said something. */
void pod_call(struct pod *pod, int fd);
void pod_callers_init(struct pod_host *host);

/* Closes those that are not libwebsockets' yet. */
void pod_hang_up(struct pod_host *host);

/* A WebSocket was established, or is closed. */
void pod_add(struct pod *pod, struct pod_session *session);
void pod_remove(struct pod *pod, struct pod_session *session);

/* The callbacks of libwebsockets for either kind of connection; what they return is for it. */
int pod_http_event(struct lws *wsi, enum lws_callback_reasons reason, struct pod_session *session,
	const char *path);
int pod_echo_event(struct lws *wsi, enum lws_callback_reasons reason, struct pod_session *session,
	const void *in, size_t len);

#endif
