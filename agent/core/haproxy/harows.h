/* SPDX-License-Identifier: MIT */
/* The rows of "show stat" and "show servers state", and how they become servers. */
#ifndef WSB_HAROWS_H
#define WSB_HAROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/haproxy/hastate.h"
#include "core/haproxy/hatable.h"

/* A part of hareply: the two tables are read row by row and then joined by the servers' names. */

/* A server's row of one of the two tables, before they are joined. */
struct harow {
	uint32_t backend_id; /* of "show servers state" */
	const char *backend;
	struct hastate_server server;
};

/* Strings point into the lines that were read. */
struct harows {
	struct hatable stat_table;
	struct hatable state_table;
	struct harow *stat;
	size_t n_stat;
	struct harow *state;
	size_t n_state;
	struct hastate_backend *backends;
	size_t n_backends;
	struct hastate_server *servers;
	const struct harow **index; /* of stat, by names; NULL: not needed so far */
	bool out_of_memory;
	bool denied;     /* something is hidden that the socket's level forbids to see */
	const char *why; /* what was wrong, where that is no column */
};

/* Has room for so many rows. False when out of memory; harows_fini frees what there is. */
bool harows_init(struct harows *rows, size_t max_rows);
void harows_fini(struct harows *rows);

/* A header without its "# ", and a row; both are cut up in place. False when it is not what HAProxy
 * writes. */
bool harows_stat_header(struct harows *rows, char *line);
bool harows_stat_row(struct harows *rows, char *line);
bool harows_state_header(struct harows *rows, char *line);
bool harows_state_row(struct harows *rows, char *line);

/* Fills servers, a backend's side by side, and points the backends to theirs. False when they do
 * not fit together, or out_of_memory. */
bool harows_join(struct harows *rows);

/* What was wrong; "" where nothing was. Static. */
const char *harows_why(const struct harows *rows);

#endif
