/* SPDX-License-Identifier: MIT */
/* The page's table of pods, as the agent writes it. */
#ifndef WSB_REPORT_HTML_PODS_H
#define WSB_REPORT_HTML_PODS_H

#include "core/base/buf.h"
#include "core/report/report_rows.h"

/*
 * The one table: each service's pods, those that need somebody first. page.js makes the same
 * elements. Its beginning, its rows one after the other, its end.
 */
void report_html_table(struct buf *to);
/* The order of the rows, for the caller to free(); NULL when out of memory. */
void *report_html_order(const struct report_rows *rows);
void report_html_row(struct buf *to, const struct report_view *view, const struct report_rows *rows,
	const void *order, size_t i);
void report_html_table_end(struct buf *to);

#endif
