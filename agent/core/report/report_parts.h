/* SPDX-License-Identifier: MIT */
/* The parts that a report is written in: what stands before its rows, the rows, what stands behind
 * them. */
#ifndef WSB_REPORT_PARTS_H
#define WSB_REPORT_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "core/report/report.h"
#include "core/report/report_rows.h"

/* A report under way. */
struct report_writer {
	const struct report_parts *parts;
	struct report_view view; /* without its filters */
	struct report_rows rows;
	uint64_t edition;  /* of the cluster that the rows point into */
	struct buf before; /* written at the beginning, of one moment with the sums */
	struct buf after;
	size_t n_lines; /* one or more of each row */
	size_t line;    /* the next one */
	bool openmetrics;
	void *own; /* the format's; ended with free() */
};

/* A format. */
struct report_parts {
	/* Fills before and after, n_lines where there are more than rows, and own. False when out
	 * of memory: all that was filled is freed by the caller. */
	bool (*begin)(struct report_writer *writer);
	/* Writes a line; they come in order. */
	void (*line)(const struct report_writer *writer, struct buf *to, size_t i);
};

extern const struct report_parts report_json_parts;
extern const struct report_parts report_prom_parts;
extern const struct report_parts report_html_parts;

#endif
