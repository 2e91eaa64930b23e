/* SPDX-License-Identifier: MIT */
/* The agent-check: what HAProxy asks, and the one line that answers it. */
#ifndef WSB_AGENTCHECK_H
#define WSB_AGENTCHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/cluster/cluster.h"

/*
 * HAProxy connects, sends its agent-send text and reads a line. The text is "backend/server", with
 * or without a newline, whole or in pieces. The answer is a percentage of the configured weight
 * and nothing else: never up, down, ready, drain or maint, for these would outlive an agent that
 * cannot take them back.
 */

enum {
	AGENTCHECK_REQUEST_MAX = 1024, /* bytes; more are not read */
	AGENTCHECK_SIZE = 16,          /* bytes that the longest answer needs, with its NUL */
};

enum agentcheck_request {
	AGENTCHECK_COMPLETE, /* a whole line, or a name that no other name begins with */
	AGENTCHECK_MAYBE,    /* a server's name, and the beginning of another's: wait a moment */
	AGENTCHECK_PARTIAL,  /* no name yet */
};

/*
 * Judges what has come so far. *server is the server that is meant, or NULL where none is
 * known by that name (with AGENTCHECK_COMPLETE: answer an empty line).
 */
enum agentcheck_request agentcheck_read(
	struct cluster *cluster, const char *bytes, size_t len, struct server **server);

/* The answer with its newline: "N%\n", or "\n" for NULL and for a server without a plan, which
 * changes nothing. Returns its length without the NUL. */
size_t agentcheck_write(const struct server *server, char line[AGENTCHECK_SIZE]);

#endif
