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

void report_prom_servers(const struct promtext *text, const struct report_view *view,
	const struct report_rows *rows);
void report_prom_backends(const struct promtext *text, const struct report_view *view,
	const struct report_rows *rows);

#endif
