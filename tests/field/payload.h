/* SPDX-License-Identifier: MIT */
/* Message bytes that a key determines: the echo is checked in any pieces with no copy kept, and the
 * echo of another message never passes. */
#ifndef FIELD_PAYLOAD_H
#define FIELD_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct payload {
	uint64_t key;
	bool text; /* printable ASCII only */
};

/* The `bytes` bytes of the message from `offset` on. */
void payload_fill(const struct payload *payload, size_t offset, unsigned char *out, size_t bytes);

/* Whether these are the message's bytes from `offset` on. */
bool payload_matches(
	const struct payload *payload, size_t offset, const unsigned char *in, size_t bytes);

#endif
