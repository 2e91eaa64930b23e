/* SPDX-License-Identifier: MIT */
/* HAProxy's answers on the Runtime API: bytes in, structs out. */
#ifndef WSB_HAREPLY_H
#define WSB_HAREPLY_H

#include <stddef.h>

#include "core/base/why.h"
#include "core/haproxy/hastate.h"

/*
 * Reads the joined answer to any number of "show stat" and "show servers state" and at last one
 * "show info", as one line of commands gives it. The order is what tells a whole answer from one
 * that broke off between two commands. Columns are found by the names in the header lines, so a
 * version with more of them reads the same.
 */

enum hareply_outcome {
	HAREPLY_OK,
	HAREPLY_TRUNCATED, /* an expected part is missing or breaks off */
	HAREPLY_DENIED,    /* the socket's level forbids or hides something */
	HAREPLY_MALFORMED, /* a line or a number is not what HAProxy writes */
	HAREPLY_OUT_OF_MEMORY,
};

/*
 * Parses a whole answer. Servers are those that "show servers state" lists and "show stat" has
 * too; a backend that HAProxy was asked for and does not have is not there. On HAREPLY_OK the
 * caller owns *out and frees it with hastate_fini; otherwise *out is untouched and *why, where why
 * is not NULL, names the detail: a column, a line; no text where there is none.
 */
enum hareply_outcome hareply_parse(
	const char *reply, size_t len, struct hastate_snapshot *out, struct why *why);

/* In words, for a log line; static. */
const char *hareply_outcome_name(enum hareply_outcome outcome);

#endif
