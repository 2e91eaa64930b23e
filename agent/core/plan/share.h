/* SPDX-License-Identifier: MIT */
/* How much of the new connections one pod may take: ramp and maxShare. */
#ifndef WSB_SHARE_H
#define WSB_SHARE_H

#include <stdint.h>

/*
 * A limit is a promise about connections in a row, not about an average: of any n connections that
 * come to one HAProxy one after the other, a pod whose limit is s gets at most s * n, and over it
 * no more than its credit can be and one or two. How weights keep that is in agent/doc/DESIGN.md,
 * "The planner".
 */

/* How far a pod of age_ms has warmed up: 0..1, 1 when it has or when ramp_ms is 0. */
double limits_ramp(int64_t age_ms, int64_t ramp_ms);

/*
 * The limit of a pod: max_share (1 unless 0 < max_share < 1) times ramp. planner_plan() raises
 * limits that would leave connections without a pod.
 */
double limits_share(double max_share, double ramp);

/*
 * The running account of one pod's limit: call it once between two plans with the connections that
 * came to this HAProxy since the last call, those that the pod got among them, and the limit that
 * the last plan gave (planner_result.share_limit). Takes and returns the credit: what the pod may
 * still take, negative when it took too many. It is never more than one above the
 * limit's part of arrived: a quiet hour earns no burst. A pod without a limit has none to count: 0.
 */
double limits_credit(double credit, double limit, uint64_t arrived, uint64_t taken);

#endif
