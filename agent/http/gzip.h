/* SPDX-License-Identifier: MIT */
/* Compresses a text piece by piece. */
#ifndef WSB_GZIP_H
#define WSB_GZIP_H

#include <stdbool.h>

#include "core/base/buf.h"

struct gzip;

/* NULL when out of memory. */
struct gzip *gzip_new(void);
/* Takes NULL. */
void gzip_free(struct gzip *gzip);

/* Appends what is ready of all bytes so far; with the last ones, all. Errors stay in the buffer. */
void gzip_add(struct gzip *gzip, const struct buf *piece, bool is_last, struct buf *to);

#endif
