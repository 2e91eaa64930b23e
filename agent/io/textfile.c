/* SPDX-License-Identifier: MIT */
/* Reading small files whole. */
#include "io/textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Up to size bytes, as many as there are; -1 with errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static char *read_open(int fd, size_t *len, struct why *why)
{
	struct stat status;
	char *text;
	char *fitting;
	ssize_t n;

	if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode)) {
		why_set(why, "%s",
			S_ISDIR(status.st_mode) ? strerror(EISDIR) : "not a regular file");
		return NULL;
	}
	/* One byte more than is allowed tells a file that is too long. */
	text = malloc(TEXTFILE_MAX + 1);
	n = text ? read_all(fd, text, TEXTFILE_MAX + 1) : -1;
	if (n < 0 || n > TEXTFILE_MAX) {
		why_set(why, "%s",
			!text   ? "out of memory"
			: n < 0 ? strerror(errno)
				: "longer than 1 MiB");
		free(text);
		return NULL;
	}
	text[n] = '\0';
	*len = (size_t)n;
	fitting = realloc(text, (size_t)n + 1);
	return fitting ? fitting : text;
}

char *textfile_read_bytes(const char *path, size_t *len, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t ignored;
	char *text;

	if (fd < 0) {
		why_set(why, "%s", strerror(errno));
		return NULL;
	}
	text = read_open(fd, len ? len : &ignored, why);
	close(fd);
	return text;
}

char *textfile_read(const char *path, struct why *why)
{
	size_t len;
	char *text = textfile_read_bytes(path, &len, why);

	if (!text)
		return NULL;
	if (len > 0 && strlen(text) == len)
		return text;
	why_set(why, len == 0 ? "is empty" : "holds a NUL: not a text");
	free(text);
	return NULL;
}

char *textfile_read_word(const char *path, struct why *why)
{
	char *text = textfile_read(path, why);
	size_t len;

	if (!text)
		return NULL;
	len = strlen(text);
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	if (len > 0 && strcspn(text, " \t\r\n") == len)
		return text;
	why_set(why, len == 0 ? "is empty" : "is not one word");
	free(text);
	return NULL;
}
