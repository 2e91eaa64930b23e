/* SPDX-License-Identifier: MIT */
/* Reading the endpoint's files. */
#include "io/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/textfile.h"

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
	if (file->path)
		file->text = is_word ? textfile_read_word(path, &why) : textfile_read(path, &why);
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
