/* SPDX-License-Identifier: MIT */
/* Which of HAProxy's backends are meant, and how the pods of each are asked. */
#ifndef WSB_SELECTION_H
#define WSB_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/pod.h"

/* Backends by a name or a pattern (text_matches), and how their pods are asked. */
struct selection_source {
	char *pattern;
	struct pod_source source;
};

struct selection_own {
	char *address; /* "*": all addresses */
	uint16_t port;
};

struct selection {
	char **backends; /* names and patterns; 0 of them: every backend that can be steered */
	size_t n_backends;
	struct selection_source *sources;
	size_t n_sources;
	struct pod_source source; /* of all other backends */
	char **named; /* backends that the settings name elsewhere, which selects nothing */
	size_t n_named;
	struct selection_own *own; /* where the agent itself listens */
	size_t n_own;
	/* Whether an address is one of this host's; NULL: only loopback is known to be. */
	bool (*is_local)(const char *address);
};

/* A copy that owns its texts, to be released with selection_fini. False when out of memory, with
 * *to untouched. */
bool selection_copy(const struct selection *from, struct selection *to);
/* Takes a zeroed struct. */
void selection_fini(struct selection *selection);

/* The backend is meant by its name, in whatever setting, or by a pattern that says more than *:
 * what it speaks is the operator's affair then. */
bool selection_is_named(const struct selection *selection, const char *backend);

/* The address is the agent's own: to ask it would be to ask oneself. */
bool selection_is_own(const struct selection *selection, const char *address, uint16_t port);

/* The backend is meant. */
bool selection_has(const struct selection *selection, const char *backend);

/*
 * How the pods of a backend are asked: a name goes before patterns. *other, unless NULL, is set to
 * a second pattern that fits as well and says otherwise, or to NULL.
 */
const struct pod_source *selection_source(
	const struct selection *selection, const char *backend, const char **other);

#endif
