/* SPDX-License-Identifier: MIT */
/* Which addresses are this host's. */
#ifndef WSB_LOCALADDR_H
#define WSB_LOCALADDR_H

#include <stdbool.h>

/* Whether an IPv4 or IPv6 address, as text without brackets, is one of this host's. Nothing is
 * sent. False for names, and where the system does not tell. */
bool localaddr_is_own(const char *address);

#endif
