/* SPDX-License-Identifier: MIT */
/* Reading the endpoint's files. */
#include "credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1024 * 1024 };

/* The whole file, to be freed; NULL with *why. */
static char *read_whole(const char *path, const char **why)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t n;

	if (!in) {
		*why = strerror(errno);
		return NULL;
	}
	/* Neither a token nor PEM holds a NUL, so what stops at one is refused below. */
	n = getdelim(&text, &size, '\0', in);
	if (n <= 0 || n > FILE_MAX_BYTES || strlen(text) != (size_t)n) {
		*why = n <= 0 ? "is empty" : "is no text of at most 1 MiB";
		free(text);
		text = NULL;
	}
	fclose(in);
	return text;
}

/* Cuts the blanks at the end; false when there is more or less than one word. */
static bool make_word(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return len > 0 && strcspn(text, " \t\r\n") == len;
}

static bool load(
	struct credentials_text *file, const char *path, bool is_word, char *error, size_t size)
{
	const char *why = "out of memory";
	struct stat status;

	if (!path)
		return true;
	/* Looked at before it is read: what changes in between is read again the next time. */
	if (stat(path, &status) != 0) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return false;
	}
	file->changed = status.st_mtim;
	file->inode = status.st_ino;
	file->path = strdup(path);
	file->text = file->path ? read_whole(path, &why) : NULL;
	if (file->text && is_word && !make_word(file->text)) {
		why = "is not one word";
		free(file->text);
		file->text = NULL;
	}
	if (!file->text)
		snprintf(error, size, "%s: %s", path, why);
	return file->text != NULL;
}

bool credentials_load(struct credentials *out, const char *const paths[CREDENTIALS_N_FILES],
	char *error, size_t size)
{
	struct credentials credentials = {0};

	for (size_t i = 0; i < CREDENTIALS_N_FILES; i++) {
		if (!load(&credentials.files[i], paths[i], i == CREDENTIALS_TOKEN, error, size)) {
			credentials_fini(&credentials);
			return false;
		}
	}
	*out = credentials;
	return true;
}

void credentials_fini(struct credentials *credentials)
{
	for (size_t i = 0; i < CREDENTIALS_N_FILES; i++) {
		free(credentials->files[i].path);
		free(credentials->files[i].text);
	}
	memset(credentials, 0, sizeof(*credentials));
}

bool credentials_are_old(const struct credentials *credentials)
{
	for (size_t i = 0; i < CREDENTIALS_N_FILES; i++) {
		const struct credentials_text *file = &credentials->files[i];
		struct stat now;

		/* A file that is gone for a moment, while it is replaced, changes nothing yet. */
		if (!file->path || stat(file->path, &now) != 0)
			continue;
		if (now.st_ino != file->inode || now.st_mtim.tv_sec != file->changed.tv_sec ||
			now.st_mtim.tv_nsec != file->changed.tv_nsec)
			return true;
	}
	return false;
}

const char *credentials_text(const struct credentials *credentials, enum credentials_file file)
{
	return credentials->files[file].text;
}
