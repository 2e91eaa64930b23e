/* SPDX-License-Identifier: MIT */
/* What a plan is made of and what it comes to: the structs that all steps of it work on. */
#ifndef WSB_PLAN_H
#define WSB_PLAN_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PLANNER_WEIGHT_MAX = 256, /* SRV_UWGHT_MAX in HAProxy, all versions */
};

/* What a weight means to HAProxy's chooser. */
enum planner_mode {
	PLANNER_STOCK, /* a share of standing connections: leastconn, random(2) */
	PLANNER_FLOW,  /* a share of new connections: roundrobin, random(1), agent-check alone */
};

/* Where the count that a plan used came from, or why it used none. */
enum planner_basis {
	PLANNER_HEARD,       /* the pod's own answer, fresh */
	PLANNER_STALE,       /* the pod's last answer, moved by the change in own */
	PLANNER_NEVER_HEARD, /* no answer, or none within cache_ttl_ms */
	PLANNER_DISBELIEVED, /* it reports clearly fewer than this HAProxy holds on it, or each of
				several workers answers for itself */
	PLANNER_DRAINING,    /* asked to get nothing new: weight 0 */
};

/* One server of the backend that HAProxy may use. Servers that are down, in maintenance, backup or
 * of configured weight 0 are the caller's business and never come here. */
struct planner_pod {
	bool heard;           /* count, count_age_ms and own_then hold an answer */
	bool draining;        /* the pod asks for no new connections */
	bool doubted;         /* it was disbelieved: sessions_judge() */
	bool own_exact;       /* every session in own went to this pod: its address has not changed
				 since the server held nothing */
	bool several;         /* each of several workers answers for itself: count is no count */
	uint32_t count;       /* connections that the pod reported */
	int64_t count_age_ms; /* since that answer, >= 0 */
	uint32_t own;         /* sessions that this HAProxy has on the server now (scur) */
	uint32_t own_then;    /* the same when count was heard */
	int64_t age_ms;       /* since the pod became new to HAProxy, >= 0; read when ramp_ms > 0 */
	bool has_others;      /* others holds a count; else count - own_then is taken */
	double others; /* connections of the pod that are none of own's, by others_update(): below
			  0 where own has sessions of a pod that the server had before */
	bool planned;  /* target_then holds a target */
	double target_then; /* the target of the last plan for this pod; not after a reload */
	double leaving;  /* connections of the pod expected to close until the next plan, over all
			    instances; read for PLANNER_FLOW. 0 where nobody counts them */
	double credit;   /* new connections that the pod is owed (above 0) or has had too many
			    of, by limits_credit(); 0 where nobody counts them */
	int configured;  /* weight in HAProxy's configuration, 1..256 */
	double told;     /* capacity that the pod tells; 0: it tells none */
	double capacity; /* > 0; by default the configured weight, and what the pod tells by
			    capacity_settle() */
	double part; /* of the pod's correction that is this server's, above 0 to 1, where several
			servers of this HAProxy lead to the pod; 0: all. others and count are of
			the whole pod: what this HAProxy has on the pod's other servers is in
			others */
	double line; /* of what its backend gives the pod, the part that is this server's, above 0
			to 1, where several of its servers lead to the pod; 0: all */
	double held; /* connections of the pod that this HAProxy holds, by all its servers and old
			workers, as far as it knows; read by outlook_of() */
	double worn; /* of what the pod had when it counted, the part that is taken to have closed
			since, where its count is older than its answer; read by aging_settle() */
	uint32_t own_beside; /* of others, at least so many are this HAProxy's, all the pod's own */
};

struct planner_params {
	enum planner_mode mode;
	unsigned replicas;    /* HAProxy instances that share the pods, >= 1 */
	int64_t fresh_ms;     /* an answer older than this is called stale */
	int64_t cache_ttl_ms; /* a stale answer older than this is not used */
	double arrivals;      /* new connections expected until the next plan, over all instances */
	double growth;        /* by how many sessions this HAProxy is expected to hold more by the
				 next plan; negative: fewer */
	int64_t ramp_ms;      /* > 0: the share of new connections that a pod younger than this may
				 take grows with its age; 0: off */
	bool own_unknown;     /* there is no HAProxy to ask: own is 0 and says nothing */
	double max_share;     /* above 0 and below 1: the largest share of new connections that any
				 pod may take; otherwise off */
};

struct planner_result {
	enum planner_basis basis;
	double count;   /* connections the plan reckons the pod has, over all instances */
	bool reckoned;  /* count is none of the pod's own: its last one, moved by own, or own */
	double deficit; /* how many it lacks to the level; negative: it has too many */
	double target;  /* what this HAProxy should hold on it (stock), or give it until the next
			   plan  (flow); >= 0 */
	double ramp;    /* how far the pod has warmed up, 0..1; 1 when it has, or ramp_ms is 0 */
	double share_limit; /* the largest share of new connections that it may take, 0..1; 1: none.
			       0 for a draining pod */
	int weight;         /* 0..256; 0 only for a draining pod */
};

struct planner_summary {
	double level;     /* connections per unit of capacity that pods below it should come to */
	double imbalance; /* max/mean - 1 of count/capacity over the known pods that do not drain;
			     0 for none */
	bool fallback;    /* fewer than half known: every weight is the configured one */
	size_t n_known;   /* pods whose count is heard or stale */
	size_t n_stale;
	size_t n_never_heard;
	size_t n_disbelieved;
	size_t n_draining;
};

/* "heard", "stale", "never heard", "disbelieved", "draining". Static. */
const char *planner_basis_name(enum planner_basis basis);

/* The server's part of its pod. */
static inline double plan_part(const struct planner_pod *pod)
{
	return pod->part > 0.0 ? pod->part : 1.0;
}

/* The server's part of a limit on its pod in one backend. */
static inline double plan_line(const struct planner_pod *pod)
{
	return pod->line > 0.0 ? pod->line : 1.0;
}

/* Its part of the pod's capacity. */
static inline double plan_extent(const struct planner_pod *pod)
{
	return plan_part(pod) * pod->capacity;
}

/* A count of the pod's own stands behind the result. */
static inline bool plan_is_known(const struct planner_result *result)
{
	return result->basis == PLANNER_HEARD || result->basis == PLANNER_STALE;
}

/* The pod shares in what comes. */
static inline bool plan_participates(const struct planner_result *result)
{
	return result->basis != PLANNER_DRAINING;
}

/* The largest of n values that are 0 or more; 0 for none. */
static inline double plan_largest_of(size_t n, const double *values)
{
	double largest = 0.0;

	for (size_t i = 0; i < n; i++)
		largest = fmax(largest, values[i]);
	return largest;
}

#endif
