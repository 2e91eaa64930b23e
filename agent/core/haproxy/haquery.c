/* SPDX-License-Identifier: MIT */
#include "core/haproxy/haquery.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/haproxy/commands.h"

/* 6 is backends and servers; frontends and listeners are not asked for (management.txt, "show
 * stat"). */
static const char HAQUERY_ALL[] = "show stat -1 6 -1;show servers state;show info\n";

char *haquery_write(const struct haquery_backend *backends, size_t n_backends)
{
	struct buf line = {.bytes = NULL};

	if (n_backends == 0)
		return strdup(HAQUERY_ALL);
	for (size_t i = 0; i < n_backends; i++)
		buf_printf(&line, "show stat %" PRIu32 " 6 -1;show servers state %s;",
			backends[i].id, backends[i].name);
	buf_puts(&line, "show info\n");
	if (line.len <= COMMANDS_LINE_MAX)
		return buf_finish(&line, NULL);
	buf_fini(&line);
	return strdup(HAQUERY_ALL);
}
