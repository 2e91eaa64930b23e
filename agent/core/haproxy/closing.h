/* SPDX-License-Identifier: MIT */
/* Which WebSockets of a HAProxy that is about to stop are to be closed next: answers of "show sess"
 * in, commands out. */
#ifndef WSB_CLOSING_H
#define WSB_CLOSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * HAProxy closes what is left at its hard stop all at once, and the clients all come back at once.
 * Closed one after the other they come back so. A stream is named by its address, which HAProxy
 * gives to another one as soon as it is free: so each is read again right before it is closed, and
 * only one that is a WebSocket by then, a tunnel both ways after status 101, is closed.
 */

enum {
	CLOSING_BATCH = 100, /* streams a line: up to 7.5 ms of HAProxy's time; measured */
	CLOSING_LINE_SIZE = 100 * 40 + 2, /* bytes of a line with its newline and NUL */
};

/* Names of streams, as HAProxy prints them. */
struct closing_streams {
	uint64_t *ids; /* NULL when n is 0 */
	size_t n;
};

/*
 * The streams that have a server, of the answer to "show sess". False when out of memory, with
 * nothing to free.
 */
bool closing_read(const char *reply, size_t len, struct closing_streams *out);
void closing_fini(struct closing_streams *streams);

/*
 * How many of n are due in the next tick_ms, so that the last goes when left_ms is over, no more
 * than rate a second (0: any number).
 */
size_t closing_due(size_t n, int64_t left_ms, int64_t tick_ms, unsigned rate);

/* Puts count of them, chosen by chance, first. random01 is asked for numbers in [0, 1). */
void closing_choose(struct closing_streams *streams, size_t count, double (*random01)(void));

/* Writes the line that runs command ("show sess", "shutdown session") on each of n, up to
 * CLOSING_BATCH. */
void closing_write(
	const char *command, const uint64_t *ids, size_t n, char line[CLOSING_LINE_SIZE]);

/* Those that the answer to "show sess ID;..." shows to be WebSockets, to out, up to max. */
size_t closing_websockets(const char *reply, size_t len, uint64_t *out, size_t max);

#endif
