/* SPDX-License-Identifier: MIT */
/* Reading the endpoint's files. */
#include "io/credentials.h"

#include "io/textfile.h"

static bool load(
	struct watchedfile *file, const char *path, watchedfile_reader reader, struct why *why)
{
	if (!path)
		return true;
	if (!watchedfile_init(file, path))
		return why_set(why, "out of memory");
	return watchedfile_read(file, reader, why) || why_prepend(why, "%s: ", path);
}

bool credentials_load(
	struct credentials *out, const char *const paths[CREDENTIALS_N_FILES], struct why *why)
{
	static const char *const keys[] = {
		[CREDENTIALS_TOKEN] = "listenTokenFile",
		[CREDENTIALS_CERT] = "listenTLSCert",
		[CREDENTIALS_KEY] = "listenTLSKey",
	};
	struct credentials credentials = {0};

	for (size_t i = 0; i < CREDENTIALS_N_FILES; i++) {
		watchedfile_reader reader =
			i == CREDENTIALS_TOKEN ? textfile_read_word : textfile_read;

		if (!load(&credentials.files[i], paths[i], reader, why)) {
			why_prepend(why, "%s: ", keys[i]);
			credentials_fini(&credentials);
			return false;
		}
	}
	*out = credentials;
	return true;
}

void credentials_fini(struct credentials *credentials)
{
	for (size_t i = 0; i < CREDENTIALS_N_FILES; i++)
		watchedfile_fini(&credentials->files[i]);
}

bool credentials_are_old(const struct credentials *credentials)
{
	for (size_t i = 0; i < CREDENTIALS_N_FILES; i++) {
		const struct watchedfile *file = &credentials->files[i];

		if (file->path && watchedfile_look(file) == WATCHEDFILE_CHANGED)
			return true;
	}
	return false;
}

const char *credentials_text(const struct credentials *credentials, enum credentials_file file)
{
	return credentials->files[file].text;
}
