/* SPDX-License-Identifier: MIT */
/* Writes to standard error without waiting. */
#include "io/logsink.h"

#include <errno.h>
#include <ev.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const double AGAIN_S = 0.2;
enum { FINISH_MS = 100, FINISH_STEP_MS = 10 };

/* Beside log.c's, the only state of the program that is not in a struct of its owner: every module
 * logs. */
static struct {
	char waiting[LOGSINK_WAITING_MAX]; /* whole lines, but for the first, which may be begun */
	size_t len;
	uint64_t n_lost;
	struct ev_loop *loop;
	ev_timer again;
} sink;

/* Bytes that were taken; 0: none for now. What stderr refuses for good counts as taken. */
static size_t write_some(const char *bytes, size_t len)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	/* A pipe with room takes so many bytes at once, without a wait. */
	size_t most = len < PIPE_BUF ? len : PIPE_BUF;
	ssize_t n;

	if (poll(&out, 1, 0) != 1)
		return 0;
	/* A stream socket, such as the journal's, may have less room. */
	n = send(STDERR_FILENO, bytes, most, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno == ENOTSOCK)
		n = write(STDERR_FILENO, bytes, most);
	if (n >= 0)
		return (size_t)n;
	return errno == EAGAIN || errno == EINTR ? 0 : len;
}

static size_t write_all(const char *bytes, size_t len)
{
	size_t done = 0;
	size_t n;

	while (done < len && (n = write_some(bytes + done, len - done)) > 0)
		done += n;
	return done;
}

/* Puts the rest of a line behind those that wait. False when it does not fit. */
static bool keep(const char *bytes, size_t len)
{
	if (len > sizeof(sink.waiting) - sink.len)
		return false;
	memcpy(sink.waiting + sink.len, bytes, len);
	sink.len += len;
	if (sink.loop && !ev_is_active(&sink.again))
		ev_timer_again(sink.loop, &sink.again);
	return true;
}

static void say_lost(void)
{
	char line[100];
	int len = snprintf(line, sizeof(line),
		"wsbalancer: %llu lines of the log were lost: nobody read them in time\n",
		(unsigned long long)sink.n_lost);

	sink.n_lost = 0;
	size_t done = write_all(line, (size_t)len);
	keep(line + done, (size_t)len - done);
}

void logsink_flush(void)
{
	size_t done = write_all(sink.waiting, sink.len);

	memmove(sink.waiting, sink.waiting + done, sink.len - done);
	sink.len -= done;
	if (sink.len == 0 && sink.n_lost > 0)
		say_lost();
}

void logsink_finish(void)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	for (int i = 0; i < FINISH_MS / FINISH_STEP_MS && (sink.len > 0 || sink.n_lost > 0); i++) {
		poll(&out, 1, FINISH_STEP_MS);
		logsink_flush();
	}
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	logsink_flush();
	if (sink.len == 0)
		ev_timer_stop(loop, timer);
}

void logsink_watch(struct ev_loop *loop)
{
	if (sink.loop)
		ev_timer_stop(sink.loop, &sink.again);
	sink.loop = loop;
	ev_timer_init(&sink.again, on_again, 0.0, AGAIN_S);
	if (loop && sink.len > 0)
		ev_timer_again(loop, &sink.again);
}

void logsink_write(const char *line, size_t len)
{
	size_t done = 0;

	if (sink.len > 0)
		logsink_flush();
	if (sink.len == 0)
		done = write_all(line, len);
	if (done < len && !keep(line + done, len - done))
		sink.n_lost++;
}
