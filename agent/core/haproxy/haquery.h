/* SPDX-License-Identifier: MIT */
/* What the agent asks HAProxy each round. */
#ifndef WSB_HAQUERY_H
#define WSB_HAQUERY_H

#include <stddef.h>

/*
 * The line of commands whose answer hareply_parse reads, for the backends named, or for all when
 * there are none or too many for a line. Freed with free(); NULL when out of memory.
 */
char *haquery_write(char *const *backends, size_t n_backends);

#endif
