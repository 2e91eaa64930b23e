/* SPDX-License-Identifier: MIT */
/* What HAProxy's readiness monitor goes by: the process variables that the agent sets. */
#ifndef WSB_PROCVARS_H
#define WSB_PROCVARS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/haproxy/hastate.h"

/*
 *   proc.stopping  1 while HAProxy is about to stop
 *   proc.synced    1 once its slots hold the pods that Kubernetes names
 *
 * haproxy.cfg reads them in "monitor fail if". They are a process's own: the one that a reload or a
 * restart brings has neither. "set var" needs the experimental mode of its connection and level
 * admin (2.6 and later), and marks the process as tainted, so a HAProxy that need not be told
 * anything is told nothing.
 */

enum { PROCVARS_LINE_MAX = 128 }; /* bytes of a line with its newline and NUL */

struct procvars_values {
	bool stopping;
	bool synced;
};

/* Zeroed memory is a valid start: nothing is wanted, and nothing known. */
struct procvars {
	bool stopping;               /* wanted */
	struct hastate_info seen;    /* the process that answered last; pid 0: none */
	struct hastate_info filled;  /* the process whose slots are full; pid 0: none ever was */
	struct procvars_values sent; /* by the line under way */
	struct hastate_info told;    /* the process that was told last; pid 0: not known */
	struct procvars_values has;  /* what it was told */
	bool refused;                /* and did not take */
	bool unsure;                 /* a line was lost: what became of it is not known */
};

enum procvars_outcome {
	PROCVARS_TAKEN,   /* HAProxy has what the line says */
	PROCVARS_REFUSED, /* it complained; it is not told again before something changes */
	PROCVARS_LOST,    /* no whole answer, or from a worker on its way out: tell again */
};

/* A process has answered. Another one than the last begins without the variables. */
void procvars_see(struct procvars *vars, const struct hastate_info *info);

/* The slots of the process that answered so are full. The values that an agent before this one has
 * left in it are put right with that. */
void procvars_fill(struct procvars *vars, const struct hastate_info *info);

/* Whether the process that was seen last has other values than are wanted. */
bool procvars_is_due(const struct procvars *vars);

/* Writes the line of commands that sets the wanted values; its answer is for procvars_read. */
void procvars_write(struct procvars *vars, char line[PROCVARS_LINE_MAX]);

/* Takes the answer to the line written last. complaint, cut to size, says what HAProxy did not
 * like, or why the answer is none. */
enum procvars_outcome procvars_read(
	struct procvars *vars, const char *reply, size_t len, char *complaint, size_t size);

/* There will be no answer to the line written last. */
void procvars_lose(struct procvars *vars);

#endif
