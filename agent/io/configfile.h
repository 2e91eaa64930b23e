/* SPDX-License-Identifier: MIT */
/* The configuration file on disk. */
#ifndef WSB_CONFIGFILE_H
#define WSB_CONFIGFILE_H

#include <stdbool.h>

#include "core/config/config.h"

enum {
	CONFIGFILE_MAX_BYTES = 1024 * 1024, /* a longer file is refused */
};

/* Why a file is refused: "FILE:LINE: KEY: MESSAGE", in one line, the line where it is known. */
struct configfile_why {
	char text[1024];
};

/*
 * Reads and parses the file at path; environment variables are this process's. On success the
 * caller owns *out and frees it with config_fini; on false *out is untouched.
 */
bool configfile_parse(const char *path, struct config *out, struct configfile_why *why);

/* The same, and the files that it names (certificates, keys, headers) must be readable, and that of
 * the record writable. */
bool configfile_load(const char *path, struct config *out, struct configfile_why *why);

/* What -t does: the same, and one line: on stdout when the file is good, else on stderr. */
bool configfile_check(const char *path);

#endif
