/* SPDX-License-Identifier: MIT */
/* A table of what was said, by name. */
#include "announce/said.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_SIZE = 64, /* the table grows by itself */
};

static void said_free(struct said *said)
{
	free(said->name);
	free(said->server.pod);
	free(said);
}

static struct said *said_new(struct said_table *table, const char *name)
{
	struct said *said = calloc(1, sizeof(*said));

	if (!said)
		return NULL;
	said->name = strdup(name);
	if (!said->name || lh_table_insert(table->table, said->name, said) != 0) {
		said_free(said);
		return NULL;
	}
	return said;
}

void said_begin(struct said_table *table)
{
	table->number++;
}

struct said *said_of(struct said_table *table, const char *name)
{
	void *found = NULL;
	struct said *said;

	if (!table->table)
		table->table = lh_kchar_table_new(FIRST_SIZE, NULL);
	if (!table->table)
		return NULL;
	said = lh_table_lookup_ex(table->table, name, &found) ? found : said_new(table, name);
	if (said)
		said->number = table->number;
	return said;
}

void said_end(struct said_table *table,
	void (*leave)(const struct said *said, struct events *events), struct events *events)
{
	struct lh_entry *entry;
	struct lh_entry *next;

	if (!table->table)
		return;
	lh_foreach_safe(table->table, entry, next)
	{
		struct said *said = lh_entry_v(entry);

		if (said->number == table->number)
			continue;
		if (leave)
			leave(said, events);
		lh_table_delete_entry(table->table, entry);
		said_free(said);
	}
}

void said_fini(struct said_table *table)
{
	said_begin(table);
	said_end(table, NULL, NULL);
	if (table->table)
		lh_table_free(table->table);
	table->table = NULL;
}
