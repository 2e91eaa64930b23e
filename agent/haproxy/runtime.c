/* SPDX-License-Identifier: MIT */
/* Lines of commands over short connections. */
#include "haproxy/runtime.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "haproxy/sockethelp.h"
#include "io/clock.h"
#include "io/curlloop.h"

enum {
	CHUNK = 64 * 1024,            /* bytes read at a time */
	REPLY_MAX = 16 * 1024 * 1024, /* 10,000 servers answer about 4 MB */
	TIMEOUT_MS = 5000,            /* from connecting to the last byte */
	KEPT_MIN = 1024 * 1024,       /* bytes of room that are kept whatever came last */
	KEPT_TIMES = 4,               /* the last answer's size */
};

/* A line on its way. */
struct command {
	struct command *next;
	char *line;
	size_t len;
	runtime_done done;
	void *arg;
};

/*
 * libcurl makes the connection, which may need a name resolved, and lends its socket; the rest is
 * reading and writing.
 */
struct runtime {
	struct ev_loop *loop;
	struct config_endpoint endpoint;
	struct curlloop *curlloop;
	ev_timer kick; /* starts the first command from the loop, not from the caller's stack */
	ev_timer deadline;
	ev_io io;
	struct command *first; /* under way when easy is not NULL */
	struct command **last;
	CURL *easy;
	char error[CURL_ERROR_SIZE];
	int os_error; /* of a connection that was not made; 0: none */
	int64_t started_ms;
	size_t written;
	struct buf reply;
};

const char *runtime_outcome_name(enum runtime_outcome outcome)
{
	switch (outcome) {
	case RUNTIME_OK:
		return "ok";
	case RUNTIME_NO_CONNECTION:
		return "no connection";
	case RUNTIME_BROKEN:
		return "broken";
	case RUNTIME_TIMED_OUT:
		return "timed out";
	case RUNTIME_TOO_LARGE:
		return "too large";
	case RUNTIME_OUT_OF_MEMORY:
		return "out of memory";
	}
	return "?";
}

static void command_free(struct command *command)
{
	if (!command)
		return;
	/* It may have carried a key. */
	explicit_bzero(command->line, command->len);
	free(command->line);
	free(command);
}

/* Ends the connection, not the command. */
static void hang_up(struct runtime *runtime)
{
	ev_io_stop(runtime->loop, &runtime->io);
	ev_timer_stop(runtime->loop, &runtime->deadline);
	if (!runtime->easy)
		return;
	curlloop_remove(runtime->curlloop, runtime->easy);
	curl_easy_cleanup(runtime->easy);
	runtime->easy = NULL;
}

static void kick(struct runtime *runtime)
{
	if (runtime->first && !runtime->easy && !ev_is_active(&runtime->kick)) {
		ev_timer_set(&runtime->kick, 0.0, 0.0);
		ev_timer_start(runtime->loop, &runtime->kick);
	}
}

/* Ends the command under way and tells its owner. The owner may send more from the callback. */
static void finish(struct runtime *runtime, enum runtime_outcome outcome, const char *detail)
{
	struct command *command = runtime->first;
	struct runtime_reply reply = {
		.outcome = outcome,
		.bytes = runtime->reply.bytes,
		.len = runtime->reply.len,
		.detail = detail,
		.is_gone = outcome == RUNTIME_NO_CONNECTION &&
			   (runtime->os_error == ENOENT || runtime->os_error == ECONNREFUSED),
		.seconds = (double)(clock_now_ms() - runtime->started_ms) / 1000.0,
	};

	hang_up(runtime);
	runtime->first = command->next;
	if (!runtime->first)
		runtime->last = &runtime->first;
	command->done(&reply, command->arg);
	command_free(command);
	kick(runtime);
}

static void read_reply(struct runtime *runtime)
{
	ssize_t got;

	if (!buf_reserve(&runtime->reply, CHUNK)) {
		finish(runtime, RUNTIME_OUT_OF_MEMORY, "out of memory");
		return;
	}
	/* All the room there is: an answer that once came will fit again. */
	got = recv(runtime->io.fd, runtime->reply.bytes + runtime->reply.len,
		runtime->reply.room - runtime->reply.len - 1, MSG_DONTWAIT);
	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			finish(runtime, RUNTIME_BROKEN, strerror(errno));
	} else if (got == 0) {
		finish(runtime, RUNTIME_OK, "");
	} else {
		runtime->reply.len += (size_t)got;
		runtime->reply.bytes[runtime->reply.len] = '\0';
		if (runtime->reply.len > REPLY_MAX)
			finish(runtime, RUNTIME_TOO_LARGE, "the answer is over 16 MiB");
	}
}

