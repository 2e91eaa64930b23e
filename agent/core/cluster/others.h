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
 *
 * Where weights share out what comes (flow), a reading is believed more: a plan there answers it
 * with a few connections more or less, not with the place of all that stand.
 */

/* Zeroed memory is a valid start. */
struct others {
	bool known;
	double count;       /* what is believed */
	double least, most; /* what the last reading allowed */
	double at;          /* what this HAProxy had when others were as many */
	double doubt;       /* variance of count, by now; for a single instance */
};

/* A pod's answer, between two readings of HAProxy. */
struct others_reading {
	unsigned replicas;
	bool stock;          /* weights share out what stands; else what comes */
	uint32_t count;      /* what the pod said */
	uint32_t own_before; /* sessions of this HAProxy on the server before the answer */
	uint32_t own;        /* and after it */
	double own_then;     /* about when the pod counted, on a straight line between these */
	double part;         /* of the time between the readings that had passed then, 0..1 */
	double turnover;     /* sessions that began and that ended in all that time */
};

/* Another pod has the server, on which this HAProxy still has own sessions of the old one. */
void others_new_pod(struct others *others, uint32_t own);

/* HAProxy reloaded: its sessions on the server, own till then, belong to an old worker now. */
void others_reload(struct others *others, uint32_t own);

/* The pod is gone, and this HAProxy holds nothing on the server: when it comes back it is empty. */
void others_empty(struct others *others);

void others_update(struct others *others, const struct others_reading *reading);

#endif
