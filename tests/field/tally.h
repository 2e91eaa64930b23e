/* SPDX-License-Identifier: MIT */
/* What a run of wsload counts, and how it is written down. */
#ifndef FIELD_TALLY_H
#define FIELD_TALLY_H

#include "hist.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_object;

enum { TALLY_REASONS = 16 };

/* Distinct texts, each with its count. The last place is for "other", all that found no room. */
struct tally_reasons {
	struct {
		char text[64];
		uint64_t n;
	} rows[TALLY_REASONS];
	size_t n_rows;
};

/* All zero is a fresh tally. */
struct tally {
	uint64_t opened;   /* WebSockets that were established */
	uint64_t failed;   /* attempts that came to none, retries too */
	uint64_t closed;   /* ended by us: lifetime, storm, end of the run */
	uint64_t dropped;  /* established, and ended by somebody else */
	uint64_t messages; /* echoes that came back right */
	uint64_t bytes;    /* in them */
	uint64_t wrong;    /* echoes that differed, or that nobody asked for */
	uint64_t lost;     /* echoes that did not come in time on a living connection */
	uint64_t pongs;
	uint64_t open, most_open; /* now, and at most */
	uint64_t connecting;      /* now */
	struct hist handshake, echo, ping;
	struct hist recent;               /* echoes since the last line of progress */
	struct tally_reasons why_failed;  /* in words of libwebsockets or HTTP */
	struct tally_reasons why_dropped; /* by close code; 1006: none came */
};

/* Counts one more of a reason, a text of less than 64 bytes. */
void tally_reason(struct tally_reasons *reasons, const char *text);

/* One line on how it goes, as text or as JSON; at_s is the age of the run. Empties `recent`. */
void tally_progress(struct tally *tally, FILE *to, bool json, double at_s);

struct target;

/* The end of a run. */
struct tally_report {
	const struct tally *tally;
	const struct target *targets;
	size_t n_targets;
	int64_t connections, message_bytes; /* as asked for */
	double ran_s;
	bool ok;
};

/* Writes the report as text, or as one JSON object on one line. */
void tally_write(const struct tally_report *report, FILE *to, bool json);

#endif
