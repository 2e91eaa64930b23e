/* SPDX-License-Identifier: MIT */
/* What the agent asks HAProxy each round. */
#ifndef WSB_HAQUERY_H
#define WSB_HAQUERY_H

#include <stddef.h>
#include <stdint.h>

/* "show stat" takes a name for that of any proxy, and a frontend may have a backend's name: so it
 * is asked by number. "show servers state" looks among backends. */
struct haquery_backend {
	const char *name;
	uint32_t id; /* as hastate_backend has it: another process may number otherwise */
};

/*
 * The line of commands whose answer hareply_parse reads, for these backends, or for all when there
 * are none or too many for a line. Freed with free(); NULL when out of memory.
 */
char *haquery_write(const struct haquery_backend *backends, size_t n_backends);

#endif
