/* SPDX-License-Identifier: MIT */
/* Message bytes that a key determines. */
#include "payload.h"

#include "dice.h"

#include <string.h>

/* A message is a row of numbers drawn from the key, laid down in this machine's byte order. */
static uint64_t word_at(const struct payload *payload, size_t word)
{
	uint64_t x = dice_mix(payload->key + (uint64_t)word * 0x9e3779b97f4a7c15ULL);
	/* Each byte from ' ' to '_'. */
	return payload->text ? (x & 0x3f3f3f3f3f3f3f3fULL) + 0x2020202020202020ULL : x;
}

/* Copies at most 8 bytes of the message from `offset` on, to the end of their word; how many. */
static size_t step(const struct payload *payload, size_t offset, unsigned char out[8], size_t bytes)
{
	uint64_t word = word_at(payload, offset / 8);
	size_t skip = offset % 8;
	size_t n = bytes < 8 - skip ? bytes : 8 - skip;
	memcpy(out, (const unsigned char *)&word + skip, n);
	return n;
}

void payload_fill(const struct payload *payload, size_t offset, unsigned char *out, size_t bytes)
{
	while (bytes > 0) {
		unsigned char word[8];
		size_t n = step(payload, offset, word, bytes);
		memcpy(out, word, n);
		offset += n;
		out += n;
		bytes -= n;
	}
}

bool payload_matches(
	const struct payload *payload, size_t offset, const unsigned char *in, size_t bytes)
{
	while (bytes > 0) {
		unsigned char word[8];
		size_t n = step(payload, offset, word, bytes);
		/* The compiler makes one comparison of the common case. */
		if (n == 8 ? memcmp(in, word, 8) != 0 : memcmp(in, word, n) != 0)
			return false;
		offset += n;
		in += n;
		bytes -= n;
	}
	return true;
}
