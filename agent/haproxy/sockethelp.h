/* SPDX-License-Identifier: MIT */
/* Why HAProxy's socket cannot be opened, for whoever has to change that. */
#ifndef WSB_SOCKETHELP_H
#define WSB_SOCKETHELP_H

#include <stddef.h>

/* Describes the failure (an errno) to open a Unix socket, into buf, cut to size: beside the error's
 * own words whose the socket is, and who this process is. */
void sockethelp_describe(const char *path, int error, char *buf, size_t size);

#endif
