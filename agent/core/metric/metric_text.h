/* SPDX-License-Identifier: MIT */
/* Reads lines of words with numbers behind them, such as nginx' stub_status. */
#ifndef WSB_METRIC_TEXT_H
#define WSB_METRIC_TEXT_H

#include "core/metric/metric_query.h"

struct metric_text {
	const struct metric_query *query;
	struct metric_found *found; /* one for each term of the query, zeroed at a page's start */
};

/*
 * Takes a line; arg is a struct metric_text (see metric_lines_each). A term's number is what
 * follows its word on the first line that has the word as a word of its own: digits up to a blank
 * or the line's end, with blanks and one : or = before them. Anything else there is no number.
 */
void metric_text_line(const char *line, size_t len, void *arg);

#endif
