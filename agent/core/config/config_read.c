/* SPDX-License-Identifier: MIT */
#include "core/config/config_read.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/config/config_keys.h"
#include "core/config/config_unknown.h"
#include "core/config/config_value.h"

struct reader {
	config_getenv lookup;
	void *arg;
	struct config_mistakes *mistakes;
};

/* A mistake at node, or in it at key, which it lacks; NULL is the root of a file without content.
 * Always returns false. */
__attribute__((format(printf, 4, 5))) static bool fail(const struct reader *reader,
	const struct config_node *node, const char *key, const char *format, ...)
{
	struct why why;
	char message[384];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	why_set(&why, "%s", "");
	if (node && node->up) {
		why.line = node->line;
		config_yaml_write_path(node, &why);
	}
	if (key)
		why_append(&why, "%s%s", *why.text ? "." : "", key);
	why_append(&why, "%s%s", *why.text ? ": " : "", message);
	return config_mistakes_add(reader->mistakes, &why);
}

/* ---- the keys of a mapping ---- */

static const char *const shape_names[] = {
	[CONFIG_VALUE] = "a single value",
	[CONFIG_MAPPING] = "key: value pairs",
	[CONFIG_LIST] = "a list",
};

static bool fail_shape(const struct reader *reader, const struct config_node *node,
	const struct config_key *rows, size_t n_rows)
{
	struct why expected;

	assert(rows);
	why_set(&expected, "%s", "");
	for (size_t i = 0; i < n_rows; i++) {
		/* What fills nothing is there to refuse better than this. */
		if (rows[i].kind && rows[i].size == 0)
			continue;
		why_append(&expected, "%s%s", *expected.text ? " or " : "",
			shape_names[config_keys_shape(&rows[i])]);
		if (!rows[i].kind)
			why_append(&expected, " such as %s", rows[i].example);
	}
	return fail(
		reader, node, NULL, "expected %s, not %s", expected.text, shape_names[node->shape]);
}

/* Of rows for one value, that of node's shape; NULL: there is none. */
static const struct config_key *row_of_shape(
	const struct config_node *node, const struct config_key *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		if (config_keys_shape(&rows[i]) == node->shape)
			return &rows[i];
	}
	return NULL;
}

static bool fail_missing(
	const struct reader *reader, const struct config_node *node, const struct config_key *row)
{
	return fail(reader, node, node->shape == CONFIG_MAPPING ? row->key : NULL,
		"missing: set it, such as '%s: %s'", row->key, row->example);
}

static bool check_duplicate(const struct reader *reader, const struct config_node *node)
{
	const struct config_node *before = node->up->first;

	while (before != node && strcmp(before->key, node->key) != 0)
		before = before->next;
	return before == node ||
	       fail(reader, node, NULL, "duplicate key, first set in line %u", before->line);
}

/* A key's rows, and how many; NULL when it has none. */
static const struct config_key *find_rows(
	const struct config_mapping *mapping, const char *key, size_t *n_rows)
{
	const struct config_key *rows = NULL;

	*n_rows = 0;
	for (size_t i = 0; i < mapping->n_keys; i++) {
		if (strcmp(mapping->keys[i].key, key) != 0)
			continue;
		if (!rows)
			rows = &mapping->keys[i];
		++*n_rows;
	}
	return rows;
}

static bool check_key(const struct reader *reader, const struct config_mapping *mapping,
	const struct config_node *node)
{
	size_t n_rows;
	const struct config_key *rows = find_rows(mapping, node->key, &n_rows);
	struct why why;

	if (!rows) {
		config_unknown_advise(mapping, node, &why);
		return fail(reader, node, NULL, "unknown key%s", why.text);
	}
	if (!check_duplicate(reader, node))
		return false;
	if (node->is_null && rows->required)
		return fail_missing(reader, node, rows);
	if (node->is_null)
		return fail(reader, node, NULL,
			"no value: set one, or remove the key to use its default");
	return row_of_shape(node, rows, n_rows) || fail_shape(reader, node, rows, n_rows);
}

/* Whether each key of a mapping may be read by its row. */
static bool check_keys(const struct reader *reader, const struct config_mapping *mapping,
	const struct config_node *node)
{
	bool ok = true;

	for (node = node->first; node && !config_mistakes_full(reader->mistakes); node = node->next)
		ok &= check_key(reader, mapping, node);
	return ok;
}

/* ---- the walk ---- */

static void read_row(const struct reader *reader, const struct config_key *row,
	const struct config_node *node, void *out);

/* Text of the file's at node, or of the table's for NULL. */
static bool read_text(const struct reader *reader, const struct config_key *row,
	const struct config_node *node, const char *text, void *out)
{
	struct why why;

	assert(row->size == row->kind->size);
	return row->kind->parse(row, text, (char *)out + row->at, &why) ||
	       fail(reader, node, NULL, "%s", why.text);
}

