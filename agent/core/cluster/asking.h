/* SPDX-License-Identifier: MIT */
/* Which pods of a backend are asked in each interval, and which once a minute. */
#ifndef WSB_ASKING_H
#define WSB_ASKING_H

#include <stdbool.h>
#include <stdint.h>

struct backend;
struct server;

/*
 * A backend that nobody named may be that of a server that tells no connections, a vendor's API or
 * another database's console: what is there is a stranger to be left in peace. When ten answers in
 * a row of each of three of its pods, or of all where there are fewer, show that (see
 * metric_outcome_is_strange), and none of its pods was ever heard, it is quiet: one pod is asked
 * each minute, in turn. Whatever may change that begins anew.
 */
enum { ASKING_STRANGE_MAX = 10, ASKING_PODS_MAX = 3, ASKING_QUIET_MS = 60000 };

/*
 * The port of a server may be relative to the client's, as "+1000", which HAProxy tells as 1000:
 * who answers there is a stranger. So a pod whose port is not sure, which was never heard and fails
 * so often in a row as another server does, is asked once a minute too, unless its backend was
 * named: its operator has been told then, and says with metricPort where it is to be asked.
 */
enum { ASKING_UNSURE_MAX = 3 };

/* Who answers at the server's port may be a stranger, see above. */
bool asking_is_doubtful(const struct server *server);

/* Sets which pods of the backend are wanted; those that other backends want stay so. named: it is
 * asked in each interval, whatever it answers. news: a server has joined or come up, or HAProxy is
 * another process. */
void asking_update(struct backend *backend, bool named, bool news, int64_t now_ms);

#endif
