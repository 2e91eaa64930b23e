/* SPDX-License-Identifier: MIT */
/* The Prometheus series of servers and backends. */
#ifndef WSB_REPORT_PROM_CLUSTER_H
#define WSB_REPORT_PROM_CLUSTER_H

#include "core/report/promtext.h"
#include "core/report/report_rows.h"

/*
 * Labels proxy and server are those of HAProxy's own exporter, so that the two can be joined. What
 * has no value has no sample: a series ends when its pod goes.
 */

/* A sample of each series is a line; those of a series stand together. */
size_t report_prom_n_server_lines(const struct report_rows *rows);
/* What all samples of a row begin with; a place of *own for each row, which the caller frees. False
 * when out of memory. */
bool report_prom_server_labels(const struct report_rows *rows, void **own);
/* Writes a line, and before the first of a series what the series is. */
void report_prom_server_line(const struct promtext *text, const struct report_view *view,
	const struct report_rows *rows, const void *own, size_t i);
/* What the series are, where there is no row. */
void report_prom_no_servers(const struct promtext *text);

void report_prom_not_asked(const struct promtext *text, const struct report_view *view);
void report_prom_backends(const struct promtext *text, const struct report_view *view,
	const struct report_rows *rows);

#endif
