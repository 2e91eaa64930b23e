/* SPDX-License-Identifier: MIT */
/* What a pod's own word on its capacity counts for. */
#ifndef WSB_CAPACITY_H
#define WSB_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/plan/plan.h"

/*
 * Before a plan: sets the capacity of each of n pods that tells one, to what it tells, but no more
 * than so many times the median of all n (of an even number the lower one in the middle): one pod
 * that says 1000000000 would get every new connection. 0 medians: no bound. *most is the bound;
 * INFINITY where no pod tells its capacity. False when out of memory, with nothing changed.
 */
bool capacity_settle(struct planner_pod *pods, size_t n, unsigned medians, double *most);

#endif
