/* SPDX-License-Identifier: MIT */
/* Files of tests/data. */
#ifndef WSB_TEST_DATA_H
#define WSB_TEST_DATA_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* The bytes of a file with a NUL behind them, to be freed; the path is relative to the top of the
 * tree, where tests run. Ends the program when there is none. */
static inline char *data_read(const char *path, size_t *len)
{
	FILE *in = fopen(path, "rb");
	char *bytes = NULL;
	size_t size = 0;

	*len = 0;
	while (in && !feof(in) && !ferror(in)) {
		size += 65536;
		bytes = realloc(bytes, size + 1);
		if (!bytes)
			abort();
		*len += fread(bytes + *len, 1, size - *len, in);
	}
	if (!in || ferror(in)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	fclose(in);
	bytes[*len] = '\0';
	return bytes;
}

#endif
