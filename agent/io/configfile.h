/* SPDX-License-Identifier: MIT */
/* The configuration file on disk. */
#ifndef WSB_CONFIGFILE_H
#define WSB_CONFIGFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config/config.h"
#include "core/config/config_mistakes.h"

enum {
	CONFIGFILE_LINE_MAX = 1024, /* what configfile_format writes at most */
};

/*
 * Reads and parses the file at path, of at most TEXTFILE_MAX bytes; environment variables are this
 * process's. On success the caller owns *out and frees it with config_fini; on false *out is
 * untouched and *mistakes holds at least one.
 */
bool configfile_parse(const char *path, struct config *out, struct config_mistakes *mistakes);

/* The same, and the files that it names (certificates, keys, headers) must be readable, and that of
 * the record writable. */
bool configfile_load(const char *path, struct config *out, struct config_mistakes *mistakes);

/* One mistake as "FILE:LINE: MESSAGE", the line where it is known, into buf; returns buf. */
char *configfile_format(const char *path, const struct why *mistake, char *buf, size_t size);

/* All of them on stderr, each in a line that begins with "wsbalancer: ". */
void configfile_complain(const char *path, const struct config_mistakes *mistakes);

#endif
