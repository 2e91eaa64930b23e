/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_lines.h"

#include <string.h>

static enum metric_lines_outcome hold(struct metric_lines *lines, const char *bytes, size_t len)
{
	if (len == 0)
		return METRIC_LINES_OK;
	if (len > METRIC_LINE_MAX - lines->held.len)
		return METRIC_LINES_TOO_LONG;
	buf_append(&lines->held, bytes, len);
	return lines->held.failed ? METRIC_LINES_OUT_OF_MEMORY : METRIC_LINES_OK;
}

enum metric_lines_outcome metric_lines_feed(struct metric_lines *lines, const char *bytes,
	size_t len, metric_lines_each each, void *arg)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		enum metric_lines_outcome outcome;

		if (newline && lines->held.len == 0) {
			if (newline - bytes > METRIC_LINE_MAX)
				return METRIC_LINES_TOO_LONG;
			each(bytes, (size_t)(newline - bytes), arg);
			bytes = newline + 1;
			continue;
		}
		outcome = hold(lines, bytes, (size_t)((newline ? newline : end) - bytes));
		if (outcome != METRIC_LINES_OK || !newline)
			return outcome;
		each(buf_text(&lines->held), lines->held.len, arg);
		buf_clear(&lines->held);
		bytes = newline + 1;
	}
	return METRIC_LINES_OK;
}

void metric_lines_fini(struct metric_lines *lines)
{
	buf_fini(&lines->held);
}
