/* SPDX-License-Identifier: MIT */
/* Values that are texts and addresses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "core/base/text.h"
#include "core/config/config_value.h"

static bool set_endpoint(
	struct config_endpoint *endpoint, const struct text_endpoint *found, struct config_why *why)
{
	endpoint->port = found->port;
	return config_set_string(&endpoint->host, found->host, found->host_len, why);
}

static bool take_listen(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	struct text_endpoint found;

	(void)setting;
	if (!text_parse_endpoint(text, &found))
		return config_refuse_value(why, text,
			"is no address to listen on: use address:port, such as "
			"127.0.0.1:9180, [::1]:9180 or *:9180");
	return set_endpoint(out, &found, why);
}

static bool take_connect(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	struct text_endpoint found;

	(void)setting;
	if (!text_parse_endpoint(text, &found) || found.host[0] == '*')
		return config_refuse_value(why, text,
			"is no address: use host:port, such as 10.0.0.1:8080 or [fd00::1]:8080");
	return set_endpoint(out, &found, why);
}

static bool take_socket(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	struct config_endpoint *endpoint = out;
	const size_t path_max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	struct text_endpoint found;

	(void)setting;
	if (text[0] != '/') {
		if (text_parse_endpoint(text, &found) && found.host[0] != '*')
			return set_endpoint(endpoint, &found, why);
		return config_refuse_value(why, text,
			"is no socket: use an absolute path, such as /run/haproxy/admin.sock, "
			"or host:port");
	}
	if (strlen(text) > path_max)
		return config_refuse_value(
			why, text, "is too long: a socket's path has at most %zu bytes", path_max);
	return config_set_string(&endpoint->path, text, strlen(text), why);
}

static bool take_file(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	if (!*text && !setting->fallback)
		return true;
	if (text[0] != '/')
		return config_refuse_value(why, text, "is not allowed: use an absolute path");
	return config_set_string(out, text, strlen(text), why);
}

/* Begins with / and holds what may stand in a request line, but none of refused. */
static bool is_url_path(const char *text, const char *refused)
{
	if (text[0] != '/')
		return false;
	for (; *text; text++) {
		if (*text <= ' ' || *text >= 0x7f || strchr("\"<>\\^`{|}", *text) ||
			strchr(refused, *text))
			return false;
	}
	return true;
}

static bool take_target(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	if (!is_url_path(text, "#"))
		return config_refuse_value(why, text,
			"is no path of a URL: begin with / and escape what a URL cannot hold, "
			"such as %s",
			setting->fallback);
	return config_set_string(out, text, strlen(text), why);
}

static bool take_page(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	if (!is_url_path(text, "#?%"))
		return config_refuse_value(why, text,
			"is no path of a URL: begin with / and use letters, digits and -._/, "
			"such as %s",
			setting->fallback);
	return config_set_string(out, text, strlen(text), why);
}

static bool take_json_path(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	size_t len = strlen(text);

	if (len == 0 || text[0] == '.' || text[len - 1] == '.' || strstr(text, ".."))
		return config_refuse_value(why, text,
			"is no path into JSON: use names joined by dots, "
			"such as %s or stats.%s",
			setting->fallback, setting->fallback);
	return config_set_string(out, text, len, why);
}

static bool take_host(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	struct text_endpoint found;
	char probe[260];

	if (!*text && !setting->fallback)
		return true;
	/* With a port behind it, a host is an endpoint. */
	if (strlen(text) > 253 || strchr(text, '*') || strchr(text, ':') ||
		snprintf(probe, sizeof(probe), "%s:1", text) < 0 ||
		!text_parse_endpoint(probe, &found))
		return config_refuse_value(
			why, text, "is no host name: use one such as pods.example.org");
	return config_set_string(out, text, strlen(text), why);
}

/* What HAProxy takes as a name (its configuration manual, 4: "Proxies"). Nothing else could be put
 * into one of its commands either. */
static bool take_name(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.:";
	size_t len = strlen(text);

	(void)setting;
	if (len == 0 || len > 255 || strspn(text, allowed) != len)
		return config_refuse_value(
			why, text, "is no name in HAProxy: use letters, digits and - _ . :");
	return config_set_string(out, text, len, why);
}

static bool take_url(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	struct text_endpoint found;
	const char *host = strncmp(text, "https://", 8) == 0  ? text + 8
			   : strncmp(text, "http://", 7) == 0 ? text + 7
							      : "";

	(void)setting;
	if (!*text)
		return true;
	if (!text_parse_endpoint(host, &found) || *host == ':' || *host == '*' ||
		strpbrk(host, "/?#@\\ "))
		return config_refuse_value(why, text,
			"is no server's URL: use https://HOST:PORT, such as https://10.96.0.1:443");
	return config_set_string(out, text, strlen(text), why);
}

/* RFC 1123, as Kubernetes asks of the names of Services and namespaces. */
static bool is_label(const char *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	return len > 0 && len <= 63 && strspn(text, allowed) >= len && text[0] != '-' &&
	       text[len - 1] != '-';
}

static bool take_label(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	(void)setting;
	if (!is_label(text, strlen(text)))
		return config_refuse_value(
			why, text, "is no name in Kubernetes: use small letters, digits and -");
	return config_set_string(out, text, strlen(text), why);
}

static bool take_service(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	size_t len = strcspn(text, ":");
	const char *port = text[len] == ':' ? text + len + 1 : "1";
	uint64_t number;

	(void)setting;
	bool digits = strspn(port, "0123456789") == strlen(port);
	bool fits = digits ? text_parse_u64(port, 1, UINT16_MAX, &number)
			   : is_label(port, strlen(port));
	if (!is_label(text, len) || !fits)
		return config_refuse_value(why, text,
			"is no Service: use NAME or NAME:PORT, where PORT is the port's name or "
			"the "
			"number that the pods listen on");
	return config_set_string(out, text, strlen(text), why);
}

/* They go into a command to HAProxy, where ; and a new line begin another. */
static bool take_options(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.:,/@+=% ";

	(void)setting;
	if (strlen(text) > 1000 || strspn(text, allowed) != strlen(text))
		return config_refuse_value(why, text,
			"cannot stand in a command to HAProxy: use words of a server line, such as "
			"check inter 2s");
	return config_set_string(out, text, strlen(text), why);
}

static void release_string(void *out)
{
	char **string = out;

	free(*string);
	*string = NULL;
}

static void release_endpoint(void *out)
{
	struct config_endpoint *endpoint = out;

	free(endpoint->path);
	free(endpoint->host);
	*endpoint = (struct config_endpoint){0};
}

#define KIND(name, type, release_)                      \
	const struct config_kind config_kind_##name = { \
		.size = sizeof(type), .take = take_##name, .release = (release_)}

KIND(listen, struct config_endpoint, release_endpoint);
KIND(connect, struct config_endpoint, release_endpoint);
KIND(socket, struct config_endpoint, release_endpoint);
KIND(file, char *, release_string);
KIND(target, char *, release_string);
KIND(page, char *, release_string);
KIND(json_path, char *, release_string);
KIND(host, char *, release_string);
KIND(url, char *, release_string);
KIND(label, char *, release_string);
KIND(service, char *, release_string);
KIND(options, char *, release_string);
KIND(name, char *, release_string);
