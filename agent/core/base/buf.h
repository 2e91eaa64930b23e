/* SPDX-License-Identifier: MIT */
/* Bytes that grow, and one place for "out of memory". */
#ifndef WSB_BUF_H
#define WSB_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A whole text is put together without a look at any result; at its end buf_finish, or failed, says
 * whether all of it is there. Zeroed memory is an empty buffer.
 */
struct buf {
	char *bytes; /* ends in a NUL that len does not count; NULL while nothing was appended */
	size_t len;
	size_t room;
	bool failed; /* memory ran out: nothing more is taken in */
};

/* Room for n more bytes behind bytes + len, for a caller that fills it itself and then moves len; a
 * NUL fits behind them, and is the caller's to set. NULL when out of memory. */
char *buf_reserve(struct buf *buf, size_t n);

void buf_append(struct buf *buf, const char *bytes, size_t n);
void buf_puts(struct buf *buf, const char *s);
void buf_putc(struct buf *buf, char c);
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *buf, const char *format, ...);

/* What is in it, as a string of C: "" when it is empty. */
const char *buf_text(const struct buf *buf);

/* Empties it, and keeps its room. */
void buf_clear(struct buf *buf);

/* The bytes, for the caller to free(), and their length where len is not NULL; NULL when memory ran
 * out. The buffer is empty afterwards. */
char *buf_finish(struct buf *buf, size_t *len);

/* Frees the bytes; accepts zeroed memory and leaves it. */
void buf_fini(struct buf *buf);

#endif
