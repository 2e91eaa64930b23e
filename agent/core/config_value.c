/* SPDX-License-Identifier: MIT */
/* Values by kind. */
#include "core/config_value.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "core/text.h"

enum { SHOWN = 64 }; /* bytes of a value in a message */

bool config_refuse(struct config_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return false;
}

/* Always returns false. The message begins with the value itself, then what is wrong with it. */
__attribute__((format(printf, 3, 4))) static bool refuse_value(
	struct config_why *why, const char *text, const char *format, ...)
{
	char shown[SHOWN];
	int n = snprintf(
		why->text, sizeof(why->text), "'%s' ", text_show(text, shown, sizeof(shown)));
	va_list args;

	va_start(args, format);
	vsnprintf(why->text + n, sizeof(why->text) - (size_t)n, format, args);
	va_end(args);
	return false;
}

static bool take_number(const struct config_setting *setting, const char *text, uint64_t *value,
	struct config_why *why)
{
	if (text_parse_u64(text, (uint64_t)setting->min, (uint64_t)setting->max, value))
		return true;
	return refuse_value(why, text,
		"is not allowed: use a whole number from %" PRId64 " to %" PRId64, setting->min,
		setting->max);
}

static bool take_unsigned(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	unsigned *number = out;
	uint64_t value;

	if (!take_number(setting, text, &value, why))
		return false;
	*number = (unsigned)value;
	return true;
}

static bool take_weight(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	int *weight = out;
	uint64_t value;

	if (!take_number(setting, text, &value, why))
		return false;
	*weight = (int)value;
	return true;
}

static bool take_port(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	uint16_t *port = out;
	uint64_t value;

	if (!take_number(setting, text, &value, why))
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool take_duration(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	int64_t *ms = out;
	int64_t value;
	uint64_t seconds;
	char min[24];
	char max[24];

	if (setting->bare_seconds && text_parse_u64(text, 0, INT64_MAX / 1000, &seconds))
		value = (int64_t)seconds * 1000;
	else if (!text_parse_duration(text, &value))
		return refuse_value(why, text,
			"is no duration: use a number with ms, s, m or h, such as %s",
			setting->fallback);
	if (value < setting->min || value > setting->max)
		return refuse_value(why, text, "is out of range: use %s to %s",
			text_format_duration(setting->min, min, sizeof(min)),
			text_format_duration(setting->max, max, sizeof(max)));
	*ms = value;
	return true;
}

static bool take_bool(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	bool *flag = out;

	(void)setting;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return refuse_value(why, text, "is not allowed: use true or false");
	*flag = text[0] == 't';
	return true;
}

static bool take_choice(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	const char *choice = setting->choices;
	size_t len = strlen(text);

	for (unsigned i = 0; *choice; i++) {
		size_t n = strcspn(choice, " ");

		if (n == len && memcmp(choice, text, n) == 0) {
			memcpy(out, &i, sizeof(i));
			return true;
		}
		choice += n;
		choice += *choice == ' ';
	}
	return refuse_value(why, text, "is not allowed: use one of: %s", setting->choices);
}

static bool set_string(char **out, const char *text, size_t len, struct config_why *why)
{
	*out = strndup(text, len);
	return *out || config_refuse(why, "out of memory");
}

static bool set_endpoint(
	struct config_endpoint *endpoint, const struct text_endpoint *found, struct config_why *why)
{
	endpoint->port = found->port;
	return set_string(&endpoint->host, found->host, found->host_len, why);
}

static bool take_listen(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	struct text_endpoint found;

	(void)setting;
	if (!text_parse_endpoint(text, &found))
		return refuse_value(why, text,
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
		return refuse_value(why, text,
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
		return refuse_value(why, text,
			"is no socket: use an absolute path, such as /run/haproxy/admin.sock, "
			"or host:port");
	}
	if (strlen(text) > path_max)
		return refuse_value(
			why, text, "is too long: a socket's path has at most %zu bytes", path_max);
	return set_string(&endpoint->path, text, strlen(text), why);
}

static bool take_file(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	if (!*text && !setting->fallback)
		return true;
	if (text[0] != '/')
		return refuse_value(why, text, "is not allowed: use an absolute path");
	return set_string(out, text, strlen(text), why);
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
		return refuse_value(why, text,
			"is no path of a URL: begin with / and escape what a URL cannot hold, "
			"such as %s",
			setting->fallback);
	return set_string(out, text, strlen(text), why);
}

static bool take_page(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	if (!is_url_path(text, "#?%"))
		return refuse_value(why, text,
			"is no path of a URL: begin with / and use letters, digits and -._/, "
			"such as %s",
			setting->fallback);
	return set_string(out, text, strlen(text), why);
}

static bool take_json_path(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	size_t len = strlen(text);

	if (len == 0 || text[0] == '.' || text[len - 1] == '.' || strstr(text, ".."))
		return refuse_value(why, text,
			"is no path into JSON: use names joined by dots, "
			"such as %s or stats.%s",
			setting->fallback, setting->fallback);
	return set_string(out, text, len, why);
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
		return refuse_value(why, text, "is no host name: use one such as pods.example.org");
	return set_string(out, text, strlen(text), why);
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
		return refuse_value(
			why, text, "is no name in HAProxy: use letters, digits and - _ . :");
	return set_string(out, text, len, why);
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
		return refuse_value(why, text,
			"is no server's URL: use https://HOST:PORT, such as https://10.96.0.1:443");
	return set_string(out, text, strlen(text), why);
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
		return refuse_value(
			why, text, "is no name in Kubernetes: use small letters, digits and -");
	return set_string(out, text, strlen(text), why);
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
		return refuse_value(why, text,
			"is no Service: use NAME or NAME:PORT, where PORT is the port's name or "
			"the "
			"number that the pods listen on");
	return set_string(out, text, strlen(text), why);
}

/* They go into a command to HAProxy, where ; and a new line begin another. */
static bool take_options(
	const struct config_setting *setting, const char *text, void *out, struct config_why *why)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-_.:,/@+=% ";

	(void)setting;
	if (strlen(text) > 1000 || strspn(text, allowed) != strlen(text))
		return refuse_value(why, text,
			"cannot stand in a command to HAProxy: use words of a server line, such as "
			"check inter 2s");
	return set_string(out, text, strlen(text), why);
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

KIND(unsigned, unsigned, NULL);
KIND(weight, int, NULL);
KIND(port, uint16_t, NULL);
KIND(duration, int64_t, NULL);
KIND(bool, bool, NULL);
KIND(choice, unsigned, NULL);
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
