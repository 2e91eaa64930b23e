/* SPDX-License-Identifier: MIT */
/* The cluster as every report shows it: services, their pods, and the sums. */
#ifndef WSB_REPORT_ROWS_H
#define WSB_REPORT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/report/report.h"
#include "core/report/report_backends.h"
#include "core/report/report_pod.h"

/*
 * One reading of the cluster, shared by the JSON, the page and the Prometheus series, so that all
 * of them count alike. It points into the cluster and is good until the cluster changes.
 */

/* A server that has a pod. A pod that two servers share has two rows and counts once in a sum. */
struct report_row {
	const struct backend *backend;
	const struct server *server;
	const struct report_service *service;
	const char *url; /* of its service; one text for many rows */
	enum report_state state;
	unsigned trouble;       /* see report_trouble */
	uint32_t connections;   /* see report_connections */
	bool known;             /* they are the pod's own word, fresh and believed; else reckoned */
	bool planned;           /* the server's plan and weight are in force */
	double level;           /* see report_level; below 0: none */
	double deviation;       /* connections / level - 1; NAN where either is not known */
	double share;           /* of the next connections through this HAProxy, 0..1; below 0: not
				   known */
	int64_t since_ms;       /* when state became what it is */
	bool counts;            /* the first row of its pod */
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
	uint64_t connections_reckoned; /* of these: of pods that do not tell */
	uint64_t own_sessions;         /* of this HAProxy, over all rows */
	size_t n_pods;
	size_t n_ready; /* may get new connections */
	size_t n_known;
	size_t n_reckoned; /* all others */
	size_t n_stale;    /* known, but not from the last round */
	size_t n_silent;   /* heard once, and their last count is too old */
	size_t n_never_heard;
	size_t n_disbelieved;
	size_t n_draining;
	double imbalance;   /* the worst of the steered backends, selected or not */
	bool planned;       /* some backend has a plan */
	int64_t planned_ms; /* the latest plan */
};

struct report_rows {
	struct report_backends backends;
	struct report_row *rows; /* by URL, then in HAProxy's order */
	size_t n_rows;
	struct report_service *services; /* by URL */
	size_t n_services;
	struct report_totals totals;
	char **urls; /* the texts that rows point to */
	size_t n_urls;
};

/* Reads what the view selects. On true the caller ends *out with report_rows_fini; false when out
 * of memory, with *out untouched. */
bool report_rows_init(struct report_rows *out, const struct report_view *view);
void report_rows_fini(struct report_rows *rows);

/* Rows whose pods need somebody. */
size_t report_rows_n_needs(const struct report_rows *rows);

enum { REPORT_NEXT_SIZE = 32 };

/* How many of the next hundred connections it gets: "85"; "by chance" with balance random, which
 * does not tell how many servers it draws; or "". Written to buf, which REPORT_NEXT_SIZE bytes
 * suffice for; returns buf. */
char *report_row_next(const struct report_row *row, char *buf, size_t size);

#endif
