/* SPDX-License-Identifier: MIT */
/* The page's table of pods, as the agent writes it. */
#ifndef WSB_REPORT_HTML_PODS_H
#define WSB_REPORT_HTML_PODS_H

#include "core/base/buf.h"
#include "core/report/report_rows.h"

/* Writes the one table: each service's pods, those that need somebody first. page.js makes the same
 * elements. */
void report_html_pods(
	struct buf *to, const struct report_view *view, const struct report_rows *rows);

/* 1234567 as 1,234,567. */
void report_html_number(struct buf *to, uint64_t n);

#endif
