/* SPDX-License-Identifier: MIT */
/* The file of the record: appended to, turned over when it is full. Blocks, so it has a process of
 * its own: see recorder.h. */
#ifndef WSB_RECORDFILE_H
#define WSB_RECORDFILE_H

#include <stdint.h>

/* What comes over the socket before a line. */
struct recordfile_head {
	uint64_t len; /* of the line in bytes, which follow */
};

/* What goes back when the line has been dealt with. */
struct recordfile_answer {
	int32_t error; /* 0: it is in the file; else errno: it is not, nor any part of it */
};

/*
 * Takes lines from a stream socket until it ends, and appends each to the file at path whole or not
 * at all. A file that the line would make longer than max_bytes is renamed to path + ".1" first,
 * over what was there; a line that is longer by itself gets EFBIG. The file is made with mode 0640,
 * must be a regular file and no link, and is locked: EWOULDBLOCK while another process writes to
 * it. When it is moved away or deleted, a new one is made. Allocates nothing and logs nothing.
 */
void recordfile_serve(int socket, const char *path, uint64_t max_bytes);

#endif
