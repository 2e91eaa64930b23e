/* SPDX-License-Identifier: MIT */
/* From the text of a mapping's keys to the members of a struct, by a table of settings. */
#ifndef WSB_CONFIG_TAKE_H
#define WSB_CONFIG_TAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config/config_schema.h"
#include "core/config/config_value.h"
#include "core/config/config_yaml.h"

/* What a configuration is made from. */
struct config_source {
	struct config_yaml yaml;     /* for lines, and for mappings with free keys */
	struct config_raw_root *raw; /* NULL for a file without content */
	config_getenv lookup;
	void *arg;
};

/* One mapping of the file and the struct that its keys fill. */
struct config_mapping {
	const struct config_setting *settings;
	size_t n_settings;
	const struct config_path *path; /* NULL: the root */
	const void *raw; /* its raw struct; NULL where the file has no such mapping */
	void *out;       /* zeroed */
};

/* Fills *mapping->out by its settings, defaults where a key is missing. On false *error says why,
 * and out is to be released all the same. */
bool config_take(struct config_source *source, const struct config_mapping *mapping,
	struct config_error *error);

/* Frees what the settings' members in out own. */
void config_release(const struct config_setting *settings, size_t n_settings, void *out);

/* Expands one text, takes it by setting, and complains with path. */
bool config_take_text(struct config_source *source, const struct config_setting *setting,
	const struct config_path *path, const char *text, void *out, struct config_error *error);

#endif
