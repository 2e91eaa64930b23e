/* SPDX-License-Identifier: MIT */
/* From wanted and actual weights to the commands that make up the difference. */
#ifndef WSB_RECONCILE_H
#define WSB_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/cluster.h"

enum {
	/* Bytes of one line of commands with its newline. HAProxy 3.0 and later drop what does not
	 * fit their buffer without a word, and 3.2 refuses 16 kB whole; measured. */
	RECONCILE_LINE_MAX = 7168,
};

/* Lines of commands joined by ';', each ending in a newline. Zeroed memory is empty. */
struct reconcile {
	char **lines;
	size_t n_lines;
	size_t n_weights; /* "set server ... weight" commands in all lines */
};

/*
 * Appends "set server ... weight" for every planned server whose weight in HAProxy is another than
 * the wanted one, and remembers it as sent. agent_check_port, where it is not 0, is where the agent
 * answers agent-checks: servers whose agent-check asks there are told to send their own name, once.
 * Returns false when out of memory; what was appended stays.
 */
bool reconcile_plan(struct cluster *cluster, uint16_t agent_check_port, struct reconcile *out);

/* Appends the commands that put back the configured weight of every server that was steered. */
bool reconcile_restore(struct cluster *cluster, struct reconcile *out);

/* A line did not reach HAProxy. What it does not show, and so would not be missed, is sent again.
 */
void reconcile_lost(struct cluster *cluster);

/* Appends one command. False when out of memory, or when it is longer than a line. */
bool reconcile_append(struct reconcile *out, const char *command);

/* Frees the lines; takes zeroed memory and leaves it. */
void reconcile_fini(struct reconcile *out);

#endif
