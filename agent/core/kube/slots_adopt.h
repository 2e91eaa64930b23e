/* SPDX-License-Identifier: MIT */
/* What HAProxy's servers were before, as pods: for while Kubernetes does not tell. */
#ifndef WSB_SLOTS_ADOPT_H
#define WSB_SLOTS_ADOPT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/haproxy/hastate.h"
#include "core/kube/slice.h"

/*
 * The servers that are in use, as slots_plan wants its pods: sorted, each address once. One that
 * takes new connections is a ready pod, one that drains an unready one: slots_plan then changes
 * nothing of them, and puts the same into the empty slots of another process. Their names and uids
 * nobody knows. Backup servers and those that HAProxy resolves by name are none of ours. True: the
 * caller frees *out, which is NULL where *n is 0. False: out of memory, both are untouched.
 */
bool slots_adopt(const struct hastate_backend *backend, struct endpoint **out, size_t *n);

#endif
