/* SPDX-License-Identifier: MIT */
/* What HAProxy complains of in its answer to commands. */
#ifndef WSB_COMPLAINT_H
#define WSB_COMPLAINT_H

#include <stddef.h>

/*
 * Finds the first complaint in the answer to a line of commands: copies it, cut to size, to
 * complaint and returns how many lines complain (0: all well). Commands that set say nothing when
 * they succeed, but for those that change a server's address, add one or take it away.
 */
size_t complaint_find(const char *reply, size_t len, char *complaint, size_t size);

#endif
