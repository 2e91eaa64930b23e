/* SPDX-License-Identifier: MIT */
/* Tables in HAProxy's answers: a header line that names the columns, then a line a row. */
#ifndef WSB_TABLE_H
#define WSB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TABLE_MAX_FIELDS = 256, /* of a line; more are dropped (HAProxy 3.2 has about 120) */
	TABLE_MAX_COLUMNS = 16, /* that a reader wants */
};

enum table_style {
	TABLE_CSV,    /* commas; a field in double quotes may hold them, and "" for a quote */
	TABLE_SPACES, /* single spaces */
};

/* Reads rows by the names of wanted columns; wanted is the caller's and must outlive it. */
struct table {
	enum table_style style;
	const char *const *wanted;
	size_t n_wanted;                       /* <= TABLE_MAX_COLUMNS */
	size_t index[TABLE_MAX_COLUMNS];       /* of each wanted column in a row */
	const char *fields[TABLE_MAX_COLUMNS]; /* of the row read last; they point into its line */
	const char *bad;                       /* the wanted column that is missing or no number */
};

/* Takes the header line, "# " cut off, and cuts it up in place. False when a wanted column is
 * missing: table->bad names it. */
bool table_read_header(struct table *table, char *line);

/* Takes a row and cuts it up in place. False when it ends before a wanted column: table->bad names
 * that, and "" stands in its place. */
bool table_read_row(struct table *table, char *line);

/* The number in a wanted column, by its place in wanted; "" is 0. False when it is none or above
 * max: table->bad names the column, *out is untouched. */
bool table_number(struct table *table, size_t column, uint64_t max, uint64_t *out);

/* A number of digits only, "" is 0. False when it is none or above max. */
bool table_parse_number(const char *text, uint64_t max, uint64_t *out);

#endif
