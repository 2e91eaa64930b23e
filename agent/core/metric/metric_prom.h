/* SPDX-License-Identifier: MIT */
/* Reads a page in Prometheus' text format or OpenMetrics, line by line. */
#ifndef WSB_METRIC_PROM_H
#define WSB_METRIC_PROM_H

#include "core/base/buf.h"
#include "core/metric/metric_query.h"

/* A page on its way: nothing of it is kept but what the terms found. */
struct metric_prom {
	const struct metric_query *query;
	struct metric_found *found; /* one for each term of the query, zeroed at a page's start */
	bool ended;                 /* # EOF was seen: what follows is of nobody */
	struct buf scratch;         /* what escapes leave of a label */
};

/* Takes a line; arg is a struct metric_prom (see metric_lines_each). */
void metric_prom_line(const char *line, size_t len, void *arg);

/* The page ends with these bytes in place of a whole line. False: they may be of a wanted one. */
bool metric_prom_end(struct metric_prom *prom, const char *rest, size_t len);

#endif
