/* SPDX-License-Identifier: MIT */
/* The slim line of facts: connections, pods, HAProxy, the weights, Kubernetes, certificates,
 * readiness. */
#ifndef WSB_REPORT_FACTS_H
#define WSB_REPORT_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/report/report_rows.h"

/* before, strong, after and, where at_ms is not 0, how long ago that was, in this order. */
struct report_fact {
	const char *look; /* "bad" or ""; static */
	char before[48];
	char strong[320]; /* what is said louder than the rest */
	char after[384];
	int64_t at_ms; /* on the monotonic clock; 0: none */
	bool ago;      /* "0.3 s ago"; else "25 s" */
};

enum { REPORT_FACT_SIZE = 800 }; /* bytes that a fact's text fits in */

/* Reads what the view says; rows are of the same view. On true the caller frees *out; false when
 * out of memory, with *out untouched. */
bool report_facts_init(struct report_fact **out, size_t *n, const struct report_view *view,
	const struct report_rows *rows);

/* What stands behind `after`: "0.3 s ago", "25 s" or "". Written to buf, cut to size; returns buf.
 */
char *report_fact_age(
	const struct report_view *view, const struct report_fact *fact, char *buf, size_t size);

/* The heads of two lists: "2 pods need you", "1 server cannot be asked". */
char *report_needs_title(size_t n, char *buf, size_t size);
char *report_not_asked_title(size_t n, char *buf, size_t size);

#endif
