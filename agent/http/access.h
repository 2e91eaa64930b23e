/* SPDX-License-Identifier: MIT */
/* Who may ask the HTTP endpoint for what. */
#ifndef WSB_ACCESS_H
#define WSB_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "io/log.h"

struct MHD_Connection;

/*
 * With a token, it is the token that lets in. Without one, an endpoint on loopback is open to this
 * host, whose browsers run other people's pages: one that has a name of its own lead to 127.0.0.1
 * could read all of it (DNS rebinding), so there the Host that is asked for must be one of ours.
 * Elsewhere whoever can connect can read, and a warning at the start says so.
 */
struct access {
	const char *token; /* NULL: none is asked for */
	bool is_local;     /* only this host can connect */
	char **names;      /* listenNames */
	size_t n_names;
	struct log_repeat foreign_host; /* requests that were refused */
	struct log_repeat foreign_drain;
};

/* The request carries the token, or none is asked for. */
bool access_has_token(const struct access *access, struct MHD_Connection *connection);

/* The request is for a name of ours. False is logged now and then. */
bool access_is_our_host(struct access *access, struct MHD_Connection *connection);

/*
 * The request may drain HAProxy: it carries the token or, where none is set, comes from this host
 * and from no browser or proxy. False is logged now and then, with what to write into the hook.
 */
bool access_may_drain(struct access *access, struct MHD_Connection *connection);

#endif
