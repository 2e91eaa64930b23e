/* SPDX-License-Identifier: MIT */
/* Thousands of servers a second go through here, so numbers are written by hand. */
#include "core/record/record_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/record/record_columns.h"

static void put_whole(struct buf *line, int64_t value)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--at = '-';
	buf_append(line, at, (size_t)(digits + sizeof(digits) - at));
}

static void put_real(struct buf *line, double value)
{
	static const double WHOLE_MAX = 1e15;
	char text[32];

	/* Most are whole. -0 and 0 are the same to the planner. */
	if (value == floor(value) && fabs(value) < WHOLE_MAX) {
		put_whole(line, (int64_t)value);
		return;
	}
	if (!isfinite(value)) {
		buf_puts(line, "0");
		return;
	}
	/* Seventeen digits always do, and for many numbers fewer. */
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	buf_puts(line, text);
}

static void put_escaped(struct buf *line, char c)
{
	char text[8];

	if (c == '"' || c == '\\')
		snprintf(text, sizeof(text), "\\%c", c);
	else
		snprintf(text, sizeof(text), "\\u%04x", (unsigned)(unsigned char)c);
	buf_puts(line, text);
}

static void put_string(struct buf *line, const char *text)
{
	size_t len = strlen(text);

	buf_puts(line, "\"");
	while (len > 0) {
		uint32_t point = 0;
		size_t n = text_utf8_decode(text, len, &point);

		if (n == 0)
			buf_puts(line, "\xef\xbf\xbd");
		else if (point < 0x20 || point == 0x7f || point == '"' || point == '\\')
			put_escaped(line, *text);
		else
			buf_append(line, text, n);
		text += n > 0 ? n : 1;
		len -= n > 0 ? n : 1;
	}
	buf_puts(line, "\"");
}

static void put_value(struct buf *line, const struct record_column *column, const void *from)
{
	const void *member = (const char *)from + column->offset;

	switch (column->type) {
	case RECORD_TEXT:
		put_string(line, *(const char *const *)member);
		break;
	case RECORD_BOOL:
		buf_puts(line, *(const bool *)member ? "true" : "false");
		break;
	case RECORD_COUNT:
		put_whole(line, *(const uint32_t *)member);
		break;
	case RECORD_UNSIGNED:
		put_whole(line, *(const unsigned *)member);
		break;
	case RECORD_INT:
		put_whole(line, *(const int *)member);
		break;
	case RECORD_MS:
		put_whole(line, *(const int64_t *)member);
		break;
	case RECORD_REAL:
		put_real(line, *(const double *)member);
		break;
	case RECORD_BASIS:
		put_string(line, planner_basis_name(*(const enum planner_basis *)member));
		break;
	}
}

/* "name":value for each column, with a comma behind each. */
static void put_members(struct buf *line, const struct record_column *columns, const void *from)
{
	for (; columns->name; columns++) {
		put_string(line, columns->name);
		buf_puts(line, ":");
		put_value(line, columns, from);
		buf_puts(line, ",");
	}
}

/* Takes back the comma behind the last of a list, if there is any, and ends the list. */
static void end_list(struct buf *line, const char *bracket)
{
	if (line->len > 0 && line->bytes[line->len - 1] == ',')
		line->len--;
	buf_puts(line, bracket);
}

static void put_server(struct buf *line, const struct record_server *server)
{
	buf_puts(line, "[");
	for (const struct record_column *column = record_server_columns; column->name; column++) {
		put_value(line, column, server);
		buf_puts(line, ",");
	}
	end_list(line, "],");
}

static void put_backend(struct buf *line, const struct record_backend *backend)
{
	buf_puts(line, "{");
	put_members(line, record_backend_columns, backend);
	buf_puts(line, "\"servers\":[");
	for (size_t i = 0; i < backend->n_servers; i++)
		put_server(line, &backend->servers[i]);
	end_list(line, "]},");
}

char *record_write(const struct record *record, size_t *len)
{
	struct buf line = {.bytes = NULL};

	buf_puts(&line, "{\"version\":");
	put_whole(&line, RECORD_VERSION);
	buf_puts(&line, ",");
	put_members(&line, record_line_columns, record);
	buf_puts(&line, "\"settings\":{");
	put_members(&line, record_settings_columns, &record->settings);
	end_list(&line, "},\"columns\":[");
	for (const struct record_column *column = record_server_columns; column->name; column++) {
		put_string(&line, column->name);
		buf_puts(&line, ",");
	}
	end_list(&line, "],\"backends\":[");
	for (size_t i = 0; i < record->n_backends; i++)
		put_backend(&line, &record->backends[i]);
	end_list(&line, "]}\n");
	return buf_finish(&line, len);
}
