/* SPDX-License-Identifier: MIT */
/* A backend of HAProxy's: its servers, how it is steered, and the last plan. */
#ifndef WSB_BACKEND_H
#define WSB_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/lives.h"
#include "core/cluster/rate.h"
#include "core/plan/outlook.h"
#include "core/plan/plan.h"

struct server;

enum { BACKEND_N_WEIGHT_BOUNDS = 10 };

/* Upper bounds of the weights' histogram, ascending; the last is PLANNER_WEIGHT_MAX. */
extern const int backend_weight_bounds[BACKEND_N_WEIGHT_BOUNDS];

/* What the plans came to since the backend is known: one weight a server and plan. Zeroed memory is
 * a valid start. */
struct backend_tally {
	uint64_t fallbacks; /* plans that fell back */
	uint64_t weights;   /* all of them */
	uint64_t weights_sum;
	uint64_t by_basis[PLANNER_DRAINING + 1];   /* what they rest on */
	uint64_t by_size[BACKEND_N_WEIGHT_BOUNDS]; /* not cumulative */
};

enum backend_mode {
	BACKEND_STOCK,       /* leastconn, random */
	BACKEND_FLOW,        /* roundrobin, or agent-check alone */
	BACKEND_NOT_STEERED, /* an algorithm whose weights are fixed or without meaning */
};

/* How its pods are asked: see asking.h. */
struct backend_asking {
	bool quiet;      /* one pod a minute */
	int64_t turn_ms; /* when the pod of this minute got its turn */
	unsigned turn;   /* whose it is */
};

/* How many sessions it has had, as HAProxy tells between two plans: see steer/watch.h. Zeroed
 * memory is a valid start. */
struct backend_watch {
	bool on;           /* it is looked at */
	bool primed;       /* sessions and seen_ms hold the last look */
	bool overtaken;    /* more has come than the plan was made for */
	uint64_t sessions; /* that it has */
	int64_t seen_ms;   /* when it was asked */
	uint64_t base; /* from here on more has come than was expected; a look before the plan at
			  least */
	int64_t base_ms;
};

struct backend {
	char *name;
	uint32_t id;   /* HAProxy's number for it; 0: it has none */
	char algo[32]; /* as HAProxy writes it, "" where unknown */
	enum backend_mode mode;
	bool sticky;             /* a cookie leads clients back: they are not steered */
	bool ambiguous;          /* two patterns of the settings fit it and say different things */
	bool filled;             /* the agent fills it: a server without a pod is a free slot */
	struct server **servers; /* in HAProxy's order */
	size_t n_servers;
	struct backend_asking asking;
	bool news; /* the last update: see struct server_update */
	struct rate arrivals;
	struct rate growth; /* of the sessions on its servers: what comes, less what goes */
	struct lives lives; /* of the sessions on its servers */
	bool planned;       /* summary holds a plan */
	struct planner_summary summary;
	int64_t planned_ms;
	int64_t every_ms;       /* from one plan to the next (steer/tempo); 0: not chosen yet */
	int64_t due_ms;         /* when the next plan is due; 0: at once */
	int64_t rush_ms;        /* when a pod lacked much last; 0: never */
	struct outlook outlook; /* of the last plan */
	struct backend_watch watch;
	double capacity_most; /* what a pod's word on its capacity counts for at most; INFINITY
				 before the first plan and where no pod tells one */
	struct backend_tally tally;
	uint64_t seen; /* number of the update that listed it last */
};

/* Without servers and without a mode yet. NULL when out of memory. */
struct backend *backend_new(const char *name);
/* The servers are not its own; takes NULL. */
void backend_free(struct backend *backend);

/* How a backend with this algorithm (as in struct hastate_backend) is steered through weights. */
enum backend_mode backend_mode_of(const char *algo);

void backend_tally_add(struct backend_tally *tally, enum planner_basis basis, int weight);

/* "stock", "flow", "not steered"; static. */
const char *backend_mode_name(enum backend_mode mode);

#endif
