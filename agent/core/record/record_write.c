/* SPDX-License-Identifier: MIT */
/* Writes a recorded round. Thousands of servers a second go through here, so the bytes are put
 * together by hand. */
#include "core/record/record_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/record/record_columns.h"

/* Bytes that grow; ok is false once memory ran out, and the rest is then left out. */
struct line {
	char *bytes;
	size_t len;
	size_t room;
	bool ok;
};

/* Room for n more bytes; NULL when there is none. */
static char *reserve(struct line *line, size_t n)
{
	if (!line->ok)
		return NULL;
	if (line->room - line->len < n) {
		size_t room = 2 * line->room + n;
		char *grown = realloc(line->bytes, room);

		line->ok = grown != NULL;
		if (!grown)
			return NULL;
		line->bytes = grown;
		line->room = room;
	}
	return line->bytes + line->len;
}

static void put(struct line *line, const char *bytes, size_t n)
{
	char *to = reserve(line, n);

	if (to) {
		memcpy(to, bytes, n);
		line->len += n;
	}
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

static void put_whole(struct line *line, int64_t value)
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
	put(line, at, (size_t)(digits + sizeof(digits) - at));
}

static void put_real(struct line *line, double value)
{
	static const double WHOLE_MAX = 1e15;
	char text[32];

	/* Most are whole. -0 and 0 are the same to the planner. */
	if (value == floor(value) && fabs(value) < WHOLE_MAX) {
		put_whole(line, (int64_t)value);
		return;
	}
	if (!isfinite(value)) {
		put_text(line, "0");
		return;
	}
	/* Seventeen digits always do, and for many numbers fewer. */
	snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof(text), "%.17g", value);
	put_text(line, text);
}

static void put_escaped(struct line *line, char c)
{
	char text[8];

	if (c == '"' || c == '\\')
		snprintf(text, sizeof(text), "\\%c", c);
	else
		snprintf(text, sizeof(text), "\\u%04x", (unsigned)(unsigned char)c);
	put_text(line, text);
}

static void put_string(struct line *line, const char *text)
{
	size_t len = strlen(text);

	put_text(line, "\"");
	while (len > 0) {
		uint32_t point = 0;
		size_t n = text_utf8_decode(text, len, &point);

		if (n == 0)
			put_text(line, "\xef\xbf\xbd");
		else if (point < 0x20 || point == 0x7f || point == '"' || point == '\\')
			put_escaped(line, *text);
		else
			put(line, text, n);
		text += n > 0 ? n : 1;
		len -= n > 0 ? n : 1;
	}
	put_text(line, "\"");
}

static void put_value(struct line *line, const struct record_column *column, const void *from)
{
	const void *member = (const char *)from + column->offset;

	switch (column->type) {
	case RECORD_TEXT:
		put_string(line, *(const char *const *)member);
		break;
	case RECORD_BOOL:
		put_text(line, *(const bool *)member ? "true" : "false");
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
static void put_members(struct line *line, const struct record_column *columns, const void *from)
{
	for (; columns->name; columns++) {
		put_string(line, columns->name);
		put_text(line, ":");
		put_value(line, columns, from);
		put_text(line, ",");
	}
}

/* Takes back the comma behind the last of a list, if there is any, and ends the list. */
static void end_list(struct line *line, const char *bracket)
{
	if (line->ok && line->len > 0 && line->bytes[line->len - 1] == ',')
		line->len--;
	put_text(line, bracket);
}

static void put_server(struct line *line, const struct record_server *server)
{
	put_text(line, "[");
	for (const struct record_column *column = record_server_columns; column->name; column++) {
		put_value(line, column, server);
		put_text(line, ",");
	}
	end_list(line, "],");
}

static void put_backend(struct line *line, const struct record_backend *backend)
{
	put_text(line, "{");
	put_members(line, record_backend_columns, backend);
	put_text(line, "\"servers\":[");
	for (size_t i = 0; i < backend->n_servers; i++)
		put_server(line, &backend->servers[i]);
	end_list(line, "]},");
}

char *record_write(const struct record *record, size_t *len)
{
	struct line line = {.ok = true};

	put_text(&line, "{\"version\":");
	put_whole(&line, RECORD_VERSION);
	put_text(&line, ",");
	put_members(&line, record_line_columns, record);
	put_text(&line, "\"settings\":{");
	put_members(&line, record_settings_columns, &record->settings);
	end_list(&line, "},\"columns\":[");
	for (const struct record_column *column = record_server_columns; column->name; column++) {
		put_string(&line, column->name);
		put_text(&line, ",");
	}
	end_list(&line, "],\"backends\":[");
	for (size_t i = 0; i < record->n_backends; i++)
		put_backend(&line, &record->backends[i]);
	end_list(&line, "]}\n");
	put(&line, "", 1);
	if (!line.ok) {
		free(line.bytes);
		return NULL;
	}
	*len = line.len - 1;
	return line.bytes;
}
