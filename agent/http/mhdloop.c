/* SPDX-License-Identifier: MIT */
/* libmicrohttpd's daemon and libev's watchers. */
#include "http/mhdloop.h"

#include <errno.h>
#include <ev.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/places.h"
#include "io/clock.h"

enum {
	CLOSING_MAX = 128,             /* connections that were told to go and are still there */
	CONNECTION_MEMORY = 32 * 1024, /* bytes for a request's line and headers */
	IDLE_S = 20,                   /* without a byte; then a connection is closed */
	ACCEPT_MAX = 16,               /* connections taken in one turn of the loop */
};

/* GnuTLS's spelling of "1.2 and 1.3". */
static const char tls_versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

/* Without a free descriptor the listening socket stays readable: how long it is left alone. */
static const double PAUSE_S = 0.1;
/* How often connections are looked at that take too long. */
static const double SWEEP_S = 1.0;

struct mhdloop {
	struct ev_loop *loop;
	const struct routes *routes;
	struct MHD_Daemon *daemon;
	struct places places;
	int listening;  /* the socket; -1: given back */
	ev_io accept;   /* on it */
	ev_timer pause; /* while it is left alone */
	ev_timer sweep;
	ev_io io;       /* the daemon's epoll descriptor */
	ev_timer timer; /* when the daemon wants to run without an event */
};

/* Lets the daemon work, and learns when it wants to again: it watches edges, so what it has read
 * and not yet worked off raises no event. */
void mhdloop_turn(struct mhdloop *mhdloop)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(mhdloop->daemon);
	ev_timer_stop(mhdloop->loop, &mhdloop->timer);
	if (MHD_get_timeout(mhdloop->daemon, &ms) == MHD_YES) {
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
	(void)loop;
	(void)events;
	mhdloop_turn(timer->data);
}

/* ---- connections ---- */

static void pause_accept(struct mhdloop *mhdloop)
{
	ev_io_stop(mhdloop->loop, &mhdloop->accept);
	ev_timer_stop(mhdloop->loop, &mhdloop->pause);
	ev_timer_set(&mhdloop->pause, PAUSE_S, 0.0);
	ev_timer_start(mhdloop->loop, &mhdloop->pause);
}

static void on_pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct mhdloop *mhdloop = timer->data;

	(void)events;
	if (mhdloop->listening >= 0)
		ev_io_start(loop, &mhdloop->accept);
}

/* Accepts a connection that waits. False when there is none, or it cannot be accepted. */
static bool accept_one(struct mhdloop *mhdloop)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	int fd = accept4(mhdloop->listening, (struct sockaddr *)&address, &len,
		SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			/* In a moment there may be a descriptor. */
			places_make_room(&mhdloop->places, clock_now_ms());
			pause_accept(mhdloop);
		}
		return errno == EINTR || errno == ECONNABORTED;
	}
	if (!places_add(&mhdloop->places, fd, (struct sockaddr *)&address, clock_now_ms())) {
		close(fd);
		return true;
	}
	/* The socket is the daemon's from now on, whatever comes of it; it begins as it runs. */
	MHD_add_connection(mhdloop->daemon, fd, (struct sockaddr *)&address, len);
	MHD_run(mhdloop->daemon);
	places_forget_unbegun(&mhdloop->places);
	return true;
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
	struct mhdloop *mhdloop = io->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPT_MAX && accept_one(mhdloop); i++) {
	}
	mhdloop_turn(mhdloop);
}

static void on_sweep(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct mhdloop *mhdloop = timer->data;

	(void)loop;
	(void)events;
	if (places_sweep(&mhdloop->places, clock_now_ms()))
		mhdloop_turn(mhdloop);
}

/* The daemon has begun with a connection, or ended it. */
static void on_connection(void *arg, struct MHD_Connection *connection, void **place,
	enum MHD_ConnectionNotificationCode what)
{
	struct mhdloop *mhdloop = arg;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		struct place *found = places_find(&mhdloop->places,
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				->connect_fd);

		if (found)
			found->begun = true;
		*place = found;
	} else if (*place) {
		places_remove(&mhdloop->places, *place);
	}
}

