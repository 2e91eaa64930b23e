/* SPDX-License-Identifier: MIT */
#include "core/hints.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/nearest.h"
#include "core/base/text.h"
#include "core/settings.h"

enum { PATH_MAX_SHOWN = 120 };

struct speaker {
	hints_say say;
	void *arg;
};

__attribute__((format(printf, 2, 3))) static void tell(
	const struct speaker *speaker, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	speaker->say(text, speaker->arg);
}

/* ---- paths ---- */

/* The same path with dots, where it is a JSONPath ($.a.b), a JSON pointer (/a/b) or has the arrows
 * of databases (a->b, a->>'b'); false where it is none of these. */
static bool translate(const char *path, char *buf, size_t size)
{
	bool pointer = path[0] == '/';
	size_t len = 0;

	if (!pointer && strncmp(path, "$.", 2) != 0 && !strstr(path, "->"))
		return false;
	path += pointer ? 1 : strncmp(path, "$.", 2) == 0 ? 2 : 0;
	while (*path && len + 1 < size) {
		if (strncmp(path, "->", 2) == 0) {
			path += 2;
			path += *path == '>';
			buf[len++] = '.';
		} else if (*path == '\'') {
			path++;
		} else {
			buf[len++] = pointer && *path == '/' ? '.' : *path;
			path++;
		}
	}
	buf[len] = '\0';
	return true;
}

void hints_paths(const struct config *config, hints_say say, void *arg)
{
	const struct speaker speaker = {.say = say, .arg = arg};
	const char *before[3] = {NULL, NULL, NULL};

	for (unsigned i = 0; i < settings_n_sources(config); i++) {
		const struct config_metric *metric = settings_metric(config, i);
		const char *const keys[] = {
			metric->key, metric->draining_key, metric->capacity_key};
		static const char *const names[] = {"metricKey", "drainingKey", "capacityKey"};

		if (metric->query.format != METRIC_JSON)
			continue;
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			char dotted[PATH_MAX_SHOWN];

			if (keys[k] && !text_is_same(keys[k], before[k]) &&
				translate(keys[k], dotted, sizeof(dotted)))
				tell(&speaker,
					"%s: '%s' is taken to the letter: for a path, write %s",
					names[k], keys[k], dotted);
			before[k] = keys[k];
		}
	}
}

/* ---- backends ---- */

static void check_backend(const struct speaker *speaker, const struct hastate_snapshot *snapshot,
	const char *key, const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t i = 0; i < snapshot->n_backends; i++) {
		if (text_matches(name, snapshot->backends[i].name))
			return;
		nearest_offer(&nearest, snapshot->backends[i].name);
	}
	if (nearest.best) {
		tell(speaker, "%s: HAProxy has no backend %s: did you mean %s?", key, name,
			nearest.best);
	} else {
		tell(speaker,
			"%s: HAProxy has no backend %s: is it in haproxy.cfg, and HAProxy reloaded?",
			key, name);
	}
}

void hints_backends(const struct config *config, const struct hastate_snapshot *snapshot,
	hints_say say, void *arg)
{
	const struct speaker speaker = {.say = say, .arg = arg};

	for (size_t i = 0; i < config->n_backends; i++)
		check_backend(&speaker, snapshot, "haproxy.backends", config->backends[i].name);
	for (size_t i = 0; i < config->n_kubernetes; i++)
		check_backend(
			&speaker, snapshot, "kubernetes.backend", config->kubernetes[i].backend);
}
