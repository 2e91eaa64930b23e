/* SPDX-License-Identifier: MIT */
#include "core/config/config_unknown.h"

#include <string.h>
#include <strings.h>

#include "core/base/nearest.h"
#include "core/config/config_keys.h"

enum { FEW_KEYS = 8 }; /* more are not listed in a message */

/* Keys that people bring along from elsewhere, and what to do instead. */
static const struct {
	const char *key;
	const char *advice;
} foreign_keys[] = {
	{"enableIPScanning", "not needed: HAProxy knows the servers"},
	{"traefikProviderNamespace", "not needed: HAProxy knows the servers"},
	{"discoveryTimeout", "use pollTimeout, such as 500ms"},
};

static const char *foreign_advice(const struct config_node *node)
{
	for (size_t i = 0; i < sizeof(foreign_keys) / sizeof(foreign_keys[0]); i++) {
		if (!node->up->up && strcmp(foreign_keys[i].key, node->key) == 0)
			return foreign_keys[i].advice;
	}
	return NULL;
}

/* Looks in the mappings below the root for a key that was written one level too high, or too low.
 */
static const struct config_key *find_elsewhere(const char *key, const char **mapping)
{
	for (size_t i = 0; i < config_keys.n_keys; i++) {
		const struct config_mapping *below = config_keys.keys[i].mapping;

		for (size_t j = 0; below && j < below->n_keys; j++) {
			if (strcasecmp(below->keys[j].key, key) != 0)
				continue;
			*mapping = config_keys.keys[i].key;
			return &below->keys[j];
		}
	}
	return NULL;
}

/* Nothing is near. */
static void list_keys(const struct config_mapping *mapping, struct why *why)
{
	const char *last = "";

	if (mapping->n_keys > FEW_KEYS) {
		why_set(why, ": see wsbalancer.yaml(5)");
		return;
	}
	why_set(why, ": expected %s", mapping->n_keys > 1 ? "one of " : "");
	for (size_t i = 0; i < mapping->n_keys; i++) {
		const char *key = mapping->keys[i].key;

		if (strcmp(key, last) != 0)
			why_append(why, "%s%s", i > 0 ? ", " : "", key);
		last = key;
	}
}

void config_unknown_advise(
	const struct config_mapping *mapping, const struct config_node *node, struct why *why)
{
	const char *advice = foreign_advice(node);
	const char *above = NULL;
	const struct config_key *elsewhere = find_elsewhere(node->key, &above);
	struct nearest nearest;

	nearest_init(&nearest, node->key);
	for (size_t i = 0; i < mapping->n_keys; i++)
		nearest_offer(&nearest, mapping->keys[i].key);
	if (advice)
		why_set(why, ": %s", advice);
	else if (nearest.best && (nearest.distance == 0 || !elsewhere))
		why_set(why, ": did you mean %s?", nearest.best);
	else if (elsewhere)
		why_set(why, " here: did you mean %s.%s?", above, elsewhere->key);
	else
		list_keys(mapping, why);
}
