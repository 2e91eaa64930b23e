/* SPDX-License-Identifier: MIT */
/* Text in columns, of strings that strangers chose. */
#ifndef WSB_COLUMNS_H
#define WSB_COLUMNS_H

#include "core/base/buf.h"
#include <stdbool.h>
#include <stdint.h>

/* Where cells are written, and what may be written there. */
struct columns {
	struct buf *to;
	bool utf8; /* what is not ASCII */
	bool color;
};

void columns_spaces(const struct columns *cells, int n);

/* Writes as much of s as fits into so many columns; what is no printable character comes out as
 * "?". Returns how many columns were used. */
int columns_part(const struct columns *cells, const char *s, int columns);

/* The same, filled up to the columns and two blanks more. */
void columns_text(const struct columns *cells, const char *s, int columns);

/* The same at the right end of the columns. */
void columns_right(const struct columns *cells, const char *s, int columns);

/* Until columns_plain all is in this color: the parameters of SGR (ECMA-48), such as "31". */
void columns_color(const struct columns *cells, const char *color);
void columns_plain(const struct columns *cells);

/* A text of our own in a color. */
void columns_colored(const struct columns *cells, const char *color, const char *text);

#endif
