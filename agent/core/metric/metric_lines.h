/* SPDX-License-Identifier: MIT */
/* Bytes in pieces of any size, cut into lines, of which only an unfinished one is kept. */
#ifndef WSB_METRIC_LINES_H
#define WSB_METRIC_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"

enum { METRIC_LINE_MAX = 64 * 1024 }; /* bytes of a line, without its end */

/* Zeroed memory is a valid start. */
struct metric_lines {
	struct buf held; /* the beginning of a line whose end has not come */
};

/* A line without its end; valid during the call. */
typedef void (*metric_lines_each)(const char *line, size_t len, void *arg);

enum metric_lines_outcome { METRIC_LINES_OK, METRIC_LINES_TOO_LONG, METRIC_LINES_OUT_OF_MEMORY };

/* Calls each for every line that has come whole. After anything but OK call metric_lines_fini. */
enum metric_lines_outcome metric_lines_feed(struct metric_lines *lines, const char *bytes,
	size_t len, metric_lines_each each, void *arg);

void metric_lines_fini(struct metric_lines *lines);

#endif
