/* SPDX-License-Identifier: MIT */
/* A drain that is asked for by making a file: for hooks that have a shell and share a folder. */
#ifndef WSB_DRAINFILE_H
#define WSB_DRAINFILE_H

#include <ev.h>

#include "haproxy/drain.h"

/*
 * The hook makes the file and waits until it is gone:
 *
 *   : > FILE; n=0; while [ -e FILE ] && [ $n -lt 20 ]; do sleep 1; n=$((n + 1)); done
 *
 * It is removed when HAProxy may stop, which is at once where there is nothing to wait for. A file
 * that is older than a drain takes is what an agent before left behind: it is removed and asks for
 * nothing. Only who may write to the folder can ask, so it needs no other secret.
 */
struct drainfile;

/* NULL when out of memory; the drain must outlive it. */
struct drainfile *drainfile_new(struct ev_loop *loop, struct drain *drain);
/* Takes NULL. */
void drainfile_free(struct drainfile *drainfile);

/* Where to look from now on; the path is the caller's until the next call. NULL: nowhere. */
void drainfile_configure(struct drainfile *drainfile, const char *path);

#endif
