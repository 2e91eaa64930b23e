/* SPDX-License-Identifier: MIT */
#include "core/haproxy/hastate.h"

#include <ctype.h>
#include <stdlib.h>

bool hastate_is_too_old(const struct hastate_info *info)
{
	char *end;
	unsigned long major = strtoul(info->version, &end, 10);
	unsigned long minor;

	if (end == info->version || *end != '.' || !isdigit((unsigned char)end[1]))
		return false;
	minor = strtoul(end + 1, NULL, 10);
	return major < 2 || (major == 2 && minor < 4);
}

bool hastate_is_same_process(const struct hastate_info *a, const struct hastate_info *b)
{
	return a->pid == b->pid && a->start_time_s == b->start_time_s;
}

void hastate_fini(struct hastate_snapshot *snapshot)
{
	free(snapshot->servers);
	free(snapshot->backends);
	free(snapshot->text);
	*snapshot = (struct hastate_snapshot){.n_backends = 0};
}
