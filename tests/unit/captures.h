/* SPDX-License-Identifier: MIT */
/* Answers of HAProxy's, captured from three versions: see tests/data/haproxy/capture.cfg. */
#ifndef WSB_TEST_CAPTURES_H
#define WSB_TEST_CAPTURES_H

#include <stdio.h>

#include "data.h"

static const char *const versions[] = {"2.6", "3.0", "3.2"};
enum { N_VERSIONS = 3 };

/* To be freed, as data_read() has it. */
static inline char *read_capture(int version, const char *name, size_t *len)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/data/haproxy/%s-%s.txt", versions[version], name);
	return data_read(path, len);
}

#endif
