/* SPDX-License-Identifier: MIT */
#include "core/haproxy/closing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/haline.h"

static bool has(const struct haline *line, const char *word)
{
	return memmem(line->at, line->len, word, strlen(word)) != NULL;
}

/* The address that a stream's first line begins with, "0x55d0c0ffee00: "; 0 for another line. */
static uint64_t read_id(const struct haline *line)
{
	uint64_t id = 0;
	size_t at = 2;

	if (line->len < 4 || line->at[0] != '0' || line->at[1] != 'x')
		return 0;
	for (; at < line->len && at < 18; at++) {
		char c = line->at[at];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned)(c - 'a') + 10;
		else
			break;
		id = id << 4 | digit;
	}
	return at < line->len && line->at[at] == ':' ? id : 0;
}

bool closing_read(const char *reply, size_t len, struct closing_streams *out)
{
	struct closing_streams streams = {.ids = NULL};
	size_t room = 0;
	struct haline line;

	while (haline_next(&reply, &len, &line)) {
		uint64_t id = read_id(&line);

		if (id == 0 || !has(&line, " srv=") || has(&line, " srv=<none>"))
			continue;
		if (streams.n == room) {
			size_t more = room > 0 ? 2 * room : 256;
			uint64_t *ids = reallocarray(streams.ids, more, sizeof(*ids));

			if (!ids) {
				free(streams.ids);
				return false;
			}
			streams.ids = ids;
			room = more;
		}
		streams.ids[streams.n++] = id;
	}
	*out = streams;
	return true;
}

void closing_fini(struct closing_streams *streams)
{
	free(streams->ids);
	*streams = (struct closing_streams){.ids = NULL};
}

size_t closing_due(size_t n, int64_t left_ms, int64_t tick_ms, unsigned rate)
{
	size_t due = n;

	if (left_ms > tick_ms)
		due = (size_t)(((double)n * (double)tick_ms + (double)left_ms - 1) /
			       (double)left_ms);
	if (rate > 0) {
		size_t most = (size_t)((double)rate * (double)tick_ms / 1000.0);

		if (most == 0)
			most = 1;
		if (due > most)
			due = most;
	}
	return due < n ? due : n;
}

void closing_choose(struct closing_streams *streams, size_t count, double (*random01)(void))
{
	for (size_t i = 0; i < count && i < streams->n; i++) {
		size_t other = i + (size_t)(random01() * (double)(streams->n - i));
		uint64_t id = streams->ids[other];

		streams->ids[other] = streams->ids[i];
		streams->ids[i] = id;
	}
}

void closing_write(const char *command, const uint64_t *ids, size_t n, char line[CLOSING_LINE_SIZE])
{
	size_t at = 0;

	for (size_t i = 0; i < n && i < CLOSING_BATCH; i++)
		at += (size_t)snprintf(line + at, CLOSING_LINE_SIZE - at, "%s%s 0x%" PRIx64,
			i > 0 ? ";" : "", command, ids[i]);
	snprintf(line + at, CLOSING_LINE_SIZE - at, "\n");
}

size_t closing_websockets(const char *reply, size_t len, uint64_t *out, size_t max)
{
	uint64_t id = 0;
	size_t n = 0;
	struct haline line;

	while (n < max && haline_next(&reply, &len, &line)) {
		uint64_t begins = read_id(&line);

		if (begins)
			id = begins;
		if (id == 0 || !has(&line, " status=101 ") || !has(&line, "req.st=MSG_TUNNEL") ||
			!has(&line, "rsp.st=MSG_TUNNEL"))
			continue;
		out[n++] = id;
		id = 0;
	}
	return n;
}
