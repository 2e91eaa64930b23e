/* SPDX-License-Identifier: MIT */
/* Reports: written in pieces while the loop turns, and given to all who ask at that time. */
#ifndef WSB_REPORTS_H
#define WSB_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/report/report.h"

struct MHD_Connection;
struct ev_loop;
struct reports;

/*
 * One piece is written in each turn of the loop, for a few milliseconds. A report is given out
 * again for twenty times as long as it took to write, a second at most: small ones are as fresh as
 * ever, and all readers of one together take a twentieth of the loop. All reports together take
 * three tenths of each second; whoever asks for ever different ones waits.
 */
struct reports_options {
	struct ev_loop *loop;
	/* Fills what a report is made from, as httpd.h has it. */
	void (*view)(struct report_view *out, void *arg);
	/* Connections were resumed: their daemons have work. */
	void (*resumed)(void *arg);
	void *arg;
};

/* NULL when out of memory. */
struct reports *reports_new(const struct reports_options *options);
/* No connection may be held. Takes NULL. */
void reports_free(struct reports *reports);

/* What is asked for. The strings are copied. */
struct reports_wish {
	enum report_format format;
	bool gzip;
	unsigned refresh_s;  /* see struct report_view; of a page only */
	const char *service; /* or NULL */
	const char *pod;     /* or NULL */
};

/* A report, shared by all who send it. */
struct reports_text;

enum reports_outcome {
	REPORTS_READY,   /* *text is the caller's until reports_text_release */
	REPORTS_HELD,    /* the connection is suspended, and to ask again when it is resumed */
	REPORTS_CROWDED, /* too many wait, or too much is on its way to readers */
	REPORTS_FAILED,  /* out of memory */
};

/* Called from within an access handler, with again where the connection was held. */
enum reports_outcome reports_get(struct reports *reports, const struct reports_wish *wish,
	struct MHD_Connection *connection, bool again, struct reports_text **text);

const char *reports_text_bytes(const struct reports_text *text, size_t *len);
/* How long ago it was begun, ms. */
int64_t reports_text_age_ms(const struct reports_text *text);
/* One holder less; with the last one it goes. Takes the text as MHD's callbacks have it. */
void reports_text_release(void *text);

size_t reports_n_held(const struct reports *reports);
/* Resumes all who wait: they get REPORTS_CROWDED. */
void reports_abandon(struct reports *reports);

#endif
