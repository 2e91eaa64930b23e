/* SPDX-License-Identifier: MIT */
/* A text file that others renew while the agent runs: a token, a certificate, a header. */
#ifndef WSB_WATCHEDFILE_H
#define WSB_WATCHEDFILE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "core/base/why.h"

/* Zeroed memory is no file. */
struct watchedfile {
	char *path; /* NULL: there is none */
	char *text; /* as read last; NULL: never */
	struct timespec changed;
	ino_t inode;
};

/* One of textfile.h's. */
typedef char *(*watchedfile_reader)(const char *path, struct why *why);

/* Copies the path and reads nothing yet. False when out of memory. */
bool watchedfile_init(struct watchedfile *file, const char *path);
void watchedfile_fini(struct watchedfile *file);

/* Reads it. On false *why is set, without the path, and what was read before stays. */
bool watchedfile_read(struct watchedfile *file, watchedfile_reader reader, struct why *why);

enum watchedfile_state {
	WATCHEDFILE_SAME,
	WATCHEDFILE_CHANGED, /* it is another than when it was read, or was never read */
	WATCHEDFILE_GONE,    /* it is not there: for a moment perhaps, while it is replaced */
};

enum watchedfile_state watchedfile_look(const struct watchedfile *file);

#endif
