/* SPDX-License-Identifier: MIT */
/* Values that are paths and parts of a request. */
#include <string.h>
#include <strings.h>

#include "core/base/text.h"
#include "core/config/config_value.h"
#include "core/metric/metric_preset.h"

static bool parse_file(const struct config_key *row, const char *text, void *out, struct why *why)
{
	if (!*text && !row->fallback && !row->required)
		return true;
	if (text[0] != '/')
		return config_value_invalid(why, "path", text, "use an absolute path");
	return config_value_copy(out, text, strlen(text), why);
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

static bool parse_target(const struct config_key *row, const char *text, void *out, struct why *why)
{
	if (!is_url_path(text, "#")) {
		return config_value_invalid(why, "URL path", text,
			"begin with / and percent-encode what a URL cannot hold, such as %s",
			row->example);
	}
	return config_value_copy(out, text, strlen(text), why);
}

static bool parse_page(const struct config_key *row, const char *text, void *out, struct why *why)
{
	if (!is_url_path(text, "#?%"))
		return config_value_invalid(why, "URL path", text,
			"begin with / and use letters, digits and -._/, such as %s", row->fallback);
	return config_value_copy(out, text, strlen(text), why);
}

static bool parse_metric_key(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	(void)row;
	return config_value_copy(out, text, strlen(text), why);
}

static bool parse_preset(const struct config_key *row, const char *text, void *out, struct why *why)
{
	struct why names;
	size_t n;
	const struct metric_preset *presets = metric_preset_all(&n);

	(void)row;
	if (!*text)
		return true;
	if (metric_preset_find(text))
		return config_value_copy(out, text, strlen(text), why);
	why_set(&names, "%s", "");
	for (size_t i = 0; i < n; i++) {
		why_append(&names, "%s%s",
			i == 0       ? ""
			: i + 1 == n ? " or "
				     : ", ",
			presets[i].name);
	}
	return config_value_invalid(why, "preset", text, "use %s", names.text);
}

static bool parse_header_name(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	/* libcurl writes these itself; a second one would break the request. */
	static const char *const own[] = {"Connection", "Content-Length", "Transfer-Encoding"};

	(void)row;
	if (!text_is_token(text))
		return config_value_invalid(why, "header name", text, "use letters, digits and -");
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcasecmp(text, own[i]) == 0)
			return why_set(why, "not allowed: the agent sets this header itself");
	}
	return config_value_copy(out, text, strlen(text), why);
}

/* It may be a secret, so no message shows it. */
static bool parse_header_value(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	(void)row;
	if (!*text)
		return why_set(why, "no value: set one, or remove the header");
	if (!text_is_header_value(text))
		return why_set(
			why, "invalid header value: blanks at its beginning or end do not arrive");
	return config_value_copy(out, text, strlen(text), why);
}

static bool parse_traefik_url(
	const struct config_key *row, const char *text, void *out, struct why *why)
{
	(void)row;
	(void)text;
	(void)out;
	return why_set(why,
		"the Traefik plugin's list of URLs has no use here: remove services and set "
		"haproxy.socket to HAProxy's stats socket, which lists the servers");
}

CONFIG_KIND(file, char *, config_value_release_string);
CONFIG_KIND(target, char *, config_value_release_string);
CONFIG_KIND(page, char *, config_value_release_string);
CONFIG_KIND(metric_key, char *, config_value_release_string);
CONFIG_KIND(preset, char *, config_value_release_string);
CONFIG_KIND(header_name, char *, config_value_release_string);
CONFIG_KIND(header_value, char *, config_value_release_string);
const struct config_kind config_kind_traefik_url = {.parse = parse_traefik_url};
