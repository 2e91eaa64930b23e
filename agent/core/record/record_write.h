/* SPDX-License-Identifier: MIT */
/* A record as one line of JSON. */
#ifndef WSB_RECORD_WRITE_H
#define WSB_RECORD_WRITE_H

#include <stddef.h>

#include "core/record/record.h"

/*
 *   {"version":1,"wall_ms":...,"now_ms":...,"settings":{...},"columns":["server","address",...],
 *    "backends":[{"name":"ws","algo":"leastconn",...,"servers":[["s1","10.0.0.1:80",...],...]}]}
 *
 * Each server is a row of values in the order of the columns, so that a line stays short. A number
 * has as many digits as it needs to come back as it was; what is no number in JSON (infinity) comes
 * out as 0. Bytes of a name that are no UTF-8 come out as U+FFFD.
 *
 * Returns the line with its newline, *len bytes long, a NUL behind them, to be freed; NULL when out
 * of memory.
 */
char *record_write(const struct record *record, size_t *len);

#endif
