/* SPDX-License-Identifier: MIT */
/* Where well-known servers tell their connections. */
#ifndef WSB_METRIC_PRESET_H
#define WSB_METRIC_PRESET_H

#include <stddef.h>
#include <stdint.h>

#include "core/metric/metric.h"

struct metric_preset {
	const char *name;
	enum metric_format format;
	uint16_t port; /* that the server has for it; 0: the server's own */
	const char *path;
	const char *key;
	const char *counts; /* what the number is */
	const char *source; /* where that is from */
	const char
		*tried; /* the version whose answer is in the tests, or NULL: nobody has run it */
};

/* All of them, ordered by name. */
const struct metric_preset *metric_preset_all(size_t *n);

/* NULL where there is none of this name. */
const struct metric_preset *metric_preset_find(const char *name);

#endif