static bool read_value(const struct reader *reader, const struct config_key *row,
	const struct config_node *node, void *out)
{
	struct why why;
	char *expanded = config_expand(node->text, reader->lookup, reader->arg, &why);
	bool ok = expanded ? read_text(reader, row, node, expanded, out)
			   : fail(reader, node, NULL, "%s", why.text);

	free(expanded);
	return ok;
}

/* node is NULL where the file has no such mapping: all is at its default. */
static void read_mapping(const struct reader *reader, const struct config_mapping *mapping,
	const struct config_node *node, void *out)
{
	bool ok = !node || check_keys(reader, mapping, node);

	for (size_t i = 0; i < mapping->n_keys; i++) {
		const struct config_key *row = &mapping->keys[i];
		const struct config_node *value = config_yaml_get(node, row->key);

		/* In place of a key with a slip no other is missed. */
		if (node && !value && row->required && ok)
			fail_missing(reader, node, row);
		if (value && (value->is_null || config_keys_shape(row) != value->shape))
			value = NULL;
		read_row(reader, row, value, out);
	}
	if (mapping->complete && reader->mistakes->n == 0 && !mapping->complete(out))
		fail(reader, NULL, NULL, "out of memory");
}

static const char *unique_text(const struct config_list *list, const char *entries, size_t i)
{
	const char *member = entries + i * list->entry_size + list->unique->at;

	return *(const char *const *)member;
}

/* Whether the entry that node has filled differs from those before it. */
static bool check_unique(const struct reader *reader, const struct config_list *list,
	const struct config_node *node, const char *entries)
{
	const struct config_unique *unique = list->unique;
	const char *text = unique ? unique_text(list, entries, node->index) : NULL;
	const struct config_node *before = node->up->first;

	for (; text && before != node; before = before->next) {
		const char *other = unique_text(list, entries, before->index);

		if (other &&
			(unique->any_case ? strcasecmp(text, other) : strcmp(text, other)) == 0) {
			return fail(reader, node, NULL, "duplicate %s %s, first set in line %u%s%s",
				unique->what, text, before->line, unique->advice ? ": " : "",
				unique->advice ? unique->advice : "");
		}
	}
	return true;
}

static bool read_entry(const struct reader *reader, const struct config_list *list,
	const struct config_node *node, char *entries)
{
	const struct config_key *row = row_of_shape(node, list->entries, list->n_entries);
	char *entry = entries + node->index * list->entry_size;

	if (list->name && (!check_duplicate(reader, node) ||
				  !read_text(reader, list->name, node, node->key, entry)))
		return false;
	if (node->is_null)
		return fail(reader, node, NULL, "no value: set one, or remove it");
	if (!row)
		return fail_shape(reader, node, list->entries, list->n_entries);
	read_row(reader, row, node, entry);
	return check_unique(reader, list, node, entries);
}

static void read_list(const struct reader *reader, const struct config_key *row,
	const struct config_node *node, void *out)
{
	const struct config_list *list = row->list;
	char *entries;

	if (node->n > list->max) {
		fail(reader, node, NULL, "too many entries (%zu): at most %zu are allowed", node->n,
			list->max);
		return;
	}
	if (node->n == 0) {
		if (row->required)
			fail(reader, node, NULL, "no entries: set some, such as %s", row->example);
		return;
	}
	entries = calloc(node->n, list->entry_size);
	if (!entries) {
		fail(reader, node, NULL, "out of memory");
		return;
	}
	memcpy((char *)out + row->at, &entries, sizeof(entries));
	memcpy((char *)out + row->count_at, &node->n, sizeof(node->n));
	for (node = node->first; node && !config_mistakes_full(reader->mistakes); node = node->next)
		read_entry(reader, list, node, entries);
}

/* node is of the row's shape, or NULL for the default. */
static void read_row(const struct reader *reader, const struct config_key *row,
	const struct config_node *node, void *out)
{
	if (row->mapping)
		read_mapping(reader, row->mapping, node, (char *)out + row->at);
	else if (row->list && node)
		read_list(reader, row, node, out);
	else if (row->kind && node)
		read_value(reader, row, node, out);
	else if (row->kind && row->fallback)
		read_text(reader, row, NULL, row->fallback, out);
}

void config_read(const struct config_node *root, config_getenv lookup, void *arg,
	struct config *config, struct config_mistakes *mistakes)
{
	const struct reader reader = {.lookup = lookup, .arg = arg, .mistakes = mistakes};

	read_mapping(&reader, &config_keys, root, config);
}
