/* SPDX-License-Identifier: MIT */
/* A report as a table of text, for a terminal or a pipe. */
#ifndef WSB_SCREEN_H
#define WSB_SCREEN_H

#include "core/base/buf.h"
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

enum { SCREEN_WIDTH_MIN = 40, SCREEN_WIDTH_MAX = 400 };

struct screen_options {
	int width; /* columns, SCREEN_WIDTH_MIN..SCREEN_WIDTH_MAX */
	bool utf8; /* blocks and what is not ASCII may be written */
	bool color;
	bool by_name; /* sorted by name, else the fullest pod first */
};

/*
 * Writes the head and a table for each service, one line a pod. The report's strings are foreign:
 * what is no printable character comes out as "?". The locale must be set.
 */
void screen_write(struct buf *to, struct json_object *report, const struct screen_options *options);

#endif
