/* SPDX-License-Identifier: MIT */
/* The grammar of JSON (RFC 8259), checked byte by byte. */
#ifndef WSB_JSONCHECK_H
#define WSB_JSONCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * json-c's own strictness depends on its version: 0.18 refuses every character beyond ASCII, 0.16
 * takes single quotes, and without it both take comments, trailing commas, 042 and TRUE. So what
 * json-c reads has passed here before, and json-c reads it without JSON_TOKENER_STRICT.
 *
 * Refused besides what the grammar forbids: bytes that are not UTF-8 (RFC 3629), more levels than
 * JSONCHECK_DEPTH_MAX, and a key with \u0000 in it, which json-c would cut there. Two members of
 * one name are for jsonparse.h to find: n_members counts what stands in the text.
 */
enum { JSONCHECK_DEPTH_MAX = 64 }; /* an EndpointSlice with its managed fields is about 12 deep */

/* What json-c needs for a value, in what it needs for a number: 0.07 us, measured with 0.16. */
enum { JSONCHECK_COST_ARRAY = 3, JSONCHECK_COST_OBJECT = 14 };

/* A zeroed struct is the start of a text. */
struct jsoncheck {
	unsigned state;      /* what the next byte belongs to; 0 at the start */
	unsigned depth;      /* objects and arrays that are open */
	uint64_t is_object;  /* of each of them, the innermost in the lowest bit */
	size_t n_members;    /* of all objects so far */
	size_t cost;         /* of all values so far, in those below */
	bool is_key;         /* the string that is being read */
	const char *literal; /* what is still to come of true, false or null */
	char character[4];   /* the bytes so far of one beyond ASCII */
	unsigned n_bytes;    /* in character */
	unsigned n_digits;   /* of \uNNNN so far */
	bool is_nul;         /* they are all 0 */
};

enum jsoncheck_outcome {
	JSONCHECK_MORE, /* the value goes on; a bare number goes on until something else comes */
	JSONCHECK_END,  /* the value has ended, *n_used bytes into these */
	JSONCHECK_BAD,  /* no more bytes can make this JSON */
};

/* Reads on. Ends where the one value ends: what follows it is the caller's. */
enum jsoncheck_outcome jsoncheck_feed(
	struct jsoncheck *check, const char *bytes, size_t len, size_t *n_used);

/* The white space of JSON. */
bool jsoncheck_is_space(char c);

#endif
