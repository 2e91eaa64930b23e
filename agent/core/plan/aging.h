/* SPDX-License-Identifier: MIT */
/* What an old count is still worth. */
#ifndef WSB_AGING_H
#define WSB_AGING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/plan/plan.h"

/*
 * Before a plan: of what a pod had from elsewhere when it counted, part has closed since, and who
 * came in its place was shared out by other instances, which level too. So where n pods' counts are
 * old (worn above 0), what distinguished their others from those of the rest counts for as much
 * less. With all of it gone the plan is leastconn's own: what this HAProxy has is compared with
 * what it has. False when out of memory: nothing has changed.
 */
bool aging_settle(struct planner_pod *pods, size_t n);

#endif
