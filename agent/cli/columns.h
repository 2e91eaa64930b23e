/* SPDX-License-Identifier: MIT */
/* Text in columns, of strings that strangers chose. */
#ifndef WSB_CELLS_H
#define WSB_CELLS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Where cells are written, and what may be written there. */
struct cells {
	FILE *to;
	bool utf8; /* what is not ASCII */
	bool color;
};

void cells_spaces(const struct cells *cells, int n);

/* Writes as much of s as fits into so many columns; what is no printable character comes out as
 * "?". Returns how many columns were used. */
int cells_part(const struct cells *cells, const char *s, int columns);

/* The same, filled up to the columns and two blanks more. */
void cells_text(const struct cells *cells, const char *s, int columns);

/* A number at the right end of the columns, "-" for one below 0, and two blanks. */
void cells_number(const struct cells *cells, int64_t n, int columns);

/* Until cells_plain all is in this color: the parameters of SGR (ECMA-48), such as "31". */
void cells_color(const struct cells *cells, const char *color);
void cells_plain(const struct cells *cells);

/* A text of our own in a color. */
void cells_colored(const struct cells *cells, const char *color, const char *text);

#endif
