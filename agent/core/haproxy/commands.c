/* SPDX-License-Identifier: MIT */
#include "core/haproxy/commands.h"

#include <stdlib.h>
#include <string.h>

static bool append_line(struct commands *commands)
{
	char **grown = reallocarray(commands->lines, commands->n_lines + 1, sizeof(*grown));

	if (!grown)
		return false;
	commands->lines = grown;
	commands->lines[commands->n_lines] = calloc(1, COMMANDS_LINE_MAX + 1);
	if (!commands->lines[commands->n_lines])
		return false;
	commands->n_lines++;
	return true;
}

bool commands_append(struct commands *commands, const char *command)
{
	size_t len = strlen(command);
	size_t used = commands->n_lines > 0 ? strlen(commands->lines[commands->n_lines - 1]) : 0;
	char *line;

	if (len + 1 > COMMANDS_LINE_MAX)
		return false;
	if ((used == 0 || used + 1 + len > COMMANDS_LINE_MAX)) {
		if (!append_line(commands))
			return false;
		used = 0;
	}
	line = commands->lines[commands->n_lines - 1];
	/* The newline that ended the line so far becomes the joint. */
	if (used > 0)
		line[used - 1] = ';';
	memcpy(line + used, command, len);
	line[used + len] = '\n';
	line[used + len + 1] = '\0';
	return true;
}

void commands_fini(struct commands *commands)
{
	for (size_t i = 0; i < commands->n_lines; i++)
		free(commands->lines[i]);
	free(commands->lines);
	*commands = (struct commands){.n_lines = 0};
}
