/* SPDX-License-Identifier: MIT */
/* Keeps libmicrohttpd's responses. */
#include "http/reportcache.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_TIMES = 20, KEPT_MAX_MS = 1000, SPENT_MAX_MS = 500 };

static void clear(struct reportcache_entry *entry)
{
	free(entry->key);
	if (entry->response)
		MHD_destroy_response(entry->response);
	*entry = (struct reportcache_entry){.key = NULL};
}

void reportcache_fini(struct reportcache *cache)
{
	for (size_t i = 0; i < REPORTCACHE_N; i++)
		clear(&cache->entries[i]);
}

struct MHD_Response *reportcache_get(
	const struct reportcache *cache, const char *key, int64_t now_ms)
{
	for (size_t i = 0; i < REPORTCACHE_N; i++) {
		const struct reportcache_entry *entry = &cache->entries[i];

		if (entry->key && now_ms < entry->until_ms && strcmp(entry->key, key) == 0)
			return entry->response;
	}
	return NULL;
}

bool reportcache_may_write(struct reportcache *cache, int64_t now_ms)
{
	if (now_ms - cache->second_ms >= 1000) {
		cache->second_ms = now_ms;
		cache->spent_ms = 0;
	}
	return cache->spent_ms < SPENT_MAX_MS;
}

/* The one that ends first, or has. */
static struct reportcache_entry *find_oldest(struct reportcache *cache)
{
	struct reportcache_entry *oldest = &cache->entries[0];

	for (size_t i = 1; i < REPORTCACHE_N; i++) {
		if (cache->entries[i].until_ms < oldest->until_ms)
			oldest = &cache->entries[i];
	}
	return oldest;
}

void reportcache_put(struct reportcache *cache, const char *key, struct MHD_Response *response,
	int64_t cost_ms, int64_t now_ms)
{
	int64_t kept_ms = KEPT_TIMES * cost_ms < KEPT_MAX_MS ? KEPT_TIMES * cost_ms : KEPT_MAX_MS;
	struct reportcache_entry *entry = find_oldest(cache);

	cache->spent_ms += cost_ms;
	if (kept_ms == 0) {
		MHD_destroy_response(response);
		return;
	}
	clear(entry);
	entry->key = strdup(key);
	entry->response = response;
	entry->until_ms = now_ms + kept_ms;
}
