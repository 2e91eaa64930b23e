/* SPDX-License-Identifier: MIT */
/* Listening sockets. */
#ifndef WSB_LISTENER_H
#define WSB_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/why.h"
#include "core/config/config.h"

enum { LISTENER_MAX = 2 }; /* sockets of one endpoint: "*" is IPv6 and IPv4 */

/*
 * Opens non-blocking, close-on-exec listening TCP sockets for host:port into fds; returns how many,
 * or 0 with *why set, which may be touched otherwise too. host is an address, "localhost" or "*";
 * other names are resolved by the system, which may wait, so this is for the start and for a new
 * configuration only. The caller closes the sockets.
 */
size_t listener_open(
	const struct config_endpoint *endpoint, int fds[LISTENER_MAX], struct why *why);

/* The host is an address of this one, as far as can be told without its port, which may be in use
 * by a running agent. */
bool listener_check(const struct config_endpoint *endpoint, struct why *why);

/* Only this host can reach the endpoint. */
bool listener_is_local(const struct config_endpoint *endpoint);

#endif
