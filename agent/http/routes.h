/* SPDX-License-Identifier: MIT */
/* What the HTTP endpoint answers to each path. */
#ifndef WSB_ROUTES_H
#define WSB_ROUTES_H

#include "core/report/report.h"

struct MHD_Connection;
struct access;
struct stats;
struct drain;
struct reports;
struct suspended;

/* What an answer depends on beside the request. */
struct routes {
	char *balancer_metric_path;
	struct access *access;
	struct stats *stats;
	void (*view)(struct report_view *out, void *arg);
	void *arg;
	int64_t certificate_ends_s; /* see struct report_view */
	struct reports *reports;
	struct drain *drain;         /* asked by /drain */
	struct suspended *suspended; /* holds requests whose answer is due later */
};

/*
 * Queues the answer; returns what libmicrohttpd's access handler must return: MHD_YES, or MHD_NO to
 * cut the connection when out of memory. With *held set to true there is no answer yet: the
 * connection waits, and this is called again with *held true when it is resumed.
 */
int routes_answer(const struct routes *routes, struct MHD_Connection *connection, const char *path,
	const char *method, bool *held);

#endif
