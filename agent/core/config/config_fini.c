/* SPDX-License-Identifier: MIT */
/* What the rows of the table have filled is freed by them too. */
#include "core/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "core/config/config_keys.h"
#include "core/config/config_value.h"

static void free_rows(const struct config_key *rows, size_t n_rows, char *out);

static void free_list(const struct config_key *row, char *out)
{
	const struct config_list *list = row->list;
	char *entries;
	size_t n;

	memcpy(&entries, out + row->at, sizeof(entries));
	memcpy(&n, out + row->count_at, sizeof(n));
	for (size_t i = 0; i < n; i++) {
		char *entry = entries + i * list->entry_size;

		free_rows(list->entries, list->n_entries, entry);
		if (list->name)
			free_rows(list->name, 1, entry);
	}
	free(entries);
}

static void free_rows(const struct config_key *rows, size_t n_rows, char *out)
{
	for (size_t i = 0; i < n_rows; i++) {
		const struct config_key *row = &rows[i];

		if (row->kind && row->kind->release)
			row->kind->release(out + row->at);
		else if (row->mapping)
			free_rows(row->mapping->keys, row->mapping->n_keys, out + row->at);
		else if (row->list)
			free_list(row, out);
	}
}

void config_fini(struct config *config)
{
	if (!config)
		return;
	metric_query_fini(&config->metric.query);
	for (size_t i = 0; i < config->n_backends; i++)
		metric_query_fini(&config->backends[i].metric.query);
	for (size_t i = 0; i < config->n_services; i++)
		metric_query_fini(&config->services[i].metric.query);
	free_rows(config_keys.keys, config_keys.n_keys, (char *)config);
	*config = (struct config){0};
}
