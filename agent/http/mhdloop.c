/* SPDX-License-Identifier: MIT */
/* libmicrohttpd's daemon and libev's watchers. */
#include "http/mhdloop.h"

#include <ev.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 128,         /* further ones wait to be accepted */
	CONNECTION_MEMORY = 32 * 1024, /* bytes for a request's line and headers */
	IDLE_S = 20,                   /* then a connection is closed */
};

/* GnuTLS's spelling of "1.2 and 1.3". */
static const char tls_versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* Without a free descriptor the listening socket stays readable: how long it is left alone. */
static const double PAUSE_S = 0.1;

struct mhdloop {
	struct ev_loop *loop;
	const struct routes *routes;
	struct MHD_Daemon *daemon; /* owns the socket */
	ev_io io;                  /* the daemon's epoll descriptor */
	ev_timer timer;            /* when the daemon wants to run without an event */
};

static unsigned connections_of(const struct mhdloop *mhdloop)
{
	return MHD_get_daemon_info(mhdloop->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		->num_connections;
}

static bool has_free_descriptor(const struct mhdloop *mhdloop)
{
	int fd = fcntl(mhdloop->io.fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Lets the daemon work, and learns when it wants to again: it watches edges, so what it has read
 * and not yet worked off raises no event. */
void mhdloop_turn(struct mhdloop *mhdloop)
{
	MHD_UNSIGNED_LONG_LONG ms;
	unsigned before;

	/* At its limit, or without a free descriptor, the daemon stops watching the listening
	 * socket, and only the run after a connection has closed watches it again. */
	do {
		before = connections_of(mhdloop);
		MHD_run(mhdloop->daemon);
	} while (connections_of(mhdloop) < before);
	ev_timer_stop(mhdloop->loop, &mhdloop->timer);
	if (before == 0 && !has_free_descriptor(mhdloop)) {
		/* With no connection that could close it watches on and takes nothing. */
		ev_io_stop(mhdloop->loop, &mhdloop->io);
		ev_timer_set(&mhdloop->timer, PAUSE_S, 0.0);
		ev_timer_start(mhdloop->loop, &mhdloop->timer);
	} else if (MHD_get_timeout(mhdloop->daemon, &ms) == MHD_YES) {
		ev_timer_set(&mhdloop->timer, (double)ms / 1000.0, 0.0);
		ev_timer_start(mhdloop->loop, &mhdloop->timer);
	}
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	mhdloop_turn(io->data);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct mhdloop *mhdloop = timer->data;

	(void)events;
	ev_io_start(loop, &mhdloop->io);
	mhdloop_turn(mhdloop);
}

static bool has_body(struct MHD_Connection *connection)
{
	static const char *const headers[] = {
		MHD_HTTP_HEADER_CONTENT_LENGTH,
		MHD_HTTP_HEADER_TRANSFER_ENCODING,
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, headers[i]))
			return true;
	}
	return false;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **seen)
{
	struct mhdloop *mhdloop = arg;
	bool held = *seen && *seen == mhdloop;
	int result;

	(void)version;
	(void)upload;
	(void)upload_len;
	/* The first call is for the headers. An answer to it ends the connection after it, which is
	 * right for a body that nobody reads and wrong for all else. */
	if (!*seen && !has_body(connection)) {
		*seen = connection;
		return MHD_YES;
	}
	result = routes_answer(mhdloop->routes, connection, url, method, &held);
	/* The next call is then for the answer. */
	if (held)
		*seen = mhdloop;
	return (enum MHD_Result)result;
}

bool mhdloop_is_pair(const char *cert, const char *key)
{
	/* A daemon that listens nowhere, for what it thinks of the two. */
	struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_TLS | MHD_USE_NO_LISTEN_SOCKET, 0,
		NULL, NULL, on_request, NULL, MHD_OPTION_HTTPS_MEM_CERT, cert,
		MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_END);

	if (daemon)
		MHD_stop_daemon(daemon);
	return daemon != NULL;
}

struct mhdloop *mhdloop_new(struct ev_loop *loop, int fd, const char *cert, const char *key,
	const struct routes *routes)
{
	const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	struct mhdloop *mhdloop = calloc(1, sizeof(*mhdloop));
	struct MHD_OptionItem limits[] = {
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	if (!mhdloop)
		return NULL;
	mhdloop->loop = loop;
	mhdloop->routes = routes;
	if (cert) {
		mhdloop->daemon = MHD_start_daemon(flags | MHD_USE_TLS, 0, NULL, NULL, on_request,
			mhdloop, MHD_OPTION_ARRAY, limits, MHD_OPTION_HTTPS_MEM_CERT, cert,
			MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_PRIORITIES, tls_versions,
			MHD_OPTION_END);
	} else {
		mhdloop->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, mhdloop,
			MHD_OPTION_ARRAY, limits, MHD_OPTION_END);
	}
	if (!mhdloop->daemon) {
		free(mhdloop);
		return NULL;
	}
	ev_io_init(&mhdloop->io, on_ready,
		MHD_get_daemon_info(mhdloop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EV_READ);
	ev_init(&mhdloop->timer, on_timeout);
	mhdloop->io.data = mhdloop;
	mhdloop->timer.data = mhdloop;
	ev_io_start(loop, &mhdloop->io);
	return mhdloop;
}

void mhdloop_free(struct mhdloop *mhdloop)
{
	if (!mhdloop)
		return;
	ev_io_stop(mhdloop->loop, &mhdloop->io);
	ev_timer_stop(mhdloop->loop, &mhdloop->timer);
	MHD_stop_daemon(mhdloop->daemon);
	free(mhdloop);
}

int mhdloop_leave(struct mhdloop *mhdloop)
{
	return MHD_quiesce_daemon(mhdloop->daemon);
}
