/* SPDX-License-Identifier: MIT */
/* What was said last of each backend and server of HAProxy, so that nothing is said twice. */
#ifndef WSB_SAID_H
#define WSB_SAID_H

#include <stdbool.h>
#include <stdint.h>

#include "core/events.h"
#include "core/report/verdict.h"

struct lh_table;

/* Zeroed: nothing was said. */
struct said_backend {
	int mode; /* mode + 1; 0: nothing */
	bool fallback;
	bool dns_full; /* every server found by DNS is in use */
	bool dns_limit;
	bool quiet;
	bool sticky;
};

struct said_server {
	bool disbelieved;
	bool several; /* workers, each of which answers for itself */
	bool draining;
	bool unasked;
	bool doubtful; /* its port may not be its own */
	bool overwritten;
	bool capped;       /* its pod tells more capacity than counts */
	bool used;         /* it had a pod that HAProxy used */
	int64_t joined_ms; /* of that pod, see struct server */
	char *pod;         /* its name, or else the server's; owned */
};

struct said_verdict {
	enum verdict_state said;
	enum verdict_state seen;
};

/* Of one name, which is a backend's or a server's: a backend's name has no slash, a server's id has
 * one. */
struct said {
	char *name;
	uint64_t number; /* of the announcement that saw it last */
	struct said_backend backend;
	struct said_server server;
	struct said_verdict verdict;
};

/* Zeroed memory is a valid start; said_fini frees what it holds. */
struct said_table {
	struct lh_table *table; /* by the name; NULL: nothing was said yet */
	uint64_t number;        /* of announcements */
};

/* Another announcement begins: what it does not ask for has left. */
void said_begin(struct said_table *table);

/* What was said of name, or that nothing was; the table's, until said_end or said_fini. NULL when
 * out of memory. */
struct said *said_of(struct said_table *table, const char *name);

/* The announcement ends. Forgets the names that it did not ask for, having told leave of each with
 * the caller's events; leave may be NULL. */
void said_end(struct said_table *table,
	void (*leave)(const struct said *said, struct events *events), struct events *events);

void said_fini(struct said_table *table);

#endif
