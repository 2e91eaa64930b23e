/* SPDX-License-Identifier: MIT */
/* What other ways to place the connections that came would have made of the pods' counts. */
#ifndef WSB_HINDSIGHT_H
#define WSB_HINDSIGHT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Two ways are reckoned beside what was seen, both with the connections that came and with the part
 * of each pod's connections that ended, as seen. Both place one connection after the other without
 * delay, so what they have in common with each other is not what they have in common with a real
 * HAProxy: compare the two.
 */
enum hindsight_way {
	HINDSIGHT_LEASTCONN, /* to the pod of which the process that answers has the fewest */
	HINDSIGHT_TOLD,      /* to the pod that has the fewest of all */
	HINDSIGHT_WAYS,
};

/* A pod at one reading. */
struct hindsight_reading {
	double own;      /* connections that the answering process counts on it */
	double beyond;   /* what it has besides: old workers' connections; less what the process
			    counts on it and is another pod's */
	double arrived;  /* connections that came since the last reading */
	double capacity; /* > 0 */
	bool used;       /* it can get connections, and counts among those to be even */
};

/* What is reckoned of a pod. Zeroed memory is one that was not seen yet. */
struct hindsight_pod {
	bool begun;
	struct hindsight_reading last;
	double own[HINDSIGHT_WAYS];
	double beyond[HINDSIGHT_WAYS];
};

/* Takes a reading of n pods. reloaded: another process answers than at the last one. */
void hindsight_step(struct hindsight_pod *pods, const struct hindsight_reading *readings, size_t n,
	bool reloaded);

/* max/mean - 1 of the used pods' counts for their capacity; 0 where there is nothing. Each takes
 * the last reading. */
double hindsight_seen(const struct hindsight_pod *pods, size_t n);
double hindsight_reckoned(const struct hindsight_pod *pods, size_t n, enum hindsight_way way);
/* The same of what the answering process counts alone. */
double hindsight_counted(const struct hindsight_pod *pods, size_t n);

/* How many connections the used pods below the mean lack to it, as last seen. */
double hindsight_lacking(const struct hindsight_pod *pods, size_t n);

#endif
