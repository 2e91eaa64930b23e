/* SPDX-License-Identifier: MIT */
/* Writing JSON: strings that are always UTF-8, and no tree of values in between. */
#ifndef WSB_JSONPUT_H
#define WSB_JSONPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"

/*
 * Values are written as they come, into a buffer that keeps the errors (buf.h) and may be emptied
 * in between. key is the member's name in an object, any bytes, and NULL in an array. Members are
 * as many and as new as the caller makes them. A zeroed struct with a buffer is a start.
 */
struct jsonput {
	struct buf *to;
	bool follows; /* a value stands before the next one */
};

void jsonput_object(struct jsonput *put, const char *key);
void jsonput_object_end(struct jsonput *put);
void jsonput_array(struct jsonput *put, const char *key);
void jsonput_array_end(struct jsonput *put);

/* Bytes of s that are no UTF-8 come out as U+FFFD. */
void jsonput_string(struct jsonput *put, const char *key, const char *s);
/* null for "". */
void jsonput_string_or_null(struct jsonput *put, const char *key, const char *s);
void jsonput_number(struct jsonput *put, const char *key, int64_t n);
/* With four decimals at most; what is no number in JSON (infinity) comes out as 0. */
void jsonput_double(struct jsonput *put, const char *key, double d);
void jsonput_bool(struct jsonput *put, const char *key, bool b);
/* null unless known. */
void jsonput_double_if(struct jsonput *put, const char *key, bool known, double d);
void jsonput_number_if(struct jsonput *put, const char *key, bool known, int64_t n);
void jsonput_bool_if(struct jsonput *put, const char *key, bool known, bool b);

#endif
