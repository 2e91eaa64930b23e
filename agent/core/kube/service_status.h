/* SPDX-License-Identifier: MIT */
/* A Service of Kubernetes that fills a backend, as it stands now. */
#ifndef WSB_SERVICE_STATUS_H
#define WSB_SERVICE_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/kube/listwatch.h"

/* Texts and watch belong to whoever fills this in. */
struct service_status {
	const char *namespace;
	const char *service;
	const char *backend;
	const char *error;             /* the last failure in words; "" since the last list */
	bool watching;                 /* a watch is running; otherwise what was told last stands */
	const struct listwatch *watch; /* its counters and times */
	size_t n_slices;
	size_t n_ready, n_terminating, n_unready; /* endpoints */
	const char *ports;   /* what is wrong with its port or its name, in words; "" for nothing */
	bool misnamed;       /* and no pod will ever be found so */
	size_t n_taken_over; /* servers that stand for its endpoints as HAProxy had them when the
				agent started, while nothing has been told */
	unsigned quarantined; /* the last plan's, see struct slots_plan */
	unsigned free;
	unsigned added;
	unsigned unplaced;
};

#endif
