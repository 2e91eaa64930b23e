/* SPDX-License-Identifier: MIT */
/* Reports that were written lately, so that many readers cost as much as one. */
#ifndef WSB_REPORTCACHE_H
#define WSB_REPORTCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Response;

enum { REPORTCACHE_N = 8, REPORTCACHE_KEY_MAX = 512 };

/*
 * A report is given out again for twenty times as long as it took to write, a second at most: small
 * ones are as fresh as ever, and all readers of one together take a twentieth of the loop. Those
 * who ask for ever different ones share half of each second. Zeroed memory is empty.
 */
struct reportcache {
	struct reportcache_entry {
		char *key;
		struct MHD_Response *response;
		int64_t until_ms;
	} entries[REPORTCACHE_N];
	int64_t second_ms; /* when the second began in which so much was spent: */
	int64_t spent_ms;
};

void reportcache_fini(struct reportcache *cache);

/* The report of this key, which stays the cache's; NULL: it must be written. */
struct MHD_Response *reportcache_get(
	const struct reportcache *cache, const char *key, int64_t now_ms);

/* Whether another may be written in this second. */
bool reportcache_may_write(struct reportcache *cache, int64_t now_ms);

/* Takes over a report that has cost so much processor and is done now. */
void reportcache_put(struct reportcache *cache, const char *key, struct MHD_Response *response,
	int64_t cost_ms, int64_t now_ms);

#endif
