/* SPDX-License-Identifier: MIT */
/* HAProxy's old workers as this host's processes. */
#ifndef WSB_SIBLINGS_H
#define WSB_SIBLINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The processes that have the master of the worker pid as their parent too: what reloads have left.
 * False where that cannot be seen: the worker is no process of this host's, or has no master and is
 * not the only HAProxy here. *pids is freed with free().
 */
bool siblings_find(int64_t pid, int64_t **pids, size_t *n);

#endif
