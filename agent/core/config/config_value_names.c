/* SPDX-License-Identifier: MIT */
/* Values that are names in HAProxy or in Kubernetes. */
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/config_value.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* What HAProxy takes as a name (its configuration manual, 4: "Proxies"). Nothing else could be put
 * into one of its commands either. */
static bool parse_name(const struct config_key *row, const char *text, void *out, struct why *why)
{
	size_t len = strlen(text);

	(void)row;
	if (len == 0 || len > 255 || strspn(text, LETTERS DIGITS "-_.:") != len)
		return config_value_invalid(
			why, "HAProxy name", text, "use letters, digits and - _ . :");
	return config_value_copy(out, text, len, why);
}

static bool parse_pattern(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	size_t len = strlen(text);

	(void)row;
	if (len == 0 || len > 255 || strspn(text, LETTERS DIGITS "-_.:*") != len)
		return config_value_invalid(
			why, "backend", text, "use a backend's name, or a pattern such as web-*");
	return config_value_copy(out, text, len, why);
}

/* They go into a command to HAProxy, where ; and a new line begin another. */
static bool parse_options(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	size_t len = strlen(text);

	(void)row;
	if (len > 1000 || strspn(text, LETTERS DIGITS "-_.:,/@+=% ") != len)
		return config_value_invalid(why, "server options", text,
			"use words of a server line in haproxy.cfg, such as check inter 2s");
	return config_value_copy(out, text, len, why);
}

/* RFC 1123, as Kubernetes asks of the names of Services and namespaces. */
static bool is_label(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz" DIGITS "-";

	return len > 0 && len <= 63 && strspn(text, allowed) >= len && text[0] != '-' &&
	       text[len - 1] != '-';
}

static bool parse_label(const struct config_key *row, const char *text, void *out, struct why *why)
{
	(void)row;
	if (!is_label(text, strlen(text)))
		return config_value_invalid(why, "Kubernetes name", text,
			"use lowercase letters, digits and - (not first or last)");
	return config_value_copy(out, text, strlen(text), why);
}

/* A port's name, or the number that pods listen on. */
static bool is_service_port(const char *text)
{
	uint64_t number;

	return strspn(text, DIGITS) == strlen(text) ? text_parse_u64(text, 1, UINT16_MAX, &number)
						    : is_label(text, strlen(text));
}

static bool parse_service(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	struct config_kubernetes_service service = {.name = NULL};
	size_t len = strcspn(text, ":");
	const char *port = text[len] == ':' ? text + len + 1 : NULL;

	(void)row;
	if (!is_label(text, len) || (port && !is_service_port(port))) {
		return config_value_invalid(why, "Service", text,
			"use NAME or NAME:PORT, where PORT is the port's name or the number that "
			"the pods listen on");
	}
	if (!config_value_copy(&service.name, text, len, why))
		return false;
	if (port && !config_value_copy(&service.port, port, strlen(port), why)) {
		free(service.name);
		return false;
	}
	memcpy(out, &service, sizeof(service));
	return true;
}

static void release_service(void *out)
{
	struct config_kubernetes_service *service = out;

	free(service->name);
	free(service->port);
	*service = (struct config_kubernetes_service){0};
}

CONFIG_KIND(pattern, char *, config_value_release_string);
CONFIG_KIND(name, char *, config_value_release_string);
CONFIG_KIND(options, char *, config_value_release_string);
CONFIG_KIND(label, char *, config_value_release_string);
CONFIG_KIND(service, struct config_kubernetes_service, release_service);
