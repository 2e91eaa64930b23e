/* SPDX-License-Identifier: MIT */
/* What the agent asks HAProxy each round, and what it takes for the answer without one. */
#ifndef WSB_HAQUERY_H
#define WSB_HAQUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config/config.h"
#include "core/haproxy/hastate.h"

/*
 * The line of commands whose answer hareply_parse reads, for the backends named, or for all when
 * there are none or too many for a line. Freed with free(); NULL when out of memory.
 */
char *haquery_write(char *const *backends, size_t n_backends);

/* The servers that the configuration names, in the shape of HAProxy's answer: up, with no sessions.
 * False when out of memory; hastate_fini frees it. */
bool ask_configured(const struct config *config, struct hastate_snapshot *out);

#endif
