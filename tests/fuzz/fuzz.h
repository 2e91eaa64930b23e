/* SPDX-License-Identifier: MIT */
/* What fuzz targets share: the entry that they all have, and the promises that they check. */
#ifndef WSB_FUZZ_H
#define WSB_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One input. libFuzzer calls it, and so does replay.c. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Ends the program, with the promise's words, when it is not kept. */
static inline void promise(bool kept, const char *words)
{
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", words);
	abort();
}

/* A copy of exactly these bytes, so that a sanitizer sees a read of one more; freed with free(). */
static inline char *fuzz_copy(const void *bytes, size_t size)
{
	char *copy = malloc(size);

	if (size > 0) {
		promise(copy, "memory for the input");
		memcpy(copy, bytes, size);
	}
	return copy;
}

#endif
