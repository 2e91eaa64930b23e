/* SPDX-License-Identifier: MIT */
/* libmicrohttpd inside the libev loop. */
#include "httpd.h"

#include <ev.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "listener.h"
#include "routes.h"

enum {
	CONNECTIONS_MAX = 128,          /* further ones wait to be accepted */
	CONNECTION_MEMORY = 32 * 1024,  /* bytes for a request's line and headers */
	IDLE_S = 20,                    /* then a connection is closed */
};

/* One listening socket and the daemon on it. */
struct door {
	struct httpd *httpd;
	struct MHD_Daemon *daemon; /* owns the socket */
	ev_io io;                  /* the daemon's epoll descriptor */
	ev_timer timer;            /* when the daemon wants to run without an event */
};

/* Copies of the options. */
struct settings {
	struct routes routes;
	struct config_endpoint listen;
	char *tls_cert;
	char *tls_key;
};

struct httpd {
	struct ev_loop *loop;
	struct settings settings;
	struct door doors[LISTENER_MAX];
	size_t n_doors;
};

static unsigned connections_of(const struct door *door)
{
	return MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		->num_connections;
}

/* Lets the daemon work, and learns when it wants to again: it watches edges, so what it has read
 * and not yet worked off raises no event. */
static void turn(struct door *door)
{
	struct ev_loop *loop = door->httpd->loop;
	MHD_UNSIGNED_LONG_LONG ms;
	unsigned before;

	/* At its limit the daemon stops watching the listening socket, and only the run after a
	 * connection has closed watches it again. */
	do {
		before = connections_of(door);
		MHD_run(door->daemon);
	} while (before >= CONNECTIONS_MAX && connections_of(door) < CONNECTIONS_MAX);
	ev_timer_stop(loop, &door->timer);
	if (MHD_get_timeout(door->daemon, &ms) == MHD_YES) {
		ev_timer_set(&door->timer, (double)ms / 1000.0, 0.0);
		ev_timer_start(loop, &door->timer);
	}
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	turn(io->data);
}

static void on_timeout(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	turn(timer->data);
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
	const char *method, const char *version, const char *upload, size_t *upload_len, void **seen)
{
	const struct httpd *httpd = arg;

	(void)version;
	(void)upload;
	(void)upload_len;
	/* The first call is for the headers. An answer to it ends the connection after it, which is
	 * right for a body that nobody reads and wrong for all else. */
	if (!*seen && !has_body(connection)) {
		*seen = connection;
		return MHD_YES;
	}
	return (enum MHD_Result)routes_answer(&httpd->settings.routes, connection, url, method);
}

/* Takes over fd, also on failure. */
static bool open_door(struct httpd *httpd, int fd)
{
	struct door *door = &httpd->doors[httpd->n_doors];
	const struct settings *settings = &httpd->settings;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, settings->tls_cert},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, settings->tls_key},
		{MHD_OPTION_END, 0, NULL},
	};
	bool has_tls = settings->tls_cert;

	door->httpd = httpd;
	door->daemon = MHD_start_daemon(MHD_USE_EPOLL | (has_tls ? (unsigned)MHD_USE_TLS : 0U), 0, NULL, NULL, on_request, httpd,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_ARRAY, has_tls ? tls : &tls[2],
		MHD_OPTION_END);
	if (!door->daemon) {
		close(fd);
		return false;
	}

	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	ev_io_init(&door->io, on_ready, info->epoll_fd, EV_READ);
	ev_init(&door->timer, on_timeout);
	door->io.data = door;
	door->timer.data = door;
	ev_io_start(httpd->loop, &door->io);
	httpd->n_doors++;
	return true;
}

static void close_doors(struct httpd *httpd)
{
	for (size_t i = 0; i < httpd->n_doors; i++) {
		struct door *door = &httpd->doors[i];

		ev_io_stop(httpd->loop, &door->io);
		ev_timer_stop(httpd->loop, &door->timer);
		MHD_stop_daemon(door->daemon);
	}
	httpd->n_doors = 0;
}

static bool open_doors(struct httpd *httpd, char *error, size_t size)
{
	int fds[LISTENER_MAX];
	size_t n = listener_open(&httpd->settings.listen, fds, error, size);

	for (size_t i = 0; i < n; i++) {
		if (open_door(httpd, fds[i]))
			continue;
		snprintf(error, size, "the HTTP server does not start%s",
			httpd->settings.tls_cert ? "; are certificate and key a pair?" : "");
		while (++i < n)
			close(fds[i]);
		close_doors(httpd);
		return false;
	}
	return n > 0;
}

/* strdup that keeps NULL; *ok turns false when out of memory. */
static char *copy(const char *s, bool *ok)
{
	char *t = s ? strdup(s) : NULL;

	if (s && !t)
		*ok = false;
	return t;
}

static void free_settings(struct settings *settings)
{
	free(settings->routes.balancer_metric_path);
	free(settings->routes.token);
	free(settings->listen.host);
	free(settings->tls_cert);
	free(settings->tls_key);
}

static bool copy_settings(struct settings *settings, const struct httpd_options *options,
	char *error, size_t size)
{
	bool ok = true;

	memset(settings, 0, sizeof(*settings));
	settings->routes.balancer_metric_path = copy(options->balancer_metric_path, &ok);
	settings->routes.token = copy(options->token, &ok);
	settings->routes.view = options->view;
	settings->routes.arg = options->arg;
	settings->listen.host = copy(options->listen->host, &ok);
	settings->listen.port = options->listen->port;
	settings->tls_cert = copy(options->tls_cert, &ok);
	settings->tls_key = copy(options->tls_key, &ok);
	if (!ok) {
		snprintf(error, size, "out of memory");
		free_settings(settings);
	}
	return ok;
}

struct httpd *httpd_new(struct ev_loop *loop, const struct httpd_options *options, char *error,
	size_t size)
{
	struct httpd *httpd = calloc(1, sizeof(*httpd));

	if (!httpd) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	httpd->loop = loop;
	if (!copy_settings(&httpd->settings, options, error, size)) {
		free(httpd);
		return NULL;
	}
	if (!open_doors(httpd, error, size)) {
		httpd_free(httpd);
		return NULL;
	}
	return httpd;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same_door(const struct settings *a, const struct settings *b)
{
	return is_same(a->listen.host, b->listen.host) &&
		a->listen.port == b->listen.port && is_same(a->tls_cert, b->tls_cert) &&
		is_same(a->tls_key, b->tls_key);
}

bool httpd_configure(struct httpd *httpd, const struct httpd_options *options, char *error,
	size_t size)
{
	struct settings old = httpd->settings;
	struct settings wanted;
	char ignored[1];

	if (!copy_settings(&wanted, options, error, size))
		return false;
	if (!is_same_door(&old, &wanted)) {
		/* The new address may overlap the old one, so the old sockets go first. */
		close_doors(httpd);
		httpd->settings = wanted;
		if (!open_doors(httpd, error, size)) {
			httpd->settings = old;
			free_settings(&wanted);
			open_doors(httpd, ignored, sizeof(ignored));
			return false;
		}
	}
	httpd->settings = wanted;
	free_settings(&old);
	return true;
}

void httpd_free(struct httpd *httpd)
{
	if (!httpd)
		return;
	close_doors(httpd);
	free_settings(&httpd->settings);
	free(httpd);
}
