/* SPDX-License-Identifier: MIT */
/* Reads an answer in JSON. */
#ifndef WSB_METRIC_JSON_H
#define WSB_METRIC_JSON_H

#include "core/metric/metric_query.h"

/* The whole body. podName, podIP and nodeName of an object are its names. METRIC_OK with *out
 * filled, or the reason with *out untouched. */
enum metric_outcome metric_json_read(
	const char *body, size_t len, const struct metric_query *query, struct metric *out);

#endif
