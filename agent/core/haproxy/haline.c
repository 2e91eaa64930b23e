/* SPDX-License-Identifier: MIT */
#include "core/haproxy/haline.h"

#include <string.h>

bool haline_next(const char **text, size_t *len, struct haline *line)
{
	const char *end;

	if (*len == 0)
		return false;
	end = memchr(*text, '\n', *len);
	*line = (struct haline){.at = *text, .len = end ? (size_t)(end - *text) : *len};
	*text += line->len + (end ? 1 : 0);
	*len -= line->len + (end ? 1 : 0);
	return true;
}
