/* SPDX-License-Identifier: MIT */
/* An answer of the Runtime API, line by line where it lies. */
#ifndef WSB_HALINE_H
#define WSB_HALINE_H

#include <stdbool.h>
#include <stddef.h>

/* A line without its end. It lies in the text that it was read from. */
struct haline {
	const char *at;
	size_t len;
};

/* Reads the line that text[0..len) begins with, and moves both behind it. The last one may lack its
 * end. False where nothing is left. */
bool haline_next(const char **text, size_t *len, struct haline *line);

#endif
