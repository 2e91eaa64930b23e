/* SPDX-License-Identifier: MIT */
/* Any bytes as the answer of HAProxy's master about its processes, and after a NUL as an answer
 * about streams: processes have a pid, and nothing but a stream that was named is ever closed. */
#include <inttypes.h>

#include "core/haproxy/closing.h"
#include "core/haproxy/procs.h"
#include "fuzz.h"

static void check_processes(const char *reply, size_t len)
{
	struct procs procs = {.n = 4711};

	if (!procs_read(reply, len, &procs)) {
		promise(procs.n == 4711, "what is refused changes nothing");
		return;
	}
	for (size_t i = 0; i < procs.n; i++)
		promise(procs.workers[i].pid > 0 && procs_has(&procs, procs.workers[i].pid),
			"a worker has a pid, and is found by it");
	procs_fini(&procs);
}

static double always_first(void)
{
	return 0.0;
}

/* In the text as HAProxy wrote it, whatever zeros it begins with. */
static bool is_named(const char *reply, size_t len, uint64_t id)
{
	char name[24];

	snprintf(name, sizeof(name), "%" PRIx64 ":", id);
	return memmem(reply, len, name, strlen(name)) != NULL;
}

static void check_line(const struct closing_streams *streams)
{
	char line[CLOSING_LINE_SIZE];
	const char *end;

	closing_write("shutdown session", streams->ids, streams->n, line);
	end = memchr(line, '\n', sizeof(line));
	promise(end && end[1] == '\0', "a line of commands is one line");
	for (const char *at = line; *at != '\n'; at += *at == ';') {
		promise(strncmp(at, "shutdown session 0x", 19) == 0, "each command ends a stream");
		at += strcspn(at, ";\n");
	}
}

static void check_streams(const char *reply, size_t len)
{
	uint64_t sockets[CLOSING_BATCH];
	struct closing_streams streams;
	size_t n = closing_websockets(reply, len, sockets, CLOSING_BATCH);

	promise(n <= CLOSING_BATCH, "no more than there is room for");
	for (size_t i = 0; i < n; i++)
		promise(is_named(reply, len, sockets[i]), "a stream was named");
	promise(closing_read(reply, len, &streams), "memory for streams");
	for (size_t i = 0; i < streams.n; i++)
		promise(streams.ids[i] != 0 && is_named(reply, len, streams.ids[i]),
			"a stream was named");
	closing_choose(&streams, streams.n, always_first);
	if (streams.n > 0)
		check_line(&streams);
	closing_fini(&streams);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const unsigned char *zero = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t len = zero ? (size_t)(zero - data) : size;
	char *processes = fuzz_copy(data, len);
	size_t rest = zero ? size - len - 1 : 0;
	char *streams = fuzz_copy(zero ? zero + 1 : data, rest);

	check_processes(processes, len);
	check_streams(streams, rest);
	free(streams);
	free(processes);
	return 0;
}
