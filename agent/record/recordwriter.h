/* SPDX-License-Identifier: MIT */
/* The process that writes the record. */
#ifndef WSB_RECORDWRITER_H
#define WSB_RECORDWRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A child of the agent's that does nothing but recordfile_serve. It holds none of the agent's
 * descriptors, takes none of its signals, and ends when its socket does: with recordwriter_end, or
 * with the agent, however that ends.
 */
struct recordwriter {
	int fd; /* the socket of recordfile_serve; -1: there is no process */
	pid_t pid;
};

/* False, with errno, when there can be none. */
bool recordwriter_start(struct recordwriter *writer, const char *path, uint64_t max_bytes);

/* Waits a moment for the process, but not for a disk that hangs: libev's default loop, or init,
 * reaps it then. Takes one that was ended, or never started. */
void recordwriter_end(struct recordwriter *writer);

#endif
