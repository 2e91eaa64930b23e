/* SPDX-License-Identifier: MIT */
/* The one way in for JSON from outside: strict, and the same with every version of json-c. */
#ifndef WSB_JSONPARSE_H
#define WSB_JSONPARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/jsoncheck.h"

struct json_object;
struct json_tokener;

/* A byte order mark before a text is skipped, as RFC 8259 (8.1) lets a reader do. */
#define JSONPARSE_MARK "\xef\xbb\xbf"
enum { JSONPARSE_MARK_LEN = sizeof(JSONPARSE_MARK) - 1 };

enum jsonparse_outcome {
	JSONPARSE_OK,
	JSONPARSE_NOT_JSON,      /* see jsoncheck.h */
	JSONPARSE_DUPLICATE_KEY, /* two members of one name in one object: readers differ about them
				  */
	JSONPARSE_TOO_COSTLY,    /* see jsonparse_within */
	JSONPARSE_OUT_OF_MEMORY,
};

/*
 * Reads one JSON text with nothing but space around it. len is at most INT_MAX. On JSONPARSE_OK
 * *root is the caller's, and NULL for null; else it is NULL.
 */
enum jsonparse_outcome jsonparse(const char *bytes, size_t len, struct json_object **root);

/* The same of a text whose values cost at most so much (see jsoncheck.h): 64 KiB of small objects
 * take json-c 8 ms. */
enum jsonparse_outcome jsonparse_within(
	const char *bytes, size_t len, size_t max_cost, struct json_object **root);

/* "not JSON" and the like; static. */
const char *jsonparse_outcome_name(enum jsonparse_outcome outcome);

/*
 * Whether there is memory for what json-c makes of so many bytes whose values cost so much. json-c
 * does not look whether it got any: 0.16 crashes where a member's name cannot be copied, and leaves
 * out what does not fit. What is free now is free a moment later, in a program of one thread.
 */
bool jsonparse_has_memory(size_t len, size_t cost);

/* For who reads in pieces: a tokener for what jsoncheck passes, NULL when out of memory, and
 * whether what it made has as many members as the text had. */
struct json_tokener *jsonparse_tokener_new(void);
bool jsonparse_has_all(struct json_object *root, const struct jsoncheck *check);

#endif
