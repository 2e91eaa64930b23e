/* SPDX-License-Identifier: MIT */
/* Keeps header lists current. */
#include "pods/podheaders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/text.h"
#include "io/log.h"
#include "io/textfile.h"
#include "io/watchedfile.h"

enum {
	VALUE_MAX = 16 * 1024, /* bytes of a value from a file */
	LOOK_MS = 1000,
};

/* A list that requests under way may still use. */
struct version {
	struct version *next;
	struct curl_slist *list;
	unsigned users;
};

/* A file whose first line is a header's value. */
struct file_value {
	struct watchedfile file;
	struct log_repeat failed;
};

struct podheaders {
	const struct config_header *config;
	size_t n;
	const char *accept;       /* NULL: the configuration has a header of its own for it */
	struct file_value *files; /* one for each header */
	struct version *versions; /* the current one first */
	int64_t looked_ms;
};

/* The first line, when it can be a header's value. */
static char *read_value(const char *path, struct why *why)
{
	char *line = textfile_read(path, why);

	if (!line)
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] != '\0' && strlen(line) <= VALUE_MAX && text_is_header_value(line))
		return line;
	why_set(why, "the first line is empty or not a header value");
	free(line);
	return NULL;
}

bool podheaders_check_file(const char *path, struct why *why)
{
	char *value = read_value(path, why);

	if (!value)
		return why_prepend(why, "%s: ", path);
	free(value);
	return true;
}

/* Reads a file again if it changed. True when there is a new value. */
static bool look(struct file_value *value)
{
	struct why why;

	if (watchedfile_look(&value->file) == WATCHEDFILE_SAME)
		return false;
	if (watchedfile_read(&value->file, read_value, &why)) {
		log_repeat_end(&value->failed);
		return true;
	}
	if (log_repeat(&value->failed))
		log_warn("a header's file cannot be read", log_str("file", value->file.path),
			log_str("error", why.text), log_int("times", (int64_t)value->failed.times));
	return false;
}

static bool append(struct curl_slist **list, const char *name, const char *value)
{
	char *header = NULL;
	struct curl_slist *grown;

	/* A header without a value is written with a semicolon (CURLOPT_HTTPHEADER). */
	if (asprintf(&header, "%s%s%s", name, *value ? ": " : ";", value) < 0)
		return false;
	grown = curl_slist_append(*list, header);
	free(header);
	if (!grown)
		return false;
	*list = grown;
	return true;
}

/* Puts a fresh list in front. False when out of memory: the old one stays. */
static bool rebuild(struct podheaders *headers)
{
	struct version *version = calloc(1, sizeof(*version));
	bool ok =
		version && (!headers->accept || append(&version->list, "Accept", headers->accept));

	for (size_t i = 0; ok && i < headers->n; i++) {
		const char *value = headers->config[i].file ? headers->files[i].file.text
							    : headers->config[i].value;

		if (value)
			ok = append(&version->list, headers->config[i].name, value);
	}
	if (!ok) {
		if (version)
			curl_slist_free_all(version->list);
		free(version);
		return false;
	}
	version->next = headers->versions;
	headers->versions = version;
	return true;
}

/* Frees old versions that nobody uses. */
static void prune(struct podheaders *headers)
{
	struct version *kept = headers->versions;

	while (kept && kept->next) {
		struct version *old = kept->next;

		if (old->users > 0) {
			kept = old;
			continue;
		}
		kept->next = old->next;
		curl_slist_free_all(old->list);
		free(old);
	}
}

static void refresh(struct podheaders *headers, int64_t now_ms)
{
	bool changed = false;

	if (headers->looked_ms != 0 && now_ms - headers->looked_ms < LOOK_MS)
		return;
	headers->looked_ms = now_ms;
	for (size_t i = 0; i < headers->n; i++) {
		if (headers->config[i].file)
			changed = look(&headers->files[i]) || changed;
	}
	if (changed && rebuild(headers))
		prune(headers);
}

static bool init_files(struct podheaders *headers)
{
	for (size_t i = 0; i < headers->n; i++) {
		const char *path = headers->config[i].file;

		if (path && !watchedfile_init(&headers->files[i].file, path))
			return false;
	}
	return true;
}

static bool has_accept(const struct config_header *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(list[i].name, "Accept") == 0)
			return true;
	}
	return false;
}

struct podheaders *podheaders_new(const struct config_metric *metric, bool withheld)
{
	struct podheaders *headers = calloc(1, sizeof(*headers));

	if (!headers)
		return NULL;
	headers->config = metric->headers;
	headers->n = withheld ? 0 : metric->n_headers;
	if (!has_accept(headers->config, headers->n))
		headers->accept = metric_format_accept(metric->query.format);
	headers->files = calloc(headers->n + 1, sizeof(*headers->files));
	if (!headers->files || !init_files(headers) || !rebuild(headers)) {
		podheaders_free(headers);
		return NULL;
	}
	return headers;
}

void podheaders_free(struct podheaders *headers)
{
	if (!headers)
		return;
	while (headers->versions) {
		struct version *version = headers->versions;

		headers->versions = version->next;
		curl_slist_free_all(version->list);
		free(version);
	}
	for (size_t i = 0; headers->files && i < headers->n; i++)
		watchedfile_fini(&headers->files[i].file);
	free(headers->files);
	free(headers);
}

struct curl_slist *podheaders_get(struct podheaders *headers, int64_t now_ms)
{
	refresh(headers, now_ms);
	headers->versions->users++;
	return headers->versions->list;
}

void podheaders_put(struct podheaders *headers, struct curl_slist *list)
{
	for (struct version *version = headers->versions; version; version = version->next) {
		if (version->list == list && version->users > 0)
			version->users--;
	}
	prune(headers);
}
