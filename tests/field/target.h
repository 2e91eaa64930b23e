/* SPDX-License-Identifier: MIT */
/* Where wsload connects to. */
#ifndef FIELD_TARGET_H
#define FIELD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TARGET_ADDRESSES = 16 }; /* tried of one name */

/* Numeric. */
struct target_address {
	char text[64];
};

struct target {
	const char *url;  /* as given */
	const char *path; /* with its query; points into url, or is "/" */
	char *authority;  /* owned: HOST or HOST:PORT, for the Host header */
	/* Looked up once, not for every connection; owned. */
	struct target_address *addresses;
	size_t n_addresses;
	size_t good; /* the one that answered last; attempts begin with it */
	int port;
	bool tls;
	uint64_t opened, failed, dropped;
};

/* Reads ws://HOST[:PORT][/PATH] or wss://..., and looks HOST up. On false *why says what is wrong
 * and nothing is left to free. `url` must outlive the target. */
bool target_init(struct target *target, const char *url, const char **why);

void target_fini(struct target *target);

#endif
