/* SPDX-License-Identifier: MIT */
#include "core/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 64 };

char *buf_reserve(struct buf *buf, size_t n)
{
	if (buf->failed)
		return NULL;
	if (!buf->bytes || buf->room - buf->len <= n) {
		size_t room = buf->room > 0 ? buf->room : ROOM_MIN;
		char *grown = NULL;

		if (n < SIZE_MAX / 4 && buf->len < SIZE_MAX / 4) {
			while (room - buf->len <= n)
				room *= 2;
			grown = realloc(buf->bytes, room);
		}
		buf->failed = grown == NULL;
		if (!grown)
			return NULL;
		buf->bytes = grown;
		buf->room = room;
		buf->bytes[buf->len] = '\0';
	}
	return buf->bytes + buf->len;
}

void buf_append(struct buf *buf, const char *bytes, size_t n)
{
	char *to = buf_reserve(buf, n);

	if (!to)
		return;
	memcpy(to, bytes, n);
	to[n] = '\0';
	buf->len += n;
}

void buf_puts(struct buf *buf, const char *s)
{
	buf_append(buf, s, strlen(s));
}

void buf_putc(struct buf *buf, char c)
{
	buf_append(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	char *to = buf_reserve(buf, ROOM_MIN);
	size_t room = buf->room - buf->len;
	va_list args;
	int n;

	if (!to)
		return;
	va_start(args, format);
	n = vsnprintf(to, room, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n >= room) {
		to = buf_reserve(buf, (size_t)n);
		if (!to) {
			buf->bytes[buf->len] = '\0';
			return;
		}
		va_start(args, format);
		n = vsnprintf(to, (size_t)n + 1, format, args);
		va_end(args);
	}
	buf->failed = n < 0;
	if (n > 0)
		buf->len += (size_t)n;
}

const char *buf_text(const struct buf *buf)
{
	return buf->bytes ? buf->bytes : "";
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->bytes)
		buf->bytes[0] = '\0';
}

char *buf_finish(struct buf *buf, size_t *len)
{
	char *bytes;

	/* An empty text is one too. */
	buf_append(buf, "", 0);
	if (buf->failed) {
		buf_fini(buf);
		return NULL;
	}
	bytes = buf->bytes;
	if (len)
		*len = buf->len;
	*buf = (struct buf){.bytes = NULL};
	return bytes;
}

void buf_fini(struct buf *buf)
{
	free(buf->bytes);
	*buf = (struct buf){.bytes = NULL};
}
