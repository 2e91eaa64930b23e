/* SPDX-License-Identifier: MIT */
#include "haproxy/certfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/haproxy/pem.h"
#include "io/textfile.h"

bool certfile_init(struct certfile *file, const char *path)
{
	*file = (struct certfile){.print = {.sha1 = ""}};
	return watchedfile_init(&file->file, path);
}

void certfile_fini(struct certfile *file)
{
	watchedfile_fini(&file->file);
	file->print = (struct certificate_print){.sha1 = ""};
}

void certfile_forget(char *text)
{
	if (!text)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}

/* What a file is known by, both parts with a blank between: the file may hold the key, which nobody
 * needs to keep. */
static char *read_print(const char *path, struct why *why)
{
	struct certificate_print print;
	char *text = textfile_read(path, why);
	bool ok = text && certificate_print(text, &print, why);
	char *both = NULL;

	certfile_forget(text);
	if (ok && asprintf(&both, "%s %s", print.sha1, print.whole) < 0) {
		why_set(why, "out of memory");
		return NULL;
	}
	return both;
}

bool certfile_look(struct certfile *file, struct why *why)
{
	switch (watchedfile_look(&file->file)) {
	case WATCHEDFILE_SAME:
		return true;
	case WATCHEDFILE_CHANGED:
	case WATCHEDFILE_GONE:
		break;
	}
	if (!watchedfile_read(&file->file, read_print, why))
		return why_prepend(why, "%s: ", file->file.path);
	sscanf(file->file.text, "%64s %64s", file->print.sha1, file->print.whole);
	return true;
}

/* PATH.key, or PATH with .key in place of its extension where there is no such file. For the caller
 * to free; NULL when out of memory. */
static char *find_key(const char *path)
{
	const char *dot = strrchr(path, '.');
	const char *slash = strrchr(path, '/');
	int stem = dot && (!slash || dot > slash) ? (int)(dot - path) : (int)strlen(path);
	char *beside = NULL;
	char *instead = NULL;

	if (asprintf(&beside, "%s.key", path) < 0)
		return NULL;
	if (access(beside, F_OK) == 0 || asprintf(&instead, "%.*s.key", stem, path) < 0)
		return beside;
	if (access(instead, F_OK) == 0) {
		free(beside);
		return instead;
	}
	free(instead);
	return beside;
}

static bool append_key(struct buf *pem, const char *path, struct why *why)
{
	char *key_path = find_key(path);
	char *key = key_path ? textfile_read(key_path, why) : NULL;
	bool found = key != NULL;

	if (!key_path)
		return why_set(why, "out of memory");
	if (found)
		pem_append(pem, key);
	else
		why_prepend(why, "%s: ", key_path);
	free(key_path);
	certfile_forget(key);
	return found;
}

char *certfile_read_pair(const struct certfile *file, struct why *why)
{
	const char *path = file->file.path;
	char *text = textfile_read(path, why);
	struct buf pem = {.len = 0};
	bool ok;

	if (!text) {
		why_prepend(why, "%s: ", path);
		return NULL;
	}
	/* All at once, so that no half of it is left behind where the buffer grows. */
	buf_reserve(&pem, strlen(text) + 65536);
	pem_append(&pem, text);
	ok = pem_has_key(text) || append_key(&pem, path, why);
	certfile_forget(text);
	ok = ok && (!pem.failed || why_set(why, "out of memory")) &&
	     (certificate_check_pem(buf_text(&pem), why) || why_prepend(why, "%s: ", path));
	if (ok)
		return buf_finish(&pem, NULL);
	if (pem.bytes)
		explicit_bzero(pem.bytes, pem.len);
	buf_fini(&pem);
	return NULL;
}
