/* SPDX-License-Identifier: MIT */
#include "core/haproxy/complaint.h"

#include <stdbool.h>
#include <string.h>

/* The texts are those of HAProxy's server.c and server_state.c, the same from 2.6 to 3.5. */
static bool is_complaint(const char *line, size_t len)
{
	static const char *const fine[] = {
		"IP changed from ",
		"no need to change the addr",
		"nothing changed", /* 3.0 and later: the address is what it is to be */
		"port changed from ",
		"New server registered.",
		"Server deleted.",
		/* Tried again with the next plan. */
		"Server still has connections attached to it",
	};

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		if (len >= strlen(fine[i]) && strncmp(line, fine[i], strlen(fine[i])) == 0)
			return false;
	}
	return len > 0;
}

size_t complaint_find(const char *reply, size_t len, char *complaint, size_t size)
{
	size_t n = 0;

	for (size_t start = 0; start < len;) {
		const char *line = reply + start;
		const char *end = memchr(line, '\n', len - start);
		size_t line_len = end ? (size_t)(end - line) : len - start;

		if (is_complaint(line, line_len) && n++ == 0 && size > 0) {
			size_t kept = line_len < size ? line_len : size - 1;

			memcpy(complaint, line, kept);
			complaint[kept] = '\0';
		}
		start += line_len + 1;
	}
	return n;
}
