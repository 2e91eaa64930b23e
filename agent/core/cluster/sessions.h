/* SPDX-License-Identifier: MIT */
/* What this HAProxy holds on a server, and what of its pod's connections is somebody else's. */
#ifndef WSB_SESSIONS_H
#define WSB_SESSIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cluster/others.h"
#include "core/cluster/rate.h"
#include "core/plan/plan.h"

/*
 * HAProxy says how many sessions a server has and how many it had since its start; the pod says how
 * many connections it has, at another moment. From both, reading by reading, comes what the planner
 * is told of the pod. Nothing here knows a server's name, its state or its weight.
 */
struct sessions {
	bool known;          /* HAProxy's line was read at least once */
	uint64_t worker;     /* number of the HAProxy process that it was of */
	int64_t read_ms;     /* when it was read last */
	uint32_t own;        /* sessions of this HAProxy on the server now (scur) */
	uint32_t own_before; /* own at the reading before */
	uint64_t total;      /* sessions since this HAProxy started (stot) */
	uint64_t started;    /* of these, since the last plan */
	double credit;       /* see limits_credit() */
	bool own_exact;      /* see struct planner_pod */
	bool doubted;        /* see struct planner_pod */
	int64_t caught_ms;   /* while doubted: the last plan for which its count was too small */
	double left;         /* that older workers of this HAProxy are taken to hold on its pod */
	double left_per_s;   /* what part of left closes in a second */
	bool target_stands;  /* the last plan's target is of this pod and this worker */

	uint32_t own_then;    /* own when its pod counted */
	int64_t away_ms;      /* the pod was away then: what it said before is void; 0: never */
	double turnover;      /* sessions that began and that ended between the last two readings */
	double part_then;     /* of the time between these that had passed when it was heard */
	int64_t own_then_ms;  /* the moment that own_then belongs to; 0: none */
	struct others others; /* the pod's connections that are none of own */
	struct rate closings; /* of sessions on the server */
};

/* One reading: HAProxy's line of the server, and the pod's last answer. */
struct sessions_reading {
	int64_t now_ms;
	uint64_t worker;   /* another number than before is another process: it begins at 0 */
	unsigned replicas; /* HAProxy instances that share the pods */
	bool stock;        /* how the backend is steered: see struct others_reading */
	uint32_t own;      /* scur */
	uint64_t total;    /* stot */
	bool heard;        /* count and counted_ms hold an answer */
	uint32_t count;
	int64_t counted_ms; /* the moment that count is of */
};

/* Of a server that nobody has told of yet. */
void sessions_init(struct sessions *sessions);

/* Another pod has the server, on which this HAProxy still has own sessions of the old one. */
void sessions_new_pod(struct sessions *sessions, uint32_t own);

/* HAProxy cannot use the pod: with no session left on it, it comes back with none, and old workers
 * have none on it either. What others is of a single instance stays: it is nobody's to lose. */
void sessions_away(struct sessions *sessions, unsigned replicas, int64_t now_ms);

void sessions_update(struct sessions *sessions, const struct sessions_reading *reading);

/* Between the last two readings: by how many own has grown, and how many have closed. */
double sessions_grown(const struct sessions *sessions);
double sessions_closed(const struct sessions *sessions);

/*
 * A plan is to be made: counts what the server has started since the last one, of arrived in its
 * whole backend, against the limit that the last plan gave it (1: none).
 */
void sessions_account(struct sessions *sessions, double limit, uint64_t arrived);

/* A plan was made of the pod: one that it disbelieved is doubted until it is believed, or until its
 * word has fitted what this HAProxy and its old workers hold on it for a minute: with few sessions
 * nobody could prove more. */
void sessions_judge(struct sessions *sessions, const struct planner_pod *pod,
	enum planner_basis basis, int64_t now_ms);

/* Sets what the planner is told of own and of others: own, own_then, own_exact, doubted,
 * held, own_beside, has_others, others, leaving and credit. interval_ms is the time to the next
 * plan. */
void sessions_describe(const struct sessions *sessions, unsigned replicas, int64_t interval_ms,
	struct planner_pod *pod);

#endif
