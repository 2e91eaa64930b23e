/* SPDX-License-Identifier: MIT */
/* Columns and colors. */
#include "cli/columns.h"

#include <string.h>
#include <wchar.h>

#include "core/base/text.h"

void columns_spaces(const struct columns *cells, int n)
{
	while (n-- > 0)
		buf_putc(cells->to, ' ');
}

int columns_part(const struct columns *cells, const char *s, int columns)
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
			buf_putc(cells->to, '?');
		else
			buf_append(cells->to, s, n);
		used += width < 1 ? 1 : width;
		s += n > 0 ? n : 1;
		len -= n > 0 ? n : 1;
	}
	return used;
}

void columns_text(const struct columns *cells, const char *s, int columns)
{
	columns_spaces(cells, columns - columns_part(cells, s, columns) + 2);
}

void columns_right(const struct columns *cells, const char *s, int columns)
{
	struct buf part = {.bytes = NULL};
	struct columns to = *cells;
	int used;

	to.to = &part;
	used = columns_part(&to, s, columns);
	columns_spaces(cells, columns - used);
	buf_puts(cells->to, buf_text(&part));
	columns_spaces(cells, 2);
	cells->to->failed = cells->to->failed || part.failed;
	buf_fini(&part);
}

void columns_color(const struct columns *cells, const char *color)
{
	if (cells->color)
		buf_printf(cells->to, "\033[%sm", color);
}

void columns_plain(const struct columns *cells)
{
	columns_color(cells, "0");
}

void columns_colored(const struct columns *cells, const char *color, const char *text)
{
	columns_color(cells, color);
	buf_puts(cells->to, text);
	columns_plain(cells);
}
