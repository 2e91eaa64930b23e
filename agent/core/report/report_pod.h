/* SPDX-License-Identifier: MIT */
/* What the reports say of one pod: its state, what that rests on, and what to do about it. */
#ifndef WSB_REPORT_POD_H
#define WSB_REPORT_POD_H

#include "core/report/report.h"

/* What a server's weight rests on, or why it has none of the plan's. */
enum report_state {
	REPORT_HEARD,
	REPORT_STALE,       /* its last count stands */
	REPORT_SILENT,      /* heard once, and its last count is too old */
	REPORT_NEVER_HEARD, /* no answer so far */
	REPORT_DISBELIEVED, /* it says clearly less than HAProxy holds on it */
	REPORT_REFUSED,     /* HAProxy does not take its weight */
	REPORT_DRAINING,    /* it asks for no new connections */
	REPORT_UNPLANNED,
	REPORT_UNREACHED, /* HAProxy does not answer, so nothing is steered */
	/* These are HAProxy's or its configuration's. */
	REPORT_DOWN,
	REPORT_MAINT,
	REPORT_DRAIN,
	REPORT_BACKUP,
	REPORT_WEIGHT_ZERO,
	REPORT_NO_ADDRESS,
	REPORT_NOT_STEERED,
	REPORT_N_STATES
};

enum { REPORT_WHY_SIZE = 320 }; /* bytes that any of the texts below fits in */

enum report_state report_state_of(const struct report_view *view, const struct server *server);

/* "heard", "never_heard", ...: for machines; static. */
const char *report_state_label(enum report_state state);
/* How it looks: "good", "warn", "bad", "calm" (meant to be so), "idle"; static. */
const char *report_state_look(enum report_state state);
/* How much the server, whose state this is, needs somebody: 0 not at all, 1 it mends itself or may,
 * 2 it does not. A pod that missed a poll or two does not yet. */
unsigned report_trouble(
	const struct report_view *view, const struct server *server, enum report_state state);

/* The pod's name, or else its server's. The server's own. */
const char *report_pod_name(const struct server *server);

/* The server's state in words: "steered", "ramping 40 %", "silent for 42 s (timed out)", ...
 * Written to buf, cut to size; returns buf. */
char *report_why(
	const struct report_view *view, const struct server *server, char *buf, size_t size);

/* What to do about it; "" where there is nothing. Static. */
const char *report_remedy(const struct report_view *view, const struct server *server);

#endif
