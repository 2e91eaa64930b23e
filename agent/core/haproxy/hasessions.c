/* SPDX-License-Identifier: MIT */
#include "core/haproxy/hasessions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/haproxy/hatable.h"

enum { NAME, ROW, SCUR, N_COLUMNS };
static const char *const columns[N_COLUMNS] = {
	[NAME] = "pxname",
	[ROW] = "svname",
	[SCUR] = "scur",
};

char *hasessions_write(const uint32_t *ids, size_t n_ids)
{
	struct buf line = {.bytes = NULL};

	/* 2 is backends alone (management.txt, "show stat"). */
	for (size_t i = 0; i < n_ids; i++)
		buf_printf(&line, "%sshow stat %" PRIu32 " 2 -1", i > 0 ? ";" : "", ids[i]);
	buf_puts(&line, "\n");
	return buf_finish(&line, NULL);
}

/* Takes a line of the answer. True when it was the row of the backend and *sessions is set. */
static bool read_line(struct hatable *table, char *line, const char *backend, uint64_t *sessions)
{
	if (strncmp(line, "# pxname,", 9) == 0) {
		if (!hatable_read_header(table, line + 2))
			table->n_fields = 0;
		return false;
	}
	return table->n_fields > 0 && hatable_read_row(table, line) &&
	       strcmp(table->fields[NAME], backend) == 0 &&
	       strcmp(table->fields[ROW], "BACKEND") == 0 &&
	       hatable_number(table, SCUR, INT64_MAX, sessions);
}

bool hasessions_find(const char *reply, size_t len, const char *backend, uint64_t *sessions)
{
	struct hatable table = {
		.style = HATABLE_CSV,
		.wanted = columns,
		.n_wanted = N_COLUMNS,
	};
	char *text = strndup(len > 0 ? reply : "", len);
	bool found = false;
	char *rest;

	/* A line that breaks off is none. */
	for (char *line = text; line && !found && (rest = strchr(line, '\n')); line = rest) {
		*rest++ = '\0';
		found = read_line(&table, line, backend, sessions);
	}
	free(text);
	return found;
}
