/* SPDX-License-Identifier: MIT */
/* How each backend stands: its mean, where its next connections go, and the verdict. */
#ifndef WSB_REPORT_BACKENDS_H
#define WSB_REPORT_BACKENDS_H

#include "core/report/report.h"
#include "core/report/shares.h"
#include "core/report/verdict.h"

/* What is reckoned of a pod that does not tell is left out of all of this. It points into the
 * cluster and is good until the cluster changes. */
struct report_backend {
	const struct backend *backend;
	double mean; /* connections for each unit of capacity, of the pods that share in what comes;
			below 0: of none is it known */
	struct shares_server *shares; /* of each server; NULL: what comes next cannot be told */
	struct verdict verdict;
	bool selected; /* by the view */
};

struct report_backends {
	struct report_backend *list; /* in HAProxy's order */
	size_t n;
	const struct report_backend *worst; /* whose verdict weighs most, of those that the view
					       selects; NULL: there is none */
};

/* On true the caller ends *out with report_backends_fini; false when out of memory, with *out
 * untouched. */
bool report_backends_init(struct report_backends *out, const struct report_view *view);
/* Takes a zeroed struct. */
void report_backends_fini(struct report_backends *backends);

/* Servers of all backends that nobody can ask. */
size_t report_n_not_asked(const struct report_view *view);

/* What the server's pod should hold for all to be even; below 0: it does not share in what comes,
 * or that is not known. */
double report_level(const struct report_view *view, const struct report_backend *backend,
	const struct server *server);

/* The pod's own word is fresh and believed. */
bool report_is_known(const struct report_view *view, const struct server *server);
/* The pod's own word, else what the plan reckons, else what leastconn assumes: that every instance
 * holds as many as this one. */
double report_connections(const struct report_view *view, const struct server *server);
/* What the server counts for beside others; > 0. */
double report_capacity(const struct server *server);

#endif
