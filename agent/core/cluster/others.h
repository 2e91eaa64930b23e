/* SPDX-License-Identifier: MIT */
/* Connections of a pod that are none of this HAProxy's sessions on its server. */
#ifndef WSB_OTHERS_H
#define WSB_OTHERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * They belong to other instances, to this HAProxy's workers from before a reload, to clients that
 * reach the pod by another door; and they are negative where this HAProxy's sessions on the server
 * belong partly to a pod that had it before. A pod's count less own is what they are, but the two
 * are never read at the same moment, and a connection counted on one side only looks like one from
 * outside: for a single instance that is worse than knowing nothing, as nothing from outside
 * changes. So with one instance a reading moves what is believed only as far as it and the reading
 * before it force that.
 */

/* Zeroed memory is a valid start. */
struct others {
	bool known;
	double count;       /* what is believed */
	double least, most; /* what the last reading allowed */
};

/* Another pod has the server, on which this HAProxy still has own sessions of the old one. */
void others_new_pod(struct others *others, uint32_t own);

/* HAProxy reloaded: its sessions on the server, own till then, belong to an old worker now. */
void others_reload(struct others *others, uint32_t own);

/*
 * Takes the pod's answer. This HAProxy had own_before sessions on the server when it was read
 * before the answer, own when it was read after, and own_then, about, when the pod counted.
 */
void others_update(struct others *others, unsigned replicas, uint32_t count, uint32_t own_before,
	uint32_t own, uint32_t own_then);

#endif
