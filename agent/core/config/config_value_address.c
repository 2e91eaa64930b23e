/* SPDX-License-Identifier: MIT */
/* Values that say where to listen or connect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "core/base/text.h"
#include "core/config/config_value.h"

static bool set_endpoint(
	struct config_endpoint *endpoint, const struct text_endpoint *found, struct why *why)
{
	endpoint->port = found->port;
	return config_value_copy(&endpoint->host, found->host, found->host_len, why);
}

static bool parse_listen(const struct config_key *row, const char *text, void *out, struct why *why)
{
	struct text_endpoint found;

	(void)row;
	if (!text_parse_endpoint(text, &found))
		return config_value_invalid(why, "listen address", text,
			"use address:port, such as 127.0.0.1:9180, [::1]:9180 or *:9180");
	return set_endpoint(out, &found, why);
}

static bool parse_connect(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	struct text_endpoint found;

	(void)row;
	if (!text_parse_endpoint(text, &found) || found.host[0] == '*')
		return config_value_invalid(why, "address", text,
			"use host:port, such as 10.0.0.1:8080 or [fd00::1]:8080");
	return set_endpoint(out, &found, why);
}

/* What stands behind one of the prefixes that HAProxy has for addresses, or ""; the rest needs none
 * here. */
static const char *behind_prefix(const char *text)
{
	static const char *const prefixes[] = {"unix@", "unix://", "unix:", "uxst@", "ipv4@",
		"ipv6@", "tcp@", "tcp4@", "tcp6@", "tcp://"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			return text + strlen(prefixes[i]);
	}
	return "";
}

static bool parse_socket(const struct config_key *row, const char *text, void *out, struct why *why)
{
	struct config_endpoint *endpoint = out;
	const size_t path_max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	const char *plain = behind_prefix(text);
	struct text_endpoint found;

	(void)row;
	if (*plain) {
		return config_value_invalid(
			why, "socket", text, "write %s, without HAProxy's prefix", plain);
	}
	if (text[0] != '/') {
		if (text_parse_endpoint(text, &found) && found.host[0] != '*')
			return set_endpoint(endpoint, &found, why);
		return config_value_invalid(why, "socket", text,
			"use an absolute path, such as /run/haproxy/admin.sock, or host:port");
	}
	if (strlen(text) > path_max)
		return config_value_invalid(why, "socket", text,
			"the path of a Unix socket has at most %zu bytes", path_max);
	return config_value_copy(&endpoint->path, text, strlen(text), why);
}

static bool parse_host(const struct config_key *row, const char *text, void *out, struct why *why)
{
	struct text_endpoint found;
	char probe[260];

	if (!*text && !row->fallback)
		return true;
	/* With a port behind it, a host is an endpoint. */
	if (strlen(text) > 253 || strchr(text, '*') || strchr(text, ':') ||
		snprintf(probe, sizeof(probe), "%s:1", text) < 0 ||
		!text_parse_endpoint(probe, &found))
		return config_value_invalid(
			why, "host name", text, "use one such as pods.example.org");
	return config_value_copy(out, text, strlen(text), why);
}

static bool parse_url(const struct config_key *row, const char *text, void *out, struct why *why)
{
	struct text_endpoint found;
	const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
			   : strncmp(text, "http://", 7) == 0 ? text + 7
							      : "";

	(void)row;
	if (!*text)
		return true;
	if (!text_parse_endpoint(host, &found) || *host == ':' || *host == '*' ||
		strpbrk(host, "/?#@\\ "))
		return config_value_invalid(why, "server URL", text,
			"use https://HOST:PORT, such as https://10.96.0.1:443");
	return config_value_copy(out, text, strlen(text), why);
}

static bool parse_link(const struct config_key *row, const char *text, void *out, struct why *why)
{
	const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
			   : strncmp(text, "http://", 7) == 0 ? text + 7
							      : "";

	(void)row;
	if (strcspn(host, "/?#@") == 0 || strcspn(host, "@") < strcspn(host, "/"))
		host = "";
	for (const char *c = host; *c; c++) {
		if (*c <= ' ' || *c == 0x7f || *c == '\\')
			host = "";
	}
	if (!*host)
		return config_value_invalid(why, "link", text,
			"use the address of a page, such as http://10.0.0.2:9180/balancer-metrics");
	return config_value_copy(out, text, strlen(text), why);
}

static void release_endpoint(void *out)
{
	struct config_endpoint *endpoint = out;

	free(endpoint->path);
	free(endpoint->host);
	*endpoint = (struct config_endpoint){0};
}

CONFIG_KIND(listen, struct config_endpoint, release_endpoint);
CONFIG_KIND(connect, struct config_endpoint, release_endpoint);
CONFIG_KIND(socket, struct config_endpoint, release_endpoint);
CONFIG_KIND(host, char *, config_value_release_string);
CONFIG_KIND(link, char *, config_value_release_string);
CONFIG_KIND(url, char *, config_value_release_string);
