/* SPDX-License-Identifier: MIT */
/* The figures of one run. */
#ifndef SIM_MEASURE_H
#define SIM_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

struct measure_result {
	double mean_imbalance; /* of max/mean - 1 of count/capacity, once a second */
	double peak_imbalance;
	double settle_s;      /* from the event until it stays under 5 %; negative: never */
	double peak_share;    /* the largest part of a second's new connections that went to one
				 pod; seconds with fewer than 20 are joined with the next */
	double writes_per_s;  /* weights changed, in one instance */
	double peak_arrivals; /* the most new connections in a second at one instance */
	double excess;        /* connections above its limit that a pod with one got, in the worst
				 run of connections in a row at one instance */
};

/* The account of one pod's limit at one instance. */
struct measure_limit {
	double balance; /* connections it got less what its limit allowed, so far */
	double least;   /* the smallest of these */
	double worst;   /* the largest rise of balance */
};

struct measure {
	size_t n_pods;
	uint32_t *taken; /* by pod, in this second */
	uint32_t arrived;
	struct measure_limit *limits; /* by instance and slot */
	uint32_t *arrived_at;         /* by instance, in this second */
	uint32_t peak_arrivals;
	double peak_share, peak_imbalance, sum;
	uint64_t samples;
	uint64_t writes;
	int64_t last_over_ms; /* when imbalance was last 5 % or more */
};

bool measure_init(struct measure *measure, size_t n_pods, size_t n_servers, size_t n_instances);
void measure_fini(struct measure *measure);

/* A connection through an instance went to a server; -1: only that it came. */
void measure_taken(struct world *world, unsigned instance, int server);
/* At the end of each second. */
void measure_sample(struct world *world);
void measure_finish(const struct world *world, struct measure_result *result);

#endif
