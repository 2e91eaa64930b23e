/* SPDX-License-Identifier: MIT */
/* What is simulated: a case (what happens), at a size, under a policy. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb.h"

/* Something that happens to pods or instances at a time. */
enum incident_kind {
	INCIDENT_NONE,        /* ends a list */
	INCIDENT_ADD,         /* pods are added */
	INCIDENT_CRASH,       /* pods lose all connections, and are back seconds later */
	INCIDENT_ROLL,        /* all pods are replaced by new ones, a tenth at a time */
	INCIDENT_RELOAD,      /* instances reload: old workers keep what they have */
	INCIDENT_REUSE,       /* servers are given to new pods; the old pods live on elsewhere */
	INCIDENT_STORM,       /* a part of all connections breaks and is made anew in a second */
	INCIDENT_AGENTS_STOP, /* agents end and leave the configured weights */
	INCIDENT_AGENTS_DIE,  /* agents end and leave the weights as they are */
	INCIDENT_STICK,       /* pods say what they have now from now on */
	INCIDENT_LIE,         /* pods say something else from now on */
	INCIDENT_MUTE,        /* pods say nothing from now on */
	INCIDENT_OLD_END, /* old workers end, and with them what they held: its clients come back */
	INCIDENT_DOOR_SHUT, /* direct connections break, their clients come through HAProxy */
};

struct incident {
	int at_s;
	enum incident_kind kind;
	double part;   /* below 1: this part of the pods, instances or connections, one at least;
			  else a number of them; 0: one */
	int seconds;   /* CRASH, ROLL: until the pod is back. */
	int every_s;   /* ROLL: between two tenths; RELOAD: between two, 0: once */
	uint32_t says; /* LIE: the count that is told */
};

enum { SCENARIO_INCIDENTS = 4, SCENARIO_CAPACITIES = 4, SCENARIO_BACKENDS = 4 };

struct scenario_case {
	const char *name;
	int length_s; /* simulated */
	int from_s;   /* figures are of the time from here to the end */
	int event_s;  /* settling is counted from here */
	struct incident incidents[SCENARIO_INCIDENTS];
	double lost;        /* part of the polls that is lost */
	double direct_pods; /* this part of the pods gets direct connections too, */
	double direct_load; /* so many for each that it has through HAProxy on average */
	double short_life; /* above 0: connections of the first pod live this part of the others' */
	unsigned lines;    /* servers that lead to each pod in a backend; 0: one */
	unsigned backends; /* backends over the same pods; 0: one */
	double requests;   /* plain requests a second for each connection that stands */
	int capacities[SCENARIO_CAPACITIES]; /* configured weights in turn; 0, ...: all 100 */
	double first_part; /* of what comes, so much comes through the first instance; 0: as much as
			      through each other */
	int seen_ms;       /* each instance sees that a pod is up at a moment of its own, within so
			      long */
	int counts_ms;     /* pods count anew when their last count is so old; 0: when asked */
	int shake_ms;      /* a pod counts a connection so long after HAProxy has */
	bool is_named;     /* only at sizes that name it */
	int ramp_s;        /* the planner's ramp */
	double max_share;  /* the planner's maxShare */
	int poll_ms;       /* between two rounds; 0: as the run has it */
	bool is_unsteered; /* agents end in it: the planner is not what is judged */
	bool is_blind;     /* what happens cannot be known in time: leastconn and informed are the
			      measure, not the oracle */
	double allowance;  /* so many times its goal by stock, where that is known to be missed; 0:
			      as  the size has it */
};

struct scenario_size {
	unsigned pods;
	unsigned instances;
	unsigned per_pod; /* connections a pod through HAProxy, when steady */
	double life_s;    /* mean of the log-normal lifetimes */
	bool in_short;    /* part of the short form too */
	bool is_sparse;   /* a few connections a pod and instance: leastconn is the measure */
	const char *only; /* just the cases whose names are in this text; NULL: all */
};

struct scenario {
	const struct scenario_case *what;
	const struct scenario_size *size;
	int poll_ms;   /* between two rounds: every pod is asked once, weights are set once */
	int spread_ms; /* pods are asked within this time before the round, each at its own
			  moment; at most poll_ms */
};

/* How connections find their pod. */
enum policy_choice {
	POLICY_HAPROXY,        /* as the algorithm and the weights say */
	POLICY_CACHED_MINIMUM, /* every connection to the pod that had fewest when last polled */
	POLICY_INFORMED,       /* to the pod that has fewest as far as the instance can know */
	POLICY_ORACLE,         /* every connection to the pod that has fewest now */
};

enum policy_steering {
	POLICY_AS_CONFIGURED,
	POLICY_INVERSE, /* weights of 1/count */
	POLICY_FLOW,    /* the planner's */
	POLICY_STOCK,   /* the planner's */
};

struct policy {
	const char *name;
	enum policy_choice choice;
	enum lb_algo algo;
	enum policy_steering steering;
};

/* Places in scenario_policies that the goals name. */
enum {
	SCENARIO_ROUNDROBIN = 1,
	SCENARIO_LEASTCONN = 2,
	SCENARIO_FLOW = 5,
	SCENARIO_STOCK = 6,
	SCENARIO_INFORMED = 9,
	SCENARIO_ORACLE = 10,
	SCENARIO_POLICIES_MAX = 16,
};

/* All cases, sizes and policies, in the order of the report. */
extern const struct scenario_case scenario_cases[];
extern const size_t scenario_n_cases;
extern const struct scenario_size scenario_sizes[];
extern const size_t scenario_n_sizes;
extern const struct policy scenario_policies[];
extern const size_t scenario_n_policies;

/* How many an incident's part means of n. */
size_t scenario_count(double part, size_t n);

#endif
