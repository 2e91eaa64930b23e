/* SPDX-License-Identifier: MIT */
/* Tables in HAProxy's answers: a header line that names the columns, then a line a row. */
#ifndef WSB_HATABLE_H
#define WSB_HATABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HATABLE_MAX_FIELDS = 256, /* of a line; more are dropped (HAProxy 3.2 has about 120) */
	HATABLE_MAX_COLUMNS = 16, /* that a reader wants */
};

enum hatable_style {
	HATABLE_CSV,    /* commas; a field in double quotes may hold them, and "" for a quote */
	HATABLE_SPACES, /* single spaces */
};

/* Reads rows by the names of wanted columns; wanted is the caller's and must outlive it. */
struct hatable {
	enum hatable_style style;
	const char *const *wanted;
	size_t n_wanted;   /* <= HATABLE_MAX_COLUMNS */
	size_t n_optional; /* of wanted, the last: where they are missing stands "" */
	size_t index[HATABLE_MAX_COLUMNS]; /* of each wanted column in a row */
	size_t n_fields; /* up to the last of them: what stands behind it is not looked at */
	const char
		*fields[HATABLE_MAX_COLUMNS]; /* of the row read last; they point into its line */
	const char *bad;                      /* the wanted column that is missing or no number */
};

/* Takes the header line, "# " cut off, and cuts it up in place. False when a wanted column is
 * missing: table->bad names it. */
bool hatable_read_header(struct hatable *table, char *line);

/* Takes a row and cuts it up in place. False when it ends before a wanted column: table->bad names
 * that, and "" stands in its place. */
bool hatable_read_row(struct hatable *table, char *line);

/* The number in a wanted column, by its place in wanted; "" is 0. False when it is none or above
 * max: table->bad names the column, *out is untouched. */
bool hatable_number(struct hatable *table, size_t column, uint64_t max, uint64_t *out);

/* A number of digits only, "" is 0. False when it is none or above max. */
bool hatable_parse_number(const char *text, uint64_t max, uint64_t *out);

#endif
