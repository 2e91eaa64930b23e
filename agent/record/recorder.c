/* SPDX-License-Identifier: MIT */
/* The record's lines, to a child that writes them. */
#include "record/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/record/record.h"
#include "core/record/record_write.h"
#include "io/clock.h"
#include "io/log.h"
#include "record/recordfile.h"
#include "record/recordwriter.h"

enum { RESTART_MS = 2000 }; /* between two children */

struct recorder {
	struct ev_loop *loop;
	char *path;
	uint64_t max_bytes;
	struct stats *stats;
	struct recordwriter writer; /* the child */
	ev_io readable;
	ev_io writable;
	int64_t restart_ms; /* no other child before this */
	struct recordfile_head head;
	char *line;  /* under way, behind its head; NULL: none */
	size_t sent; /* of head and line */
	char *next;  /* to follow when that one is answered; NULL: none */
	size_t next_len;
	int error;         /* as said last; 0: all is well */
	uint64_t n_failed; /* since then */
	struct log_repeat busy;
};

static void drop_line(struct recorder *recorder)
{
	free(recorder->line);
	recorder->line = NULL;
}

static void drop_next(struct recorder *recorder)
{
	free(recorder->next);
	recorder->next = NULL;
}

static void stop_child(struct recorder *recorder)
{
	ev_io_stop(recorder->loop, &recorder->readable);
	ev_io_stop(recorder->loop, &recorder->writable);
	recordwriter_end(&recorder->writer);
	drop_line(recorder);
	drop_next(recorder);
}

/* ---- how it goes ---- */

static const char *explain(int error)
{
	switch (error) {
	case EWOULDBLOCK:
		return "another process writes to the file";
	case EFBIG:
		return "a round is longer than recordMaxSize, or than a file may be here";
	case EINVAL:
		return "not a regular file";
	case ECHILD:
		return "the process that writes the file has ended";
	default:
		return strerror(error);
	}
}

/* Says an error when it is another than before. */
static void fail(struct recorder *recorder, int error)
{
	recorder->stats->records[STATS_RECORD_FAILED]++;
	recorder->n_failed++;
	if (recorder->error == error)
		return;
	recorder->error = error;
	log_error("rounds are not recorded", log_str("file", recorder->path),
		log_str("error", explain(error)));
}

static void succeed(struct recorder *recorder)
{
	recorder->stats->records[STATS_RECORD_WRITTEN]++;
	if (recorder->error != 0)
		log_info("rounds are recorded again", log_str("file", recorder->path),
			log_int("left_out", (int64_t)recorder->n_failed));
	recorder->error = 0;
	recorder->n_failed = 0;
}

static void on_child_ended(struct recorder *recorder)
{
	stop_child(recorder);
	fail(recorder, ECHILD);
}

/* ---- a line ---- */

/* What is still to be sent; how many parts it has. */
static size_t rest_of(struct recorder *recorder, struct iovec parts[2])
{
	const size_t head = sizeof(recorder->head);
	size_t sent = recorder->sent;
	size_t n = 0;

	if (sent < head)
		parts[n++] = (struct iovec){(char *)&recorder->head + sent, head - sent};
	sent = sent < head ? 0 : sent - head;
	if (sent < recorder->head.len)
		parts[n++] = (struct iovec){recorder->line + sent, recorder->head.len - sent};
	return n;
}

/* Sends what the child takes now; the rest when it takes more. */
static void send_rest(struct recorder *recorder)
{
	struct iovec parts[2];
	struct msghdr message = {.msg_iov = parts};

	while ((message.msg_iovlen = rest_of(recorder, parts)) > 0) {
		ssize_t n = sendmsg(recorder->writer.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			ev_io_start(recorder->loop, &recorder->writable);
			return;
		}
		if (n < 0) {
			on_child_ended(recorder);
			return;
		}
		recorder->sent += (size_t)n;
	}
	ev_io_stop(recorder->loop, &recorder->writable);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct recorder *recorder = watcher->data;

	(void)loop;
	(void)events;
	send_rest(recorder);
}

/* Takes over the line. */
static void send_line(struct recorder *recorder, char *line, size_t len)
{
	recorder->line = line;
	recorder->head.len = len;
	recorder->sent = 0;
	send_rest(recorder);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct recorder *recorder = watcher->data;
	struct recordfile_answer answer;
	ssize_t n = recv(recorder->writer.fd, &answer, sizeof(answer), MSG_DONTWAIT);

	(void)loop;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* So few bytes come whole. */
	if (n != (ssize_t)sizeof(answer)) {
		on_child_ended(recorder);
		return;
	}
	drop_line(recorder);
	if (answer.error == 0)
		succeed(recorder);
	else
		fail(recorder, answer.error);
	if (recorder->next) {
		send_line(recorder, recorder->next, recorder->next_len);
		recorder->next = NULL;
	}
}

/* There is a child, or another that was due. */
static bool has_child(struct recorder *recorder)
{
	int64_t now_ms = clock_now_ms();

	if (recorder->writer.fd >= 0)
		return true;
	if (now_ms < recorder->restart_ms) {
		fail(recorder, recorder->error);
		return false;
	}
	recorder->restart_ms = now_ms + RESTART_MS;
	if (!recordwriter_start(&recorder->writer, recorder->path, recorder->max_bytes)) {
		fail(recorder, errno);
		return false;
	}
	ev_io_set(&recorder->readable, recorder->writer.fd, EV_READ);
	ev_io_set(&recorder->writable, recorder->writer.fd, EV_WRITE);
	ev_io_start(recorder->loop, &recorder->readable);
	return true;
}

/* The plans that the cluster holds, as a line; NULL when out of memory. */
static char *write_line(const struct cluster *cluster, size_t *len)
{
	struct record record;
	char *line;

	if (!record_from(cluster, clock_now_ms(), clock_wall_ms(), &record))
		return NULL;
	line = record_write(&record, len);
	record_fini(&record);
	return line;
}

void recorder_add(struct recorder *recorder, const struct cluster *cluster)
{
	char *line;
	size_t len;

	if (!recorder || !has_child(recorder))
		return;
	if (recorder->next) {
		recorder->stats->records[STATS_RECORD_BUSY]++;
		if (log_repeat(&recorder->busy)) {
			log_warn("a round is left out of the record: those before are still being "
				 "written",
				log_str("file", recorder->path),
				log_int("times", (int64_t)recorder->busy.times));
		}
		return;
	}
	log_repeat_end(&recorder->busy);
	line = write_line(cluster, &len);
	if (!line) {
		fail(recorder, ENOMEM);
	} else if (recorder->line) {
		recorder->next = line;
		recorder->next_len = len;
	} else {
		send_line(recorder, line, len);
	}
}

struct recorder *recorder_new(
	struct ev_loop *loop, const char *path, uint64_t max_bytes, struct stats *stats)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (!recorder)
		return NULL;
	recorder->loop = loop;
	recorder->max_bytes = max_bytes;
	recorder->stats = stats;
	recorder->writer.fd = -1;
	ev_init(&recorder->readable, on_readable);
	ev_init(&recorder->writable, on_writable);
	recorder->readable.data = recorder;
	recorder->writable.data = recorder;
	recorder->path = strdup(path);
	if (!recorder->path) {
		recorder_free(recorder);
		return NULL;
	}
	return recorder;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	stop_child(recorder);
	free(recorder->path);
	free(recorder);
}
