/* SPDX-License-Identifier: MIT */
/* What the agent shows of itself: the view that every writer reads. */
#ifndef WSB_REPORT_H
#define WSB_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/cluster/cluster.h"
#include "core/haproxy/hacerts.h"
#include "core/kube/service_status.h"
#include "core/stats.h"

/* What the kernel says of this process; all zero where it says nothing. */
struct report_process {
	double cpu_s; /* user and system time since the start */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_fds;
	uint64_t max_fds;
};

/* Everything that a report is made from; all of it belongs to the caller and is only read. */
struct report_view {
	const struct cluster *cluster;
	const struct stats *stats;
	int64_t now_ms;                       /* monotonic, as the cluster's times */
	int64_t wall_ms;                      /* since the epoch */
	const char *version;                  /* of the agent */
	const struct report_process *process; /* NULL: the series of the process are left out */
	const struct service_status *kubernetes;
	size_t n_kubernetes;
	const struct hacerts_status *certificates; /* HAProxy's */
	size_t n_certificates;
	uint64_t n_certificates_given; /* to HAProxy since the start */
	int64_t certificate_ends_s;    /* of the endpoint, since the epoch; 0: it has none, -1: it
					  cannot be read */
	bool dry_run;
	bool ready;
	const char *unready; /* why it is not ready, in words; NULL when it is */
	bool draining;       /* HAProxy has been told that it is about to stop */
	const char *service; /* only this one, or NULL for all */
	const char *pod;     /* only this one (name, address or server), or NULL */
	unsigned refresh_s;  /* what the page begins with; 0: off */
};

enum report_format {
	REPORT_JSON, /* the shape of the Traefik plugin's, with more keys: report.schema.json */
	REPORT_PROMETHEUS,  /* its text format 0.0.4 */
	REPORT_OPENMETRICS, /* 1.0 */
	REPORT_PAGE,        /* for people */
	REPORT_N_FORMATS
};

/* A whole document, which the caller ends with buf_fini or takes over by buf_finish; its bytes are
 * NULL when memory ran out. */
struct buf report_write(enum report_format format, const struct report_view *view);

/*
 * The same in pieces, since thousands of pods take longer to write than others should wait. What is
 * summed up is of the moment of its beginning, and each pod is of that moment or of a later one
 * before HAProxy is read again. What the view points to must last, but for service and pod.
 */
struct report_writer;

enum report_progress {
	REPORT_GOES_ON,
	REPORT_WRITTEN,
	REPORT_OVERTAKEN, /* HAProxy has been read meanwhile: it is to be begun anew */
	REPORT_OUT_OF_MEMORY,
};

/* NULL when out of memory. */
struct report_writer *report_writer_new(enum report_format format, const struct report_view *view);
/* Appends what n rows of the table come to. */
enum report_progress report_writer_go_on(struct report_writer *writer, struct buf *to, size_t n);
/* Takes NULL. */
void report_writer_free(struct report_writer *writer);

/* The Content-Security-Policy that the page is to be served with: only its own script and style,
 * and requests to where it came from. Written to buf, which 500 bytes suffice for; returns buf. */
char *report_html_policy(char *buf, size_t size);

enum { REPORT_URL_SIZE = 320 }; /* http://, a DNS name, a colon, a port */

/*
 * The service that a server belongs to, as the plugin's "url": http://FQDN:PORT for a server found
 * by DNS, else the backend's name. Written to buf, cut to size; returns buf.
 */
char *report_service_url(const struct server *server, char *buf, size_t size);

/* HAProxy answers, or need not: only then is anything steered. */
bool report_is_reached(const struct report_view *view);

/* The backend's summary holds a plan that is in force. */
bool report_is_planned(const struct report_view *view, const struct backend *backend);
/* The last plan's outlook; in a dry run, that nothing will fill. */
struct outlook report_outlook(const struct report_view *view, const struct backend *backend);

/* When it was then_ms on the monotonic clock, in seconds since the epoch. */
double report_wall_s(const struct report_view *view, int64_t then_ms);

#endif
