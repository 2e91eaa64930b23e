/* SPDX-License-Identifier: MIT */
/* Where wsload connects to. */
#ifndef FIELD_TARGET_H
#define FIELD_TARGET_H

#include <stdbool.h>
#include <stdint.h>

struct target {
	const char *url;  /* as given */
	const char *path; /* with its query; points into url, or is "/" */
	char *authority;  /* owned: HOST or HOST:PORT, for the Host header */
	char address[64]; /* numeric: looked up once, not for every connection */
	int port;
	bool tls;
	uint64_t opened, failed, dropped;
};

/* Reads ws://HOST[:PORT][/PATH] or wss://..., and looks HOST up. On false *why says what is wrong
 * and nothing is left to free. `url` must outlive the target. */
bool target_init(struct target *target, const char *url, const char **why);

void target_fini(struct target *target);

#endif
