/* SPDX-License-Identifier: MIT */
/* Small text files: the configuration, tokens, certificates. */
#ifndef WSB_TEXTFILE_H
#define WSB_TEXTFILE_H

#include <stddef.h>

#include "core/base/why.h"

/* Of at most so many bytes. */
enum { TEXTFILE_MAX = 1024 * 1024 };

/*
 * Only a regular file is read, and it is opened without waiting: a FIFO or a device would stop the
 * caller. The readers return text that the caller frees, with a NUL behind its *len bytes; or NULL,
 * with *why set but without the path, when the file cannot be read or is not what it should be.
 */

/* Any bytes, none among them. len may be NULL. */
char *textfile_read_bytes(const char *path, size_t *len, struct why *why);

/* A text that is not empty and holds no NUL. */
char *textfile_read(const char *path, struct why *why);

/* The same of a file of one word, without the blanks at its end. */
char *textfile_read_word(const char *path, struct why *why);

#endif
