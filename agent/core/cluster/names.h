/* SPDX-License-Identifier: MIT */
/* Who has which name: one that another has is not to be had. */
#ifndef WSB_NAMES_H
#define WSB_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Outside Kubernetes a pod's name is its own word, and names are labels of series, filters and what
 * people go by: a pod that gives itself another's would be looked at in its stead. So whoever says
 * a name first has it, until it is silent for NAMES_HELD_MS; a name that Kubernetes gave belongs to
 * whom it gave it to, whoever had it before.
 */

enum { NAMES_HELD_MS = 60000 };

struct names;

/* A pod's hold on a name. Zeroed memory but for where holds none; it stays where it is while it
 * holds one. */
struct names_claim {
	const char
		*where;  /* the pod's address: what answers there in several ways is one process */
	char *name;      /* NULL: none */
	int64_t said_ms; /* when its pod last said so */
	bool given;      /* by Kubernetes */
	bool refused;    /* another has what was claimed last, or has got it since */
};

/* NULL when out of memory. */
struct names *names_new(void);
/* Takes NULL. Claims that are left hold nothing from then on. */
void names_free(struct names *names);

/* Claims a name, and gives up another that the claim had; claim->refused says how that went. One
 * that another claim of the same place has may be used, and is held by that one. Out of memory is a
 * refusal. */
void names_claim(struct names *names, struct names_claim *claim, const char *name, bool given,
	int64_t now_ms);

/* Gives up what the claim has. */
void names_release(struct names *names, struct names_claim *claim);

#endif
