/* SPDX-License-Identifier: MIT */
/* PEM files as HAProxy's Runtime API takes them. */
#ifndef WSB_PEM_H
#define WSB_PEM_H

#include <stdbool.h>

#include "core/base/buf.h"

/*
 * Appends the blocks of a PEM text, from -----BEGIN to -----END, and nothing between them: a blank
 * line would end the command that they are sent in, and what follows it would be run as commands.
 * Blank lines and carriage returns within a block go too, and a block without an end is left out.
 */
void pem_append(struct buf *to, const char *text);

/* One of its blocks is a private key. */
bool pem_has_key(const char *text);

#endif
