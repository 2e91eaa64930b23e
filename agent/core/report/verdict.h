/* SPDX-License-Identifier: MIT */
/* Is a backend balanced; if not, why and for how long; and what is to be done. */
#ifndef WSB_VERDICT_H
#define WSB_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/plan/outlook.h"

/*
 * A pure function on plain values, and the one table of its words: JSON, page, `status`, `top`, the
 * log and the alerts all say them. A verdict that needs an operator outweighs one that does not.
 */

/* In the order of their weight. */
enum verdict_state {
	VERDICT_LEFT_ALONE,   /* the backend is not to be steered */
	VERDICT_BALANCED,     /* every pod is near its level */
	VERDICT_LEVELLING,    /* new connections bring balance */
	VERDICT_STARTING,     /* the pods have not all been asked yet */
	VERDICT_CANNOT_LEVEL, /* new connections alone do not, within a time worth waiting for */
	VERDICT_NOT_STEERING, /* HAProxy does not get, or does not take, the weights */
	VERDICT_N_STATES
};

/* Why weights do not reach HAProxy, or would be worth nothing. */
enum verdict_cause {
	VERDICT_NO_CAUSE,
	VERDICT_ALGORITHM, /* its weights are fixed or without meaning */
	VERDICT_NO_PODS,   /* no server that HAProxy may use */
	VERDICT_DRY_RUN,
	VERDICT_FEW_KNOWN, /* fewer than half of the pods: all weights are as configured */
	VERDICT_REFUSED,   /* HAProxy complains of the weights */
	VERDICT_SILENT,    /* HAProxy does not answer */
	VERDICT_STOPPING,  /* it has been told that it is about to stop, and has */
};

struct verdict_input {
	const char *backend;
	enum verdict_cause cause; /* the worst there is; the caller looks */
	bool asked;               /* all pods have been asked once */
	const char *detail;       /* HAProxy's error or complaint, or the algorithm; "" */
	double silent_s;          /* since HAProxy answered; below 0: it never has */

	/* The plan; read when cause is VERDICT_NO_CAUSE and asked is set. */
	struct outlook outlook;
	double arrivals_per_s; /* over all instances; below 0: not yet known */
	size_t n_pods;         /* planned, without those that drain */
	size_t n_known;        /* of these; also read with VERDICT_FEW_KNOWN */
	double fullest;        /* connections of the pod that stands highest above its level */
	double fullest_level;  /* its level */
	double missing;        /* connections that pods below their level by more than the tolerance
				  lack to it */
	size_t n_missing;      /* these pods */
	size_t n_above;        /* pods above their level by more than the tolerance */

	/* Whom new connections go to: the pods that lack some, together; below 0: not known. */
	double share_missing; /* 0..1 */
	const char *lowest;   /* the name of the pod that lacks most; "" when none does */

	size_t n_needs; /* pods that need somebody whatever the verdict is */

	const char *events; /* what has happened of late, in words; "" */
};

struct verdict {
	enum verdict_state state;
	char text[256]; /* one sentence, without a full stop */
	char now[256];  /* how it stands; any of these four may be "" */
	char why[384];
	char how[256];
	char you[256]; /* what to do; "nothing" */
};

struct verdict verdict_of(const struct verdict_input *input);

/* "balanced", "levelling", "cannot_level", ...: for machines; static. */
const char *verdict_state_label(enum verdict_state state);
/* "Balanced", "Levelling", "Cannot level", ...: for people; static. */
const char *verdict_state_name(enum verdict_state state);

/* What `wsbalancer status --verdict` exits with: 0 balanced or levelling, 3 cannot level, 4 not
 * steering or not yet. */
int verdict_exit_status(enum verdict_state state);

#endif
