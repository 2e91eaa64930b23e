/* SPDX-License-Identifier: MIT */
/* Which pod was put on which server: HAProxy knows addresses only. */
#ifndef WSB_SLOTS_MEMORY_H
#define WSB_SLOTS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slots_owner {
	char *server;
	char address[46]; /* INET6_ADDRSTRLEN */
	uint16_t port;
	char uid[64];
};

/* Starts zeroed: nothing known, as after a restart of the agent. */
struct slots_memory {
	struct slots_owner *owners; /* sorted by server */
	size_t n;
};

/* Makes room for so many. False when out of memory; *memory is then zeroed. */
bool slots_memory_init(struct slots_memory *memory, size_t room);

/* Frees what *memory owns and empties it. */
void slots_memory_fini(struct slots_memory *memory);

/* Adds one, within the room; a uid that is too long is kept as "". False when out of memory. */
bool slots_memory_put(struct slots_memory *memory, const char *server, const char *address,
	uint16_t port, const char *uid);

/* To be called after the last put and before the first look-up. */
void slots_memory_sort(struct slots_memory *memory);

/* The uid of the pod that was put on a server, "" when not known. It counts only while the server
 * has the address that it was given. Lives as long as the memory. */
const char *slots_memory_uid(
	const struct slots_memory *memory, const char *server, const char *address, uint16_t port);

#endif
