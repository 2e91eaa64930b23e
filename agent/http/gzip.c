/* SPDX-License-Identifier: MIT */
/* zlib. */
#include "http/gzip.h"

#include <stdlib.h>
#include <zlib.h>

enum {
	LEVEL = 1, /* reports repeat themselves: a higher one takes thrice as long for a third */
	WINDOW = 15 + 16, /* the largest, with gzip's head and not zlib's */
	MEMORY = 8,       /* zlib's default */
	ROOM = 64 * 1024, /* bytes that are given to zlib at a time */
};

struct gzip {
	z_stream stream;
};

struct gzip *gzip_new(void)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (gzip && deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, WINDOW, MEMORY,
			    Z_DEFAULT_STRATEGY) == Z_OK)
		return gzip;
	free(gzip);
	return NULL;
}

void gzip_free(struct gzip *gzip)
{
	if (!gzip)
		return;
	deflateEnd(&gzip->stream);
	free(gzip);
}

void gzip_add(struct gzip *gzip, const struct buf *piece, bool is_last, struct buf *to)
{
	z_stream *stream = &gzip->stream;

	/* zlib only reads it. */
	stream->next_in = (Bytef *)(void *)piece->bytes;
	stream->avail_in = (uInt)piece->len;
	do {
		char *room = buf_reserve(to, ROOM);

		if (!room)
			return;
		stream->next_out = (Bytef *)(void *)room;
		stream->avail_out = ROOM;
		deflate(stream, is_last ? Z_FINISH : Z_NO_FLUSH);
		to->len += ROOM - stream->avail_out;
		to->bytes[to->len] = '\0';
	} while (stream->avail_out == 0);
}
