/* SPDX-License-Identifier: MIT */
/* The ports that a Service has of its own, which are not its pods' and stand in no EndpointSlice.
 */
#ifndef WSB_OWNPORTS_H
#define WSB_OWNPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/why.h"

enum { OWNPORTS_MAX = 100 };

struct ownport {
	uint16_t number;
	char name[16]; /* a DNS label of at most 15 letters; "": it has none */
};

/* Zeroed memory is none. */
struct ownports {
	struct ownport list[OWNPORTS_MAX];
	size_t n;
};

/* Reads a Service (k8s.io/api, core/v1/types.go). False, with *why set and *out untouched, when it
 * is no JSON or memory is short; what is not as it should be is left out. */
bool ownports_read(const char *bytes, size_t len, struct ownports *out, struct why *why);

/* The port of this number, as it is written; NULL: there is none. */
const struct ownport *ownports_find(const struct ownports *ports, const char *number);

#endif
