/* SPDX-License-Identifier: MIT */
/* One listening socket of the HTTP endpoint: libmicrohttpd inside the libev loop, with no thread.
 */
#ifndef WSB_MHDLOOP_H
#define WSB_MHDLOOP_H

#include <stdbool.h>

#include "http/routes.h"

struct ev_loop;
struct mhdloop;

/*
 * Serves the routes on a listening socket from now on; over TLS with cert and key, PEM texts that
 * may be NULL. The routes must outlive it. On success the socket is its own. NULL, with
 * the socket left alone, when out of memory or when cert and key are no pair.
 */
struct mhdloop *mhdloop_new(struct ev_loop *loop, int fd, const char *cert, const char *key,
	const struct routes *routes);

/* Whether the PEM texts are a certificate and its key. */
bool mhdloop_is_pair(const char *cert, const char *key);

/* Lets the daemon work: for when connections of its own were resumed. */
void mhdloop_turn(struct mhdloop *mhdloop);

/* Gives the socket back, which has not stopped listening: it takes no further connections and
 * serves those that it has. */
int mhdloop_leave(struct mhdloop *mhdloop);

/* Cuts what is under way and closes the socket, unless it was given back; takes NULL. No connection
 * may be suspended. No callback runs after it. */
void mhdloop_free(struct mhdloop *mhdloop);

#endif
