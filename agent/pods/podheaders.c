/* SPDX-License-Identifier: MIT */
/* Keeps header lists current. */
#include "pods/podheaders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/text.h"
#include "io/log.h"
#include "io/textfile.h"

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

/* What a file had when it was read last. */
struct file_value {
	char *value; /* NULL: never read */
	struct timespec changed;
	ino_t inode;
	struct log_repeat failed;
};

struct podheaders {
	const struct config_header *config;
	size_t n;
	struct file_value *files; /* one for each header */
	struct version *versions; /* the current one first */
	int64_t looked_ms;
};

static void report_failure(struct file_value *file, const char *path, const char *why)
{
	if (log_repeat(&file->failed))
		log_warn("a header's file cannot be read", log_str("file", path),
			log_str("error", why), log_int("times", (int64_t)file->failed.times));
}

/* Reads the first line. NULL, with the reason said, when it cannot be a header's value. */
static char *read_value(struct file_value *file, const char *path)
{
	const char *why = "";
	char *line = textfile_read(path, &why);

	if (!line) {
		report_failure(file, path, why);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	if (line[0] == '\0' || strlen(line) > VALUE_MAX || !text_is_header_value(line)) {
		report_failure(file, path, "the first line is empty or no header value");
		free(line);
		return NULL;
	}
	log_repeat_end(&file->failed);
	return line;
}

/* Reads a file again if it changed. True when there is a new value. */
static bool look(struct file_value *file, const char *path)
{
	struct stat now;
	char *value;

	if (stat(path, &now) != 0) {
		report_failure(file, path, strerror(errno));
		return false;
	}
	if (file->value && now.st_ino == file->inode &&
		now.st_mtim.tv_sec == file->changed.tv_sec &&
		now.st_mtim.tv_nsec == file->changed.tv_nsec)
		return false;
	value = read_value(file, path);
	if (!value)
		return false;
	free(file->value);
	file->value = value;
	file->changed = now.st_mtim;
	file->inode = now.st_ino;
	return true;
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
	bool well = version && append(&version->list, "Accept", "application/json");

	for (size_t i = 0; well && i < headers->n; i++) {
		const char *value = headers->config[i].file ? headers->files[i].value
							    : headers->config[i].value;

		if (value)
			well = append(&version->list, headers->config[i].name, value);
	}
	if (!well) {
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
			changed = look(&headers->files[i], headers->config[i].file) || changed;
	}
	if (changed && rebuild(headers))
		prune(headers);
}

struct podheaders *podheaders_new(const struct config_header *list, size_t n)
{
	struct podheaders *headers = calloc(1, sizeof(*headers));

	if (!headers)
		return NULL;
	headers->config = list;
	headers->n = n;
	headers->files = calloc(n + 1, sizeof(*headers->files));
	if (!headers->files || !rebuild(headers)) {
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
		free(headers->files[i].value);
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
