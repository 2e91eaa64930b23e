/* SPDX-License-Identifier: MIT */
/* Says, once, what has changed in a server and its pod: in the log, and as events on the page's
 * chart. */
#ifndef WSB_ANNOUNCE_SERVER_H
#define WSB_ANNOUNCE_SERVER_H

#include "announce/said.h"
#include "core/cluster/server.h"
#include "core/events.h"

void announce_server(struct said_server *said, const struct server *server, struct events *events);

/* HAProxy lists the server no longer. */
void announce_server_left(const struct said_server *said, struct events *events);

#endif
