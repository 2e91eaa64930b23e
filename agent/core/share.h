/* SPDX-License-Identifier: MIT */
/* How much of the new connections one pod may take: ramp and maxShare. */
#ifndef WSB_SHARE_H
#define WSB_SHARE_H

#include <stdint.h>

/*
 * The limits are promises about each connection, not about an average: of any n connections in a
 * row that come to one HAProxy, a pod whose limit is s gets at most s * n and a few. How weights
 * keep that under each algorithm is in agent/DESIGN.md, "The planner".
 */

/* How far a pod of age_ms has warmed up: 0..1, 1 when it has or when ramp_ms is 0. */
double share_ramp(int64_t age_ms, int64_t ramp_ms);

/*
 * The limit of a pod: max_share (1 unless 0 < max_share < 1) times ramp. planner_plan() raises
 * limits that would leave connections without a pod.
 */
double share_limit(double max_share, double ramp);

/*
 * The running account of one pod's limit: call it once between two plans with the connections that
 * came to this HAProxy since the last call, those that the pod got among them, and the limit that
 * the last plan gave (planner_result.share_limit). Takes and returns the credit: what the pod may
 * still take, negative when it took too many. Never above SHARE_CREDIT_MAX: a quiet hour earns no
 * burst. A pod without a limit has none to count: 0.
 */
double share_credit(double credit, double limit, uint64_t arrived, uint64_t taken);

#define SHARE_CREDIT_MAX 1.0

#endif
