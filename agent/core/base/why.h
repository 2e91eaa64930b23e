/* SPDX-License-Identifier: MIT */
/* Why something was refused or has failed. */
#ifndef WSB_WHY_H
#define WSB_WHY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Filled by a function that returns false, untouched by one that returns true. The text is one
 * line, without a dot at its end and without the name of what was read, which the caller knows;
 * whoever puts in words from outside escapes them (text_show). What is longer is cut.
 */
struct why {
	unsigned line; /* of the text that was read, from 1; 0: not known, or none was read */
	char text[512];
};

/* All of them always return false. The first sets the line to 0; the last two add to the text, at
 * its end and before it. */
__attribute__((format(printf, 2, 3))) bool why_set(struct why *why, const char *format, ...);
__attribute__((format(printf, 3, 4))) bool why_set_line(
	struct why *why, size_t line, const char *format, ...);
__attribute__((format(printf, 2, 3))) bool why_append(struct why *why, const char *format, ...);
__attribute__((format(printf, 2, 3))) bool why_prepend(struct why *why, const char *format, ...);

#endif