static void write_line(struct runtime *runtime)
{
	const struct command *command = runtime->first;
	ssize_t put = send(runtime->io.fd, command->line + runtime->written,
		command->len - runtime->written, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (put < 0) {
		if (errno != EAGAIN && errno != EINTR)
			finish(runtime, RUNTIME_BROKEN, strerror(errno));
		return;
	}
	runtime->written += (size_t)put;
	if (runtime->written < command->len)
		return;
	/* The master's command line answers only then; the others do not mind. */
	shutdown(runtime->io.fd, SHUT_WR);
	ev_io_stop(runtime->loop, &runtime->io);
	ev_io_set(&runtime->io, runtime->io.fd, EV_READ);
	ev_io_start(runtime->loop, &runtime->io);
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct runtime *runtime = io->data;

	(void)loop;
	if ((events & EV_WRITE) != 0)
		write_line(runtime);
	else
		read_reply(runtime);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	finish(timer->data, RUNTIME_TIMED_OUT, "no answer in 5 s");
}

/* Why there is no connection, in the system's words where it gave any: libcurl's are of the host in
 * the URL, which does not exist for a Unix socket. */
static void describe_failure(struct runtime *runtime, CURLcode result)
{
	const struct config_endpoint *endpoint = &runtime->endpoint;
	long number = 0;

	curl_easy_getinfo(runtime->easy, CURLINFO_OS_ERRNO, &number);
	runtime->os_error = (int)number;
	if (number != 0 && endpoint->path) {
		sockethelp_describe(
			endpoint->path, (int)number, runtime->error, sizeof(runtime->error));
	} else if (number != 0) {
		snprintf(runtime->error, sizeof(runtime->error), "%s port %u: %s", endpoint->host,
			endpoint->port, strerror((int)number));
	} else if (runtime->error[0] == '\0') {
		snprintf(runtime->error, sizeof(runtime->error), "%s", curl_easy_strerror(result));
	}
}

/* The connection stands, or will not. */
static void on_connected(CURL *easy, CURLcode result, void *arg)
{
	struct runtime *runtime = arg;
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (result == CURLE_OK)
		result = curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
	if (result != CURLE_OK || fd == CURL_SOCKET_BAD) {
		describe_failure(runtime, result);
		finish(runtime, RUNTIME_NO_CONNECTION, runtime->error);
		return;
	}
	ev_io_set(&runtime->io, fd, EV_WRITE);
	ev_io_start(runtime->loop, &runtime->io);
}

static CURL *make_easy(struct runtime *runtime)
{
	const struct config_endpoint *endpoint = &runtime->endpoint;
	CURL *easy = curl_easy_init();
	char *url = NULL;

	if (!easy)
		return NULL;
	/* The scheme stands for "plain TCP"; no HTTP is spoken. */
	if (endpoint->path) {
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, endpoint->path);
		curl_easy_setopt(easy, CURLOPT_URL, "http://haproxy/");
	} else {
		char address[TEXT_ENDPOINT_SIZE];

		text_format_endpoint(endpoint->host, endpoint->port, address, sizeof(address));
		if (asprintf(&url, "http://%s/", address) < 0) {
			curl_easy_cleanup(easy);
			return NULL;
		}
		curl_easy_setopt(easy, CURLOPT_URL, url);
		free(url);
	}
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, runtime->error);
	return easy;
}

/* Room is kept for an answer like the last, not for one that was far larger. */
static void clear_reply(struct buf *reply)
{
	if (reply->room > KEPT_MIN && reply->room / KEPT_TIMES > reply->len)
		buf_fini(reply);
	else
		buf_clear(reply);
}

static void on_kick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct runtime *runtime = timer->data;

	(void)loop;
	(void)events;
	if (!runtime->first || runtime->easy)
		return;
	runtime->written = 0;
	clear_reply(&runtime->reply);
	runtime->error[0] = '\0';
	runtime->os_error = 0;
	runtime->started_ms = clock_now_ms();
	runtime->easy = make_easy(runtime);
	ev_timer_set(&runtime->deadline, TIMEOUT_MS / 1000.0, 0.0);
	ev_timer_start(runtime->loop, &runtime->deadline);
	if (!runtime->easy || !curlloop_add(runtime->curlloop, runtime->easy))
		finish(runtime, RUNTIME_OUT_OF_MEMORY, "out of memory");
}

struct runtime *runtime_new(struct ev_loop *loop, const struct config_endpoint *endpoint)
{
	struct runtime *runtime = calloc(1, sizeof(*runtime));

	if (!runtime)
		return NULL;
	runtime->loop = loop;
	runtime->last = &runtime->first;
	ev_init(&runtime->io, on_io);
	ev_init(&runtime->kick, on_kick);
	ev_init(&runtime->deadline, on_deadline);
	runtime->io.data = runtime;
	runtime->kick.data = runtime;
	runtime->deadline.data = runtime;
	runtime->endpoint.port = endpoint->port;
	runtime->endpoint.path = endpoint->path ? strdup(endpoint->path) : NULL;
	runtime->endpoint.host = endpoint->host ? strdup(endpoint->host) : NULL;
	runtime->curlloop = curlloop_new(loop, 1, 0, on_connected, runtime);
	if (!runtime->curlloop || (!runtime->endpoint.path && !runtime->endpoint.host)) {
		runtime_free(runtime);
		return NULL;
	}
	return runtime;
}

void runtime_free(struct runtime *runtime)
{
	if (!runtime)
		return;
	hang_up(runtime);
	ev_timer_stop(runtime->loop, &runtime->kick);
	while (runtime->first) {
		struct command *command = runtime->first;

		runtime->first = command->next;
		command_free(command);
	}
	curlloop_free(runtime->curlloop);
	free(runtime->endpoint.path);
	free(runtime->endpoint.host);
	buf_fini(&runtime->reply);
	free(runtime);
}

bool runtime_send(struct runtime *runtime, const char *line, runtime_done done, void *arg)
{
	struct command *command = calloc(1, sizeof(*command));

	if (!command)
		return false;
	command->line = strdup(line);
	command->len = strlen(line);
	command->done = done;
	command->arg = arg;
	if (!command->line) {
		free(command);
		return false;
	}
	*runtime->last = command;
	runtime->last = &command->next;
	kick(runtime);
	return true;
}
