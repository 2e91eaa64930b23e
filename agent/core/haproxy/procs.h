/* SPDX-License-Identifier: MIT */
/* HAProxy's processes, as its master lists them. */
#ifndef WSB_PROCS_H
#define WSB_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct procs_worker {
	int64_t pid;
	bool old; /* a reload has replaced it, and it lives for its connections */
};

struct procs {
	struct procs_worker *workers;
	size_t n;
};

/* Reads the master's answer to "show proc". False, with nothing to free, when it is none or out of
 * memory. */
bool procs_read(const char *reply, size_t len, struct procs *out);
/* Takes zeroed memory. */
void procs_fini(struct procs *procs);

bool procs_has(const struct procs *procs, int64_t pid);

#endif
