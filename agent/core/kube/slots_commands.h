/* SPDX-License-Identifier: MIT */
/* The commands that put pods into the servers of one backend. */
#ifndef WSB_SLOTS_COMMANDS_H
#define WSB_SLOTS_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/kube/slice.h"

/* Begins zeroed but for the backend's name, the caller's; ends with slots_commands_fini. */
struct slots_commands {
	const char *backend;
	char **lines; /* for the Runtime API, in order, without line ends */
	size_t n;
	size_t room;
	bool failed; /* out of memory: nothing more is written, and the list is not whole */
};

/* state is HAProxy's word: "ready", "drain", "maint". */
void slots_commands_state(struct slots_commands *commands, const char *server, const char *state);

/* The pod gets the server, which begins as new: with weight, 1 to 256, and its health unknown. */
void slots_commands_move(struct slots_commands *commands, const char *server, bool is_in_maint,
	const struct endpoint *pod, int weight);

/* The pod gets a server that is added. options are what follows address and weight, such as "check
 * inter 2s". */
void slots_commands_add(struct slots_commands *commands, const char *server,
	const struct endpoint *pod, int weight, const char *options);

void slots_commands_delete(struct slots_commands *commands, const char *server);

/* Frees the lines; takes a zeroed struct. */
void slots_commands_fini(struct slots_commands *commands);

#endif
