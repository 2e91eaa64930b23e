/* SPDX-License-Identifier: MIT */
#include "core/haproxy/pem.h"

#include <string.h>

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";

static bool starts(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}

/* The line after this one, or the end of the text. */
static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line == '\n' ? line + 1 : line;
}

/* Where the block that begins here ends; NULL: nowhere. */
static const char *find_end(const char *block)
{
	for (const char *line = next_line(block); *line; line = next_line(line)) {
		if (starts(line, end))
			return next_line(line);
		if (starts(line, begin))
			return NULL;
	}
	return NULL;
}

void pem_append(struct buf *to, const char *text)
{
	for (const char *line = text; *line; line = next_line(line)) {
		const char *block_end = starts(line, begin) ? find_end(line) : NULL;

		if (!block_end)
			continue;
		for (const char *at = line; at < block_end; at = next_line(at)) {
			size_t len = strcspn(at, "\r\n");

			if (len == 0)
				continue;
			buf_append(to, at, len);
			buf_putc(to, '\n');
		}
	}
}

bool pem_has_key(const char *text)
{
	for (const char *line = text; *line; line = next_line(line)) {
		size_t len = strcspn(line, "\r\n");

		if (starts(line, begin) && memmem(line, len, "PRIVATE KEY-----", 16))
			return true;
	}
	return false;
}
