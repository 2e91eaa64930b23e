/* SPDX-License-Identifier: MIT */
/* Message bytes that a key determines. */
#include "payload.h"

#include "dice.h"

/* Byte i is a byte of the i/8th number drawn from the key. */
static unsigned char byte_of(bool text, uint64_t word, size_t i)
{
	unsigned byte = (unsigned)(word >> (i % 8 * 8)) & 0xff;
	return (unsigned char)(text ? ' ' + (byte & 0x3f) : byte);
}

static uint64_t word_of(uint64_t key, size_t i)
{
	return dice_mix(key + (uint64_t)(i / 8) * 0x9e3779b97f4a7c15ULL);
}

void payload_fill(const struct payload *payload, size_t offset, unsigned char *out, size_t bytes)
{
	uint64_t word = word_of(payload->key, offset);
	for (size_t i = 0; i < bytes; i++) {
		if ((offset + i) % 8 == 0)
			word = word_of(payload->key, offset + i);
		out[i] = byte_of(payload->text, word, offset + i);
	}
}

bool payload_matches(
	const struct payload *payload, size_t offset, const unsigned char *in, size_t bytes)
{
	uint64_t word = word_of(payload->key, offset);
	for (size_t i = 0; i < bytes; i++) {
		if ((offset + i) % 8 == 0)
			word = word_of(payload->key, offset + i);
		if (in[i] != byte_of(payload->text, word, offset + i))
			return false;
	}
	return true;
}
