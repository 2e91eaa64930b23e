/* SPDX-License-Identifier: MIT */
/* What `wsbalancer advise` says. */
#ifndef WSB_ADVICE_WORDS_H
#define WSB_ADVICE_WORDS_H

#include "core/advice.h"

enum advice_result {
	ADVICE_NOTHING,   /* fewer than two servers are in use */
	ADVICE_LEASTCONN, /* leastconn is all that is needed */
	ADVICE_ANOTHER,   /* leastconn is, and it is not what the backend has */
	ADVICE_AGENT,     /* the agent would gain something */
	ADVICE_UNCERTAIN, /* uneven, and too few connections came to tell */
};

/* What a backend comes to. *points, the gain of what is proposed in points of imbalance (max/mean -
 * 1, in per cent, in the mean over the readings), is set with ADVICE_ANOTHER and ADVICE_AGENT; else
 * to 0. */
enum advice_result advice_judge(const struct advice_backend *backend, double *points);

/* Calls say for each line: what was seen, how it was reckoned, what was not seen, and the verdict
 * as the last. */
void advice_tell(const struct advice *advice, void (*say)(const char *line, void *arg), void *arg);

#endif
