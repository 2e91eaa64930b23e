/* SPDX-License-Identifier: MIT */
/* Where lines of the log go: standard error, which may be read slowly, or by nobody. */
#ifndef WSB_LOGSINK_H
#define WSB_LOGSINK_H

#include <stddef.h>
#include <stdint.h>

struct ev_loop;

enum { LOGSINK_WAITING_MAX = 64 * 1024 }; /* bytes that wait */

/*
 * Writes a line, which ends in a newline, and never waits for it: what is not taken now waits here,
 * and what does not fit is lost. When lines go out again, one of them says how many were. Standard
 * error is shared with others, so it stays as it is: no O_NONBLOCK.
 */
void logsink_write(const char *line, size_t len);

/* Writes what waits, as far as it is taken. */
void logsink_flush(void);

/* The same for the end of the program: waits a tenth of a second at most. */
void logsink_finish(void);

/* From now on, or with NULL no longer, the loop sees to it that what waits goes out. */
void logsink_watch(struct ev_loop *loop);

#endif
