/* SPDX-License-Identifier: MIT */
/* Says, once, what has changed in a backend: in the log. */
#ifndef WSB_ANNOUNCE_BACKEND_H
#define WSB_ANNOUNCE_BACKEND_H

#include "announce/said.h"
#include "core/cluster/backend.h"

/* asked: all pods were asked once; before, nothing known is no news. */
void announce_backend(struct said_backend *said, const struct backend *backend, bool asked);

#endif
