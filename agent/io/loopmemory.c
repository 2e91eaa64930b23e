/* SPDX-License-Identifier: MIT */
#include "io/loopmemory.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/log.h"
#include "io/logsink.h"

/* What libev asks for at once with some thousands of descriptors, and what it takes to end. */
enum { RESERVE = 1024 * 1024 };

static void *reserve;
static bool is_short;

/* Without memory even for the log. */
static void die(void)
{
	static const char words[] = "wsbalancer: out of memory: ends; HAProxy keeps its weights\n";

	(void)!write(STDERR_FILENO, words, sizeof(words) - 1);
	_exit(EXIT_FAILURE);
}

static void *allocate(void *old, long size)
{
	void *memory;

	if (size == 0) {
		free(old);
		return NULL;
	}
	memory = realloc(old, (size_t)size);
	if (memory)
		return memory;
	if (is_short)
		die();
	is_short = true;
	free(reserve);
	reserve = NULL;
	log_error("out of memory: the agent ends", LOG_NONE);
	raise(SIGTERM);
	memory = realloc(old, (size_t)size);
	if (!memory)
		die();
	return memory;
}

/* libev would try again for ever. */
static void on_failure(const char *what)
{
	log_error("the event loop fails: the agent ends, and HAProxy keeps its weights",
		log_str("what", what), log_str("error", strerror(errno)));
	logsink_finish();
	_exit(EXIT_FAILURE);
}

bool loopmemory_init(void)
{
	reserve = malloc(RESERVE);
	ev_set_allocator(allocate);
	ev_set_syserr_cb(on_failure);
	return reserve != NULL;
}

bool loopmemory_is_short(void)
{
	return is_short;
}
