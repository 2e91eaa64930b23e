/* SPDX-License-Identifier: MIT */
/* Commands to HAProxy, put together into lines. */
#ifndef WSB_COMMANDS_H
#define WSB_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

enum {
	/* Bytes of one line of commands with its newline. HAProxy 3.0 and later drop what does not
	 * fit their buffer without a word, and 3.2 refuses 16 kB whole; measured. */
	COMMANDS_LINE_MAX = 7168,
};

/* Lines of commands joined by ';', each ending in a newline. Zeroed memory is empty. */
struct commands {
	char **lines;
	size_t n_lines;
	size_t n_weights; /* of the commands in them, those that set a weight: counted by whoever
			     appends such a one */
};

/* Appends one command. False when out of memory, or when it is longer than a line: what was
 * appended before stays. */
bool commands_append(struct commands *commands, const char *command);

/* Frees the lines; accepts zeroed memory and leaves it. */
void commands_fini(struct commands *commands);

#endif
