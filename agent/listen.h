/* SPDX-License-Identifier: MIT */
/* Listening sockets for an endpoint of the configuration. */
#ifndef WSB_LISTEN_H
#define WSB_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config.h"

enum { LISTEN_MAX = 2 };

/* "*" and "localhost" are two sockets, one for IPv6 and one for IPv4, where the host has both. */
struct listen_sockets {
	int fds[LISTEN_MAX]; /* non-blocking, close-on-exec */
	size_t n;
};

/*
 * Binds and listens. A host is an address, "*" or "localhost"; other names are not looked up. A
 * socket file that nobody listens on any more is replaced. On true the caller owns the sockets; on
 * false *out is untouched and error, cut to size, says why.
 */
bool listen_open(struct listen_sockets *out, const struct config_endpoint *endpoint, char *error,
	size_t size);

/* Only this host can reach the endpoint. */
bool listen_is_local(const struct config_endpoint *endpoint);

#endif
