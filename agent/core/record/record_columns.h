/* SPDX-License-Identifier: MIT */
/* What a recorded line holds of settings, backends and servers: the one list for writing and
 * reading. */
#ifndef WSB_RECORD_COLUMNS_H
#define WSB_RECORD_COLUMNS_H

#include <stddef.h>

#include "core/record/record.h"

enum record_type {
	RECORD_TEXT,     /* const char * */
	RECORD_BOOL,     /* bool */
	RECORD_COUNT,    /* uint32_t */
	RECORD_UNSIGNED, /* unsigned */
	RECORD_INT,      /* int */
	RECORD_MS,       /* int64_t */
	RECORD_REAL,     /* double */
	RECORD_BASIS,    /* enum planner_basis, as planner_basis_name */
};

/* A value by its name, where it is in its struct, and what may stand there. */
struct record_column {
	const char *name;
	enum record_type type;
	size_t offset;
	double min, max; /* of a number, both allowed */
};

/* Without name at the end. */
extern const struct record_column record_line_columns[];     /* of struct record */
extern const struct record_column record_settings_columns[]; /* of struct cluster_settings */
extern const struct record_column record_backend_columns[];  /* of struct record_backend */
extern const struct record_column record_server_columns[];   /* of struct record_server */

enum {
	RECORD_VERSION = 1,
	RECORD_COLUMNS_MAX = 40,            /* of any of them */
	RECORD_LINE_MAX = 64 * 1024 * 1024, /* bytes of a line */
};

#endif
