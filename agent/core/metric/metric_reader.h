/* SPDX-License-Identifier: MIT */
/* Reads a pod's answer as it comes, in whatever format. */
#ifndef WSB_METRIC_READER_H
#define WSB_METRIC_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/metric/metric.h"
#include "core/metric/metric_query.h"

/* Of JSON the whole answer is kept until its end, of the other formats no more than a line. */
struct metric_reader;

/* The query must outlive it. NULL when out of memory. */
struct metric_reader *metric_reader_new(const struct metric_query *query);
/* Takes NULL. */
void metric_reader_free(struct metric_reader *reader);

/* A new answer begins: what came before is forgotten. */
void metric_reader_begin(struct metric_reader *reader);

/* More of the body. False: the answer is refused already, and no more of it is needed. */
bool metric_reader_feed(struct metric_reader *reader, const char *bytes, size_t len);

/* The reason why metric_reader_feed returned false; METRIC_OK where it did not. */
enum metric_outcome metric_reader_refusal(const struct metric_reader *reader);

/*
 * The answer has come whole. content_type, or NULL, is the header's value: a page that calls itself
 * OpenMetrics must have its last line. METRIC_OK with *out filled, or the reason with *out
 * untouched.
 */
enum metric_outcome metric_reader_end(
	struct metric_reader *reader, const char *content_type, struct metric *out);

#endif
