/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_lines.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 512 };

static enum metric_lines_outcome hold(struct metric_lines *lines, const char *bytes, size_t len)
{
	size_t size = lines->size > 0 ? lines->size : FIRST_SIZE;
	char *grown;

	if (len == 0)
		return METRIC_LINES_OK;
	if (len > METRIC_LINE_MAX - lines->len)
		return METRIC_LINES_TOO_LONG;
	while (size < lines->len + len)
		size *= 2;
	if (size > lines->size) {
		grown = realloc(lines->held, size);
		if (!grown)
			return METRIC_LINES_OUT_OF_MEMORY;
		lines->held = grown;
		lines->size = size;
	}
	memcpy(lines->held + lines->len, bytes, len);
	lines->len += len;
	return METRIC_LINES_OK;
}

enum metric_lines_outcome metric_lines_feed(struct metric_lines *lines, const char *bytes,
	size_t len, metric_lines_each each, void *arg)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		enum metric_lines_outcome outcome;

		if (newline && lines->len == 0) {
			if (newline - bytes > METRIC_LINE_MAX)
				return METRIC_LINES_TOO_LONG;
			each(bytes, (size_t)(newline - bytes), arg);
			bytes = newline + 1;
			continue;
		}
		outcome = hold(lines, bytes, (size_t)((newline ? newline : end) - bytes));
		if (outcome != METRIC_LINES_OK || !newline)
			return outcome;
		each(lines->held, lines->len, arg);
		lines->len = 0;
		bytes = newline + 1;
	}
	return METRIC_LINES_OK;
}

void metric_lines_fini(struct metric_lines *lines)
{
	free(lines->held);
	*lines = (struct metric_lines){.held = NULL};
}
