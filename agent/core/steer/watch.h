/* SPDX-License-Identifier: MIT */
/* Weights that are right only as long as no more comes than was expected. */
#ifndef WSB_WATCH_H
#define WSB_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/backend.h"

/*
 * A plan is made for what comes until the next one. Weights that favour a pod do harm when more
 * comes, for what they rest on may be no more: old workers of this HAProxy end, and all that they
 * held is back within a second, on the pod that lacked most before. The harm is what can come
 * before the agent looks again, times the favour. So while old workers hold much, and a plan of a
 * backend steered by stock favours a pod, HAProxy alone is asked, often, how many sessions the
 * backend has (plain requests are none for long); and when that is more than chance makes of what
 * usually comes, weights by capacity alone (the configured ones, where no pod tells its own) are in
 * force until the next plan. Then HAProxy compares own with own, as it would by itself, and
 * whatever the pods hold now, that makes nothing worse than it is without the agent.
 *
 * A pod whose share is limited (ramp, maxShare) is not to get all that an empty one would get by
 * itself, and its limit bounds the harm too: such backends are not watched.
 */
enum {
	WATCH_MS = 50,      /* between two looks */
	WATCH_BACKENDS = 4, /* at so many in one: HAProxy's time is to be bounded */
};

/* A plan was made of the backend, or dropped: decides whether it is watched from now on. */
void watch_begin(struct backend *backend);

/* HAProxy told, asked at now_ms, how many sessions the backend has. True when the plan is
 * overtaken: weights by capacity are the wanted ones of its servers now. Once a plan. */
bool watch_see(struct backend *backend, uint64_t sessions, int64_t now_ms);

#endif
