/* SPDX-License-Identifier: MIT */
#include "core/kube/slots_commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

__attribute__((format(printf, 2, 3))) static void command(
	struct slots_commands *commands, const char *format, ...)
{
	if (commands->failed)
		return;
	if (commands->n == commands->room) {
		size_t room = commands->room ? commands->room * 2 : 16;
		char **lines = realloc(commands->lines, room * sizeof(*lines));

		if (!lines) {
			commands->failed = true;
			return;
		}
		commands->lines = lines;
		commands->room = room;
	}
	va_list args;
	va_start(args, format);
	char *text;
	if (vasprintf(&text, format, args) < 0)
		commands->failed = true;
	else
		commands->lines[commands->n++] = text;
	va_end(args);
}

void slots_commands_state(struct slots_commands *commands, const char *server, const char *state)
{
	command(commands, "set server %s/%s state %s", commands->backend, server, state);
}

/* Maintenance first: only a server that comes out of it begins as new, health included. */
void slots_commands_move(struct slots_commands *commands, const char *server, bool is_in_maint,
	const struct endpoint *pod, int weight)
{
	if (!is_in_maint)
		slots_commands_state(commands, server, "maint");
	command(commands, "set server %s/%s addr %s port %u", commands->backend, server,
		pod->address, pod->port);
	command(commands, "set server %s/%s weight %d", commands->backend, server, weight);
	slots_commands_state(commands, server, "ready");
}

static bool has_word(const char *line, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = line; (at = strstr(at, word)); at += len) {
		if ((at == line || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
			return true;
	}
	return false;
}

void slots_commands_add(struct slots_commands *commands, const char *server,
	const struct endpoint *pod, int weight, const char *options)
{
	const char *backend = commands->backend;
	char address[TEXT_ENDPOINT_SIZE];

	command(commands, "add server %s/%s %s weight %d %s", backend, server,
		text_format_endpoint(pod->address, pod->port, address, sizeof(address)), weight,
		options);
	/* Checks of an added server are off until they are switched on. */
	if (has_word(options, "check"))
		command(commands, "enable health %s/%s", backend, server);
	if (has_word(options, "agent-check"))
		command(commands, "enable agent %s/%s", backend, server);
	slots_commands_state(commands, server, "ready");
}

void slots_commands_delete(struct slots_commands *commands, const char *server)
{
	command(commands, "del server %s/%s", commands->backend, server);
}

void slots_commands_fini(struct slots_commands *commands)
{
	for (size_t i = 0; i < commands->n; i++)
		free(commands->lines[i]);
	free(commands->lines);
	commands->lines = NULL;
	commands->n = 0;
	commands->room = 0;
}
