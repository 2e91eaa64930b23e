/* SPDX-License-Identifier: MIT */
/* The cluster as every report shows it: services, their pods, and the sums. */
#ifndef WSB_REPORT_ROWS_H
#define WSB_REPORT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/report/report.h"

/*
 * One reading of the cluster, shared by the JSON, the page and the Prometheus series, so that all
 * of them count alike. It points into the cluster and is good until the cluster changes.
 */

/* A server that has a pod. A pod that two servers share has two rows and counts once in a sum. */
struct report_row {
	const struct backend *backend;
	const struct server *server;
	char *url;            /* of its service */
	uint32_t connections; /* the pod's own word, else what the plan reckons */
	bool known;           /* the pod's own word, not older than cache_ttl_ms */
	int64_t age_ms;       /* of the pod's last good answer; -1: never */
	bool planned;         /* the server's plan and weight are in force */
	double level;         /* connections that its pod should come to; -1: none, it drains or is
				 not planned */
	bool counts;          /* the first row of its pod */
	bool counts_in_service; /* the first row of its pod in this service */
	size_t order;           /* in HAProxy's order of backends and servers */
};

/* Rows with one URL stand together. */
struct report_service {
	const char *url;
	uint64_t connections; /* each pod once */
	size_t first;         /* its first row */
	size_t n_rows;
};

/* Over the selected rows, each pod once. */
struct report_totals {
	uint64_t connections;
	uint64_t own_sessions; /* of this HAProxy, over all rows */
	size_t n_pods;
	size_t n_ready; /* may get new connections */
	size_t n_known;
	size_t n_stale; /* known, but not from the last round */
	size_t n_never_heard;
	size_t n_disbelieved;
	size_t n_draining;
	double imbalance;   /* the worst of the steered backends, selected or not */
	bool planned;       /* some backend has a plan */
	int64_t planned_ms; /* the latest plan */
};

struct report_rows {
	struct report_row *rows; /* by URL, then in HAProxy's order */
	size_t n_rows;
	struct report_service *services; /* by URL */
	size_t n_services;
	struct report_totals totals;
};

/* Reads what the view selects. On true the caller ends *out with report_rows_fini; false when out
 * of memory, with *out untouched. */
bool report_rows_init(struct report_rows *out, const struct report_view *view);
void report_rows_fini(struct report_rows *rows);

/* When it was then_ms on the monotonic clock, in seconds since the epoch. */
double report_wall_s(const struct report_view *view, int64_t then_ms);

/* The backend's summary holds a plan that is in force. */
bool report_is_planned(const struct backend *backend);

/* What a server's weight rests on, as one word: "heard", "stale", "never_heard", "disbelieved",
 * "draining" for a planned server, "unplanned", else the server's state: "down", "maint", "drain",
 * "backup", "weight_zero", "no_address", "not_steered". Static. */
const char *report_state(const struct server *server);
/* Every word that report_state can give, in a fixed order, NULL at the end. */
const char *const *report_states(void);

#endif
