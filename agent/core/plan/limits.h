/* SPDX-License-Identifier: MIT */
/* How much of the new connections one pod may get (ramp and maxShare), and weights that keep it. */
#ifndef WSB_LIMITS_H
#define WSB_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "core/plan/plan.h"
#include "core/plan/workspace.h"

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

/*
 * For weights.c. Weights are not yet rounded; that of a draining pod is 0 and stays so. Each
 * result's share_limit is set, and their sum is 1 or more. Nothing changes where no limit is
 * below 1. How it works is in agent/doc/DESIGN.md, "The planner".
 */

/*
 * For a share of new connections: no weight is a larger part of all weights than its limit; what
 * is over goes to the others in proportion, and where their weights are 0, to their capacities.
 */
void limits_flow(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	double *weights);

/*
 * For leastconn: until the next plan a limited pod takes at once no more than its credit, and from
 * there on no more than its share. Sets keys[i] to the key, (sessions + 1) / weight, up to which
 * the pod keeps to its credit, for limits_to_keys() once weights have been scaled: by as much keys
 * shrink. 0 where nothing is limited. nexts has room for n.
 */
void limits_stock(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	double *weights, double *keys, struct ranked *nexts);

/* No limited pod reaches its key, which is above 0, with more than it has and its credit. */
void limits_to_keys(const struct planner_pod *pods, size_t n, const struct planner_result *results,
	const double *keys, double *weights);

#endif
