/* SPDX-License-Identifier: MIT */
#include "core/haproxy/procs.h"

#include <stdlib.h>
#include <string.h>

#include "core/haproxy/hatable.h"

void procs_fini(struct procs *procs)
{
	free(procs->workers);
	*procs = (struct procs){.workers = NULL};
}

bool procs_has(const struct procs *procs, int64_t pid)
{
	for (size_t i = 0; i < procs->n; i++) {
		if (procs->workers[i].pid == pid)
			return true;
	}
	return false;
}

/* The number that a line begins with; 0 where it begins with none. Cuts the line up. */
static int64_t pid_of(char *line)
{
	uint64_t pid = 0;

	line[strcspn(line, " \t")] = '\0';
	return *line && hatable_parse_number(line, INT64_MAX, &pid) ? (int64_t)pid : 0;
}

static bool add(struct procs *procs, int64_t pid, bool old)
{
	struct procs_worker *grown =
		reallocarray(procs->workers, procs->n + 1, sizeof(*procs->workers));

	if (!grown)
		return false;
	procs->workers = grown;
	grown[procs->n++] = (struct procs_worker){.pid = pid, .old = old};
	return true;
}

/* Lines that begin with # are titles; the master itself stands above all but the first. */
static bool read_lines(char *text, struct procs *procs)
{
	enum { NOT_WORKERS, WORKERS, OLD_WORKERS } part = NOT_WORKERS;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		int64_t pid;

		if (line[0] == '#') {
			part = strncmp(line, "# old workers", 13) == 0 ? OLD_WORKERS
			       : strncmp(line, "# workers", 9) == 0    ? WORKERS
								       : NOT_WORKERS;
			continue;
		}
		pid = part == NOT_WORKERS ? 0 : pid_of(line);
		if (pid != 0 && !add(procs, pid, part == OLD_WORKERS))
			return false;
	}
	return true;
}

bool procs_read(const char *reply, size_t len, struct procs *out)
{
	struct procs procs = {.workers = NULL};
	char *text = strndup(len > 0 ? reply : "", len);
	bool ok = text && strncmp(text, "#<PID>", 6) == 0 && read_lines(text, &procs);

	free(text);
	if (!ok)
		procs_fini(&procs);
	else
		*out = procs;
	return ok;
}
