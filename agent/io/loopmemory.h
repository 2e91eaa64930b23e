/* SPDX-License-Identifier: MIT */
/* What becomes of libev where memory or the kernel fails. */
#ifndef WSB_LOOPMEMORY_H
#define WSB_LOOPMEMORY_H

#include <stdbool.h>

/*
 * libev has no way to say that it lacks memory, or that epoll failed: it calls abort(), with a line
 * that is no line of the log. Here a reserve is given up at the first such moment, the agent is
 * told to end as by SIGTERM, and so puts the configured weights back. Where that is not enough, or
 * the kernel is what fails, the program ends at once with a word; HAProxy keeps the weights that it
 * has.
 */

/* Before any other call of libev's. False when there is no memory for the reserve. */
bool loopmemory_init(void);

/* The reserve was needed: the program's end is a failure. */
bool loopmemory_is_short(void);

#endif
