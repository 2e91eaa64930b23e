/* SPDX-License-Identifier: MIT */
/* Says what the reports say of each backend, where that needs somebody: in the log. */
#ifndef WSB_ANNOUNCE_VERDICTS_H
#define WSB_ANNOUNCE_VERDICTS_H

#include "announce/said.h"
#include "core/report/report.h"

/* Says a verdict that needs somebody, and its end, in the words of the reports: once it was the
 * same at two looks in a row, so that none is said that passes at once. table is for this alone. */
void announce_verdicts(struct said_table *table, const struct report_view *view);

#endif
