/* SPDX-License-Identifier: MIT */
#include "core/record/record_parse.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonget.h"
#include "core/base/jsonparse.h"
#include "core/record/record_columns.h"

static bool read_basis(const char *word, enum planner_basis *out)
{
	for (int basis = PLANNER_HEARD; basis <= PLANNER_DRAINING; basis++) {
		if (strcmp(word, planner_basis_name((enum planner_basis)basis)) == 0) {
			*out = (enum planner_basis)basis;
			return true;
		}
	}
	return false;
}

/* A whole number in the column's range; ranges end where a double is still exact. */
static bool read_whole(const struct record_column *column, struct json_object *value, int64_t *out)
{
	int64_t number = json_object_get_int64(value);

	if (!json_object_is_type(value, json_type_int) || (double)number < column->min ||
		(double)number > column->max)
		return false;
	*out = number;
	return true;
}

static bool read_real(const struct record_column *column, struct json_object *value, double *out)
{
	double number = json_object_get_double(value);

	if ((!json_object_is_type(value, json_type_int) &&
		    !json_object_is_type(value, json_type_double)) ||
		!isfinite(number) || number < column->min || number > column->max)
		return false;
	*out = number;
	return true;
}

/* Names end at a NUL in C, so one within would cut them. */
static const char *text_of(struct json_object *value)
{
	const char *text =
		json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;

	return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

static bool read_value(const struct record_column *column, struct json_object *value, void *to)
{
	void *member = (char *)to + column->offset;
	int64_t number = 0;
	const char *text;

	switch (column->type) {
	case RECORD_TEXT:
		text = text_of(value);
		*(const char **)member = text;
		return text != NULL;
	case RECORD_BASIS:
		text = text_of(value);
		return text && read_basis(text, member);
	case RECORD_BOOL:
		*(bool *)member = json_object_get_boolean(value);
		return json_object_is_type(value, json_type_boolean);
	case RECORD_REAL:
		return read_real(column, value, member);
	case RECORD_COUNT:
		if (!read_whole(column, value, &number))
			return false;
		*(uint32_t *)member = (uint32_t)number;
		return true;
	case RECORD_UNSIGNED:
		if (!read_whole(column, value, &number))
			return false;
		*(unsigned *)member = (unsigned)number;
		return true;
	case RECORD_INT:
		if (!read_whole(column, value, &number))
			return false;
		*(int *)member = (int)number;
		return true;
	case RECORD_MS:
		return read_whole(column, value, member);
	}
	return false;
}

/* Reads the columns' members out of object, which has so many others beside them. */
static bool read_members(
	const struct record_column *columns, size_t n_others, struct json_object *object, void *to)
{
	size_t n = 0;

	for (; columns[n].name; n++) {
		struct json_object *value;

		if (!json_object_object_get_ex(object, columns[n].name, &value) ||
			!read_value(&columns[n], value, to))
			return false;
	}
	return (size_t)json_object_object_length(object) == n + n_others;
}

/* Which column stands at each place of a row. */
struct order {
	const struct record_column *columns[RECORD_COLUMNS_MAX];
	size_t n;
};

static const struct record_column *find_column(const char *name)
{
	const struct record_column *column = record_server_columns;

	while (name && column->name && strcmp(column->name, name) != 0)
		column++;
	return name && column->name ? column : NULL;
}

/* Every column once. */
static bool read_order(struct json_object *names, struct order *order)
{
	size_t n_columns = 0;

	while (record_server_columns[n_columns].name)
		n_columns++;
	if (jsonget_len(names) != n_columns)
		return false;
	for (order->n = 0; order->n < n_columns; order->n++) {
		const struct record_column *column =
			find_column(text_of(json_object_array_get_idx(names, order->n)));

		for (size_t i = 0; i < order->n; i++) {
			if (order->columns[i] == column)
				return false;
		}
		if (!column)
			return false;
		order->columns[order->n] = column;
	}
	return true;
}

static bool read_server(
	const struct order *order, struct json_object *row, struct record_server *to)
{
	if (!json_object_is_type(row, json_type_array) || jsonget_len(row) != order->n)
		return false;
	for (size_t i = 0; i < order->n; i++) {
		if (!read_value(order->columns[i], json_object_array_get_idx(row, i), to))
			return false;
	}
	return true;
}

static bool read_backend(const struct order *order, struct json_object *object,
	struct record *record, struct why *why)
{
	struct record_backend *to = &record->backends[record->n_backends++];
	struct json_object *rows = jsonget_member(object, "servers", json_type_array);

	if (!rows || !read_members(record_backend_columns, 1, object, to))
		return why_set(why, "a backend has other keys or values than it should");
	to->servers = &record->servers[record->n_servers];
	to->n_servers = jsonget_len(rows);
	record->n_servers += to->n_servers;
	for (size_t i = 0; i < to->n_servers; i++) {
		if (!read_server(order, json_object_array_get_idx(rows, i), &to->servers[i]))
			return why_set(why, "a server has other values than its columns should");
	}
	return true;
}

/* Room for all backends and servers; false when out of memory. */
static bool make_room(struct json_object *backends, struct record *record)
{
	size_t n_backends = jsonget_len(backends);
	size_t n_servers = 0;

	for (size_t i = 0; i < n_backends; i++)
		n_servers += jsonget_len(jsonget_member(
			json_object_array_get_idx(backends, i), "servers", json_type_array));
	record->backends = calloc(n_backends + 1, sizeof(*record->backends));
	record->servers = calloc(n_servers + 1, sizeof(*record->servers));
	return record->backends && record->servers;
}

static bool read_line(struct json_object *line, struct record *record, struct why *why)
{
	struct json_object *version = jsonget_member(line, "version", json_type_int);
	struct json_object *settings = jsonget_member(line, "settings", json_type_object);
	struct json_object *columns = jsonget_member(line, "columns", json_type_array);
	struct json_object *backends = jsonget_member(line, "backends", json_type_array);
	struct order order;

	if (!version || json_object_get_int64(version) != RECORD_VERSION)
		return why_set(why, "not a record of this version");
	if (!settings || !columns || !backends ||
		!read_members(record_line_columns, 4, line, record))
		return why_set(why, "the round has other keys or values than it should");
	if (!read_members(record_settings_columns, 0, settings, &record->settings))
		return why_set(why, "settings has other keys or values than it should");
	if (!read_order(columns, &order))
		return why_set(why, "the columns are not those of this version");
	if (!make_room(backends, record))
		return why_set(why, "out of memory");
	for (size_t i = 0; i < jsonget_len(backends); i++) {
		if (!read_backend(&order, json_object_array_get_idx(backends, i), record, why))
			return false;
	}
	return true;
}

bool record_parse(const char *line, size_t len, struct record *out, struct why *why)
{
	struct record record = {.n_backends = 0};
	struct json_object *object;
	enum jsonparse_outcome outcome;

	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len > RECORD_LINE_MAX)
		return why_set(why, "too long");
	outcome = jsonparse(line, len, &object);
	if (outcome != JSONPARSE_OK)
		return why_set(why, "%s", jsonparse_outcome_name(outcome));
	record.names = object;
	if (!read_line(object, &record, why)) {
		record_fini(&record);
		return false;
	}
	*out = record;
	return true;
}
