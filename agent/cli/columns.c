/* SPDX-License-Identifier: MIT */
/* Columns and colors. */
#include "cli/columns.h"

#include <inttypes.h>
#include <string.h>
#include <wchar.h>

#include "core/base/text.h"

void cells_spaces(const struct cells *cells, int n)
{
	while (n-- > 0)
		fputc(' ', cells->to);
}

int cells_part(const struct cells *cells, const char *s, int columns)
{
	size_t len = strlen(s);
	int used = 0;

	while (len > 0) {
		uint32_t point = 0;
		size_t n = text_utf8_decode(s, len, &point);
		int width = n == 0 || (n > 1 && !cells->utf8) ? -1 : wcwidth((wchar_t)point);

		/* Controls, marks that reorder text, and what has no width of its own. */
		if (used + (width < 1 ? 1 : width) > columns)
			break;
		if (width < 1)
			fputc('?', cells->to);
		else
			fwrite(s, 1, n, cells->to);
		used += width < 1 ? 1 : width;
		s += n > 0 ? n : 1;
		len -= n > 0 ? n : 1;
	}
	return used;
}

void cells_text(const struct cells *cells, const char *s, int columns)
{
	cells_spaces(cells, columns - cells_part(cells, s, columns) + 2);
}

void cells_number(const struct cells *cells, int64_t n, int columns)
{
	if (n >= 0)
		fprintf(cells->to, "%*" PRId64 "  ", columns, n);
	else
		fprintf(cells->to, "%*s  ", columns, "-");
}

void cells_color(const struct cells *cells, const char *color)
{
	if (cells->color)
		fprintf(cells->to, "\033[%sm", color);
}

void cells_plain(const struct cells *cells)
{
	cells_color(cells, "0");
}

void cells_colored(const struct cells *cells, const char *color, const char *text)
{
	cells_color(cells, color);
	fputs(text, cells->to);
	cells_plain(cells);
}
