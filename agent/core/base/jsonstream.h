/* SPDX-License-Identifier: MIT */
/* A stream of JSON objects, in pieces of any size, cut into objects. */
#ifndef WSB_JSONSTREAM_H
#define WSB_JSONSTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/jsoncheck.h"

struct json_object;
struct json_tokener;

/*
 * A piece is not an object and not a line: it may end in the middle of one, hold several, or be a
 * single byte; objects may be printed over many lines. Each is checked as jsonparse() checks a
 * text.
 */
struct jsonstream {
	struct json_tokener *tokener;
	struct jsoncheck check; /* of the object that has begun */
	size_t cap_bytes;       /* of one object */
	size_t cap_cost;        /* of its values (jsoncheck.h): what memory it takes follows that */
	size_t n_bytes;         /* of the object that has begun */
	size_t n_mark;          /* bytes of a byte order mark at the start, or of what is none */
};

enum jsonstream_outcome {
	JSONSTREAM_OBJECT, /* *object is the caller's, who calls again with what is left */
	JSONSTREAM_MORE,   /* all is taken in; the next piece is wanted */
	/* With all others the stream is lost. */
	JSONSTREAM_BAD, /* no JSON object */
	JSONSTREAM_DUPLICATE_KEY,
	JSONSTREAM_TOO_LARGE,  /* over cap_bytes */
	JSONSTREAM_TOO_COSTLY, /* over cap_cost */
	JSONSTREAM_OUT_OF_MEMORY,
};

/* False when out of memory; jsonstream_fini takes it all the same. */
bool jsonstream_init(struct jsonstream *stream, size_t cap_bytes, size_t cap_cost);

/* Takes a zeroed struct. */
void jsonstream_fini(struct jsonstream *stream);

/* Forgets what has come: the next byte begins a new stream. */
void jsonstream_reset(struct jsonstream *stream);

/* Of an outcome that loses the stream, in words for people; static. */
const char *jsonstream_outcome_name(enum jsonstream_outcome outcome);

/* Takes bytes from *piece and moves *piece and *len past them. */
enum jsonstream_outcome jsonstream_next(
	struct jsonstream *stream, const char **piece, size_t *len, struct json_object **object);

#endif
