/* SPDX-License-Identifier: MIT */
/* A report as text, for a terminal or a pipe. Its sentences are the agent's own. */
#ifndef WSB_SCREEN_H
#define WSB_SCREEN_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"

enum { SCREEN_WIDTH_MIN = 40, SCREEN_WIDTH_MAX = 400 };

enum screen_sort {
	SCREEN_BY_NEED, /* trouble first, then the farthest from its level */
	SCREEN_BY_NAME,
	SCREEN_BY_CONNECTIONS,
	SCREEN_BY_LEVEL, /* how far above it */
	SCREEN_BY_SHARE, /* of the next connections */
	SCREEN_BY_SINCE, /* the latest change first */
	SCREEN_N_SORTS
};

struct screen_options {
	int width;  /* columns, SCREEN_WIDTH_MIN..SCREEN_WIDTH_MAX */
	bool whole; /* reasons go beyond the width; else they are cut there */
	bool utf8;  /* blocks and what is not ASCII may be written */
	bool color;
	enum screen_sort sort;
	bool down;          /* the other way round */
	const char *filter; /* shows pods that have all of its words; NULL or "": all */
};

/* A text in three parts, each of whole lines. All end with screen_fini; zeroed memory is empty. */
struct screen {
	struct buf head;  /* verdict and what is to be done */
	struct buf names; /* one line: the columns' */
	struct buf rows;  /* one line a pod, and one a service where there are several */
	size_t n_rows;
	size_t n_shown; /* pods that the filter leaves */
};

/* The report's strings are foreign: what is no printable character comes out as "?". The locale
 * must be set. False when out of memory. */
bool screen_make(
	struct screen *screen, struct json_object *report, const struct screen_options *options);
void screen_fini(struct screen *screen);

/* "trouble", "name", ...: what the rows are sorted by; static. */
const char *screen_sort_name(enum screen_sort sort);

#endif
