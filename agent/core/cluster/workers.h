/* SPDX-License-Identifier: MIT */
/* Whether a pod is several workers, each of which answers for itself alone. */
#ifndef WSB_WORKERS_H
#define WSB_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Behind one address there may be several processes (Node's cluster, pm2, gunicorn), and each
 * counts its own connections. Over a connection that is kept the agent hears one of them, for ever,
 * and takes the pod to be as empty as that one: it would be filled without end. That a pod tells of
 * a part of what HAProxy holds on it is no proof, for plain requests look the same. But over a new
 * connection another worker may answer.
 *
 * So some polls are made on a connection of their own, few as a rule and more of a pod that tells
 * of a part. If their counts lie outside those over the kept connection before and after them by
 * more than HAProxy's own sessions moved, and by far more than the kept connection's differ among
 * themselves, the pod's word is no count of the pod.
 */
struct workers_answer {
	bool heard;
	uint32_t count;
	uint32_t held; /* sessions that this HAProxy had on the pod when it came */
};

struct workers {
	/* Zeroed memory is a pod of which nothing is known. */
	unsigned polls; /* answers since the last one over a new connection */
	bool fresh;     /* the poll under way, or the next one, is over a new connection */
	struct workers_answer kept; /* the last one over the kept connection */
	struct workers_answer
		other;    /* one over a new connection, until the kept one has told too */
	bool suspect;     /* looked at closely */
	unsigned looks;   /* that ended with neither, in a row */
	bool acquitted;   /* it tells of a part, and was found to be one: plain requests */
	unsigned n_kept;  /* comparisons since then, over the kept connection */
	unsigned n_fresh; /* over new ones */
	double kept_off,
		fresh_off; /* by how much they differed beyond what HAProxy's own moved, added up */
	bool several;      /* each worker answers for itself */
};

/* The next poll is to be made over a connection of its own, which is not kept. */
bool workers_wants_fresh(const struct workers *workers);

/* An answer came. held: sessions that this HAProxy has on the pod, 0 where nobody knows. */
void workers_observe(struct workers *workers, uint32_t count, uint32_t held);

#endif
