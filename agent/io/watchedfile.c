/* SPDX-License-Identifier: MIT */
/* Files by inode and time of change. */
#include "io/watchedfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool watchedfile_init(struct watchedfile *file, const char *path)
{
	*file = (struct watchedfile){.path = strdup(path)};
	return file->path != NULL;
}

void watchedfile_fini(struct watchedfile *file)
{
	free(file->path);
	free(file->text);
	*file = (struct watchedfile){.path = NULL};
}

bool watchedfile_read(struct watchedfile *file, watchedfile_reader reader, struct why *why)
{
	struct stat status;
	char *text;

	/* Looked at before it is read: what changes in between is read again the next time. */
	if (stat(file->path, &status) != 0)
		return why_set(why, "%s", strerror(errno));
	text = reader(file->path, why);
	if (!text)
		return false;
	free(file->text);
	file->text = text;
	file->changed = status.st_mtim;
	file->inode = status.st_ino;
	return true;
}

enum watchedfile_state watchedfile_look(const struct watchedfile *file)
{
	struct stat now;

	if (stat(file->path, &now) != 0)
		return WATCHEDFILE_GONE;
	return file->text && now.st_ino == file->inode &&
			       now.st_mtim.tv_sec == file->changed.tv_sec &&
			       now.st_mtim.tv_nsec == file->changed.tv_nsec
		       ? WATCHEDFILE_SAME
		       : WATCHEDFILE_CHANGED;
}
