/* SPDX-License-Identifier: MIT */
/* How many sessions backends have, and nothing else: what the agent asks between rounds. */
#ifndef WSB_HASESSIONS_H
#define WSB_HASESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The line of commands that asks for these backends, by HAProxy's numbers for them. Freed with
 * free(); NULL when out of memory. */
char *hasessions_write(const uint32_t *ids, size_t n_ids);

/* What its answer says of the backend of this name: sessions now (scur). False
 * when it says nothing of it, or what HAProxy does not write, or when out of memory. */
bool hasessions_find(const char *reply, size_t len, const char *backend, uint64_t *sessions);

#endif
