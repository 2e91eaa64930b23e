/* SPDX-License-Identifier: MIT */
/* What an answer has for one wanted number. */
#ifndef WSB_METRIC_FOUND_H
#define WSB_METRIC_FOUND_H

/* Zeroed memory is a valid start. A state gives way to those below it only. */
struct metric_found {
	enum metric_found_state {
		METRIC_FOUND_NOTHING,
		METRIC_FOUND_ANNOUNCED, /* a series without samples */
		METRIC_FOUND_MISFITS,   /* samples of the name, none of which fits */
		METRIC_FOUND_NUMBER,
		METRIC_FOUND_OTHER, /* what is no number, or too large a one */
		METRIC_FOUND_BAD,   /* a line that cannot be read */
	} state;
	double sum; /* with METRIC_FOUND_NUMBER: of all numbers that fit */
};

void metric_found_note(struct metric_found *found, enum metric_found_state state);

/* One more number; NaN, Inf and what is beyond 2^53, where doubles skip whole numbers, are
 * METRIC_FOUND_OTHER. */
void metric_found_add(struct metric_found *found, double number);

#endif
