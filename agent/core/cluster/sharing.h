/* SPDX-License-Identifier: MIT */
/* Pods to which several servers of this HAProxy lead: what they hold together, and what part of a
 * correction is whose. */
#ifndef WSB_SHARING_H
#define WSB_SHARING_H

#include <stddef.h>

struct backend;

/*
 * After an answer of HAProxy's: sets each pod's sums, its others where servers share it, and each
 * steered server's part. Of a pod's correction a backend has the part that it has of the arrivals
 * that stay, and never less than a tenth of an equal one: else it would get none to have a part by.
 * Servers of one backend divide that by their configured weights.
 */
void sharing_update(struct backend *const *backends, size_t n_backends, unsigned replicas);

#endif
