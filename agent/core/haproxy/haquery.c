/* SPDX-License-Identifier: MIT */
/* Writes the question of a round. */
#include "core/haproxy/haquery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/haproxy/commands.h"

/* 6 is backends and servers; frontends and listeners are not asked for (management.txt, "show
 * stat"). */
static const char HAQUERY_ALL[] = "show stat -1 6 -1;show servers state;show info\n";

char *haquery_write(char *const *backends, size_t n_backends)
{
	char *line = NULL;
	size_t len = 0;
	FILE *out;
	bool broken;

	if (n_backends == 0)
		return strdup(HAQUERY_ALL);
	out = open_memstream(&line, &len);
	if (!out)
		return NULL;
	for (size_t i = 0; i < n_backends; i++)
		fprintf(out, "show stat %s 6 -1;show servers state %s;", backends[i], backends[i]);
	fputs("show info\n", out);
	broken = ferror(out) != 0;
	/* Out of memory, it may close well and leave nothing. */
	if (fclose(out) != 0 || broken || !line) {
		free(line);
		return NULL;
	}
	if (len <= COMMANDS_LINE_MAX)
		return line;
	free(line);
	return strdup(HAQUERY_ALL);
}
