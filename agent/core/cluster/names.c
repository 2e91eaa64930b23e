/* SPDX-License-Identifier: MIT */
#include "core/cluster/names.h"

#include <json-c/linkhash.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 }; /* the table grows by itself */

struct names {
	struct lh_table *claims; /* by name, which is the claim's own */
};

struct names *names_new(void)
{
	struct names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->claims = lh_kchar_table_new(FIRST_SIZE, NULL);
	if (!names->claims) {
		free(names);
		return NULL;
	}
	return names;
}

void names_release(struct names *names, struct names_claim *claim)
{
	if (!claim->name)
		return;
	lh_table_delete(names->claims, claim->name);
	free(claim->name);
	claim->name = NULL;
}

void names_free(struct names *names)
{
	struct lh_entry *entry;
	struct lh_entry *next;

	if (!names)
		return;
	lh_foreach_safe(names->claims, entry, next)
	{
		names_release(names, lh_entry_v(entry));
	}
	lh_table_free(names->claims);
	free(names);
}

static bool holds(const struct names_claim *claim, bool given, int64_t now_ms)
{
	return claim->given || (!given && now_ms - claim->said_ms <= NAMES_HELD_MS);
}

static bool insert(struct names *names, struct names_claim *claim, const char *name)
{
	claim->name = strdup(name);
	if (!claim->name)
		return false;
	if (lh_table_insert(names->claims, claim->name, claim) == 0)
		return true;
	free(claim->name);
	claim->name = NULL;
	return false;
}

void names_claim(struct names *names, struct names_claim *claim, const char *name, bool given,
	int64_t now_ms)
{
	void *found = NULL;

	if (!claim->name || strcmp(claim->name, name) != 0) {
		names_release(names, claim);
		lh_table_lookup_ex(names->claims, name, &found);
		if (found && holds(found, given, now_ms)) {
			struct names_claim *holder = found;

			claim->refused = strcmp(holder->where, claim->where) != 0;
			return;
		}
		if (found) {
			names_release(names, found);
			((struct names_claim *)found)->refused = true;
		}
		claim->refused = !insert(names, claim, name);
	}
	claim->said_ms = now_ms;
	claim->given = given;
}