static void enter(struct MHD_Connection *connection, enum place_state state)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	if (info && info->socket_context)
		places_enter(info->socket_context, state, clock_now_ms());
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **seen,
	enum MHD_RequestTerminationCode how)
{
	(void)arg;
	(void)seen;
	(void)how;
	enter(connection, PLACE_IDLE);
}

/* ---- requests ---- */

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
	if (!*seen || held)
		enter(connection, PLACE_ANSWER);
	/* The first call is for the headers. An answer to it ends the connection after it, which is
	 * right for a body that nobody reads and wrong for all else. */
	if (!*seen && !has_body(connection)) {
		*seen = connection;
		return MHD_YES;
	}
	result = routes_answer(mhdloop->routes, connection, url, method, &held);
	/* The next call is then for the answer. */
	if (held) {
		*seen = mhdloop;
		enter(connection, PLACE_HELD);
	}
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

static struct MHD_Daemon *start_daemon(struct mhdloop *mhdloop, const char *cert, const char *key)
{
	const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem limits[] = {
		{MHD_OPTION_CONNECTION_LIMIT, PLACES_MAX + CLOSING_MAX, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	if (!cert) {
		return MHD_start_daemon(flags, 0, NULL, NULL, on_request, mhdloop, MHD_OPTION_ARRAY,
			limits, MHD_OPTION_NOTIFY_CONNECTION, on_connection, mhdloop,
			MHD_OPTION_NOTIFY_COMPLETED, on_completed, mhdloop, MHD_OPTION_END);
	}
	return MHD_start_daemon(flags | MHD_USE_TLS, 0, NULL, NULL, on_request, mhdloop,
		MHD_OPTION_ARRAY, limits, MHD_OPTION_NOTIFY_CONNECTION, on_connection, mhdloop,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, mhdloop, MHD_OPTION_HTTPS_MEM_CERT, cert,
		MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_HTTPS_PRIORITIES, tls_versions,
		MHD_OPTION_END);
}

struct mhdloop *mhdloop_new(struct ev_loop *loop, int fd, const char *cert, const char *key,
	const struct routes *routes)
{
	struct mhdloop *mhdloop = calloc(1, sizeof(*mhdloop));

	if (!mhdloop)
		return NULL;
	mhdloop->loop = loop;
	mhdloop->routes = routes;
	mhdloop->listening = fd;
	places_init(&mhdloop->places, routes->stats);
	mhdloop->daemon = start_daemon(mhdloop, cert, key);
	if (!mhdloop->daemon) {
		free(mhdloop);
		return NULL;
	}
	ev_io_init(&mhdloop->io, on_ready,
		MHD_get_daemon_info(mhdloop->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, EV_READ);
	ev_io_init(&mhdloop->accept, on_accept, fd, EV_READ);
	ev_init(&mhdloop->timer, on_timeout);
	ev_init(&mhdloop->pause, on_pause_over);
	ev_timer_init(&mhdloop->sweep, on_sweep, SWEEP_S, SWEEP_S);
	mhdloop->io.data = mhdloop;
	mhdloop->accept.data = mhdloop;
	mhdloop->timer.data = mhdloop;
	mhdloop->pause.data = mhdloop;
	mhdloop->sweep.data = mhdloop;
	ev_io_start(loop, &mhdloop->io);
	ev_io_start(loop, &mhdloop->accept);
	ev_timer_start(loop, &mhdloop->sweep);
	return mhdloop;
}

int mhdloop_leave(struct mhdloop *mhdloop)
{
	int fd = mhdloop->listening;

	ev_io_stop(mhdloop->loop, &mhdloop->accept);
	ev_timer_stop(mhdloop->loop, &mhdloop->pause);
	mhdloop->listening = -1;
	return fd;
}

void mhdloop_free(struct mhdloop *mhdloop)
{
	int fd;

	if (!mhdloop)
		return;
	fd = mhdloop_leave(mhdloop);
	if (fd >= 0)
		close(fd);
	ev_io_stop(mhdloop->loop, &mhdloop->io);
	ev_timer_stop(mhdloop->loop, &mhdloop->timer);
	ev_timer_stop(mhdloop->loop, &mhdloop->sweep);
	MHD_stop_daemon(mhdloop->daemon);
	/* Those that the daemon had not begun with. */
	while (mhdloop->places.first)
		places_remove(&mhdloop->places, mhdloop->places.first);
	free(mhdloop);
}
