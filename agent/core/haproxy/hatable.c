/* SPDX-License-Identifier: MIT */
#include "core/haproxy/hatable.h"

#include <string.h>

bool hatable_parse_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (*text < '0' || *text > '9' || digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

/* Cuts the next field off *rest, in place; *rest is NULL after the last one. */
static const char *next_csv(char **rest)
{
	char *in = *rest;
	char *out = in;
	char *start = in;
	bool quoted = *in == '"';

	if (!quoted) {
		while (*in && *in != ',')
			in++;
		*rest = *in ? in + 1 : NULL;
		*in = '\0';
		return start;
	}
	in++;
	while (*in && (quoted || *in != ',')) {
		if (quoted && *in == '"') {
			in++;
			if (*in != '"') {
				quoted = false;
				continue;
			}
		}
		*out++ = *in++;
	}
	*rest = *in == ',' ? in + 1 : NULL;
	*out = '\0';
	return start;
}

/* Cuts max fields off. */
static size_t split(enum hatable_style style, char *line, const char **fields, size_t max)
{
	char *rest = line;
	size_t n = 0;

	while (rest && n < max)
		fields[n++] = style == HATABLE_CSV ? next_csv(&rest) : strsep(&rest, " ");
	return n;
}

bool hatable_read_header(struct hatable *table, char *line)
{
	const char *names[HATABLE_MAX_FIELDS];
	size_t n = split(table->style, line, names, HATABLE_MAX_FIELDS);

	table->n_fields = 0;
	for (size_t w = 0; w < table->n_wanted; w++) {
		size_t i = 0;

		while (i < n && strcmp(names[i], table->wanted[w]) != 0)
			i++;
		if (i == n && w + table->n_optional < table->n_wanted) {
			table->bad = table->wanted[w];
			return false;
		}
		table->index[w] = i < n ? i : SIZE_MAX;
		if (i < n && i >= table->n_fields)
			table->n_fields = i + 1;
	}
	return true;
}

bool hatable_read_row(struct hatable *table, char *line)
{
	const char *fields[HATABLE_MAX_FIELDS];
	size_t n = split(table->style, line, fields, table->n_fields);
	bool whole = true;

	for (size_t w = 0; w < table->n_wanted; w++) {
		bool found = table->index[w] < n;

		table->fields[w] = found ? fields[table->index[w]] : "";
		if (!found && whole && table->index[w] != SIZE_MAX) {
			table->bad = table->wanted[w];
			whole = false;
		}
	}
	return whole;
}

bool hatable_number(struct hatable *table, size_t column, uint64_t max, uint64_t *out)
{
	if (hatable_parse_number(table->fields[column], max, out))
		return true;
	table->bad = table->wanted[column];
	return false;
}
