/* SPDX-License-Identifier: MIT */
/* A recorded line back into a record. */
#ifndef WSB_RECORD_PARSE_H
#define WSB_RECORD_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"
#include "core/record/record.h"

/*
 * Reads one line as record_write makes it, with or without its newline: everything must be there,
 * nothing else, and each value in its range; columns may be in any order. On true the caller ends
 * *out with record_fini; on false *out is untouched and *why says what is wrong.
 */
bool record_parse(const char *line, size_t len, struct record *out, struct why *why);

#endif
