/* SPDX-License-Identifier: MIT */
/* Lines from a socket into a file of bounded size. */
#include "record/recordfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 64 * 1024, /* bytes that are taken from the socket at once */
	MODE = 0640,
};

struct recordfile {
	const char *path;
	char older[PATH_MAX]; /* what a full file is renamed to; "" when that is too long */
	uint64_t max_bytes;
	int fd;        /* -1: not open */
	uint64_t size; /* of the open file */
};

static void close_file(struct recordfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

/* These return 0 or errno. */

static int write_all(struct recordfile *file, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(file->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		bytes += n;
		len -= (size_t)n;
		file->size += (uint64_t)n;
	}
	return 0;
}

/* A line that a crash or a full disk has cut is ended, so that the next one stands by itself. */
static int end_last_line(struct recordfile *file)
{
	char last = '\n';

	if (file->size > 0 && pread(file->fd, &last, 1, (off_t)file->size - 1) < 0)
		return errno;
	return last == '\n' ? 0 : write_all(file, "\n", 1);
}

static int hold_file(struct recordfile *file)
{
	struct stat status;

	if (fstat(file->fd, &status) != 0)
		return errno;
	if (!S_ISREG(status.st_mode))
		return EINVAL;
	if (flock(file->fd, LOCK_EX | LOCK_NB) != 0)
		return errno;
	file->size = (uint64_t)status.st_size;
	return end_last_line(file);
}

static int open_file(struct recordfile *file)
{
	int error;

	/* Not blocked by a pipe that nobody reads. */
	file->fd = open(file->path,
		O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, MODE);
	if (file->fd < 0)
		return errno;
	error = hold_file(file);
	if (error != 0)
		close_file(file);
	return error;
}

/* The open file still has its name. */
static bool is_in_place(const struct recordfile *file)
{
	struct stat named;
	struct stat opened;

	return stat(file->path, &named) == 0 && fstat(file->fd, &opened) == 0 &&
	       named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/* Opens the file that a line of so many bytes goes into. */
static int prepare(struct recordfile *file, uint64_t len)
{
	int error = 0;

	if (!*file->older)
		return ENAMETOOLONG;
	if (len > file->max_bytes)
		return EFBIG;
	if (file->fd >= 0 && !is_in_place(file))
		close_file(file);
	if (file->fd < 0)
		error = open_file(file);
	if (error != 0 || file->size == 0 || file->size <= file->max_bytes - len)
		return error;
	if (rename(file->path, file->older) != 0)
		return errno;
	close_file(file);
	return open_file(file);
}

/* Takes back what was written of a line. */
static void cut_back(struct recordfile *file, uint64_t size)
{
	if (file->fd >= 0 && ftruncate(file->fd, (off_t)size) == 0)
		file->size = size;
}

/* Reads up to len bytes; 0 when the socket has ended. */
static size_t receive_some(int socket, void *to, size_t len)
{
	ssize_t n;

	do {
		n = recv(socket, to, len, 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}

static bool receive_head(int socket, struct recordfile_head *head)
{
	size_t len = 0;

	while (len < sizeof(*head)) {
		size_t n = receive_some(socket, (char *)head + len, sizeof(*head) - len);

		if (n == 0)
			return false;
		len += n;
	}
	return true;
}

/* Moves a line into the file; the rest of one that cannot be written is read and dropped. False
 * when the socket has ended. */
static bool move_line(struct recordfile *file, int socket, uint64_t len, int *error)
{
	char part[CHUNK];
	uint64_t start;

	*error = prepare(file, len);
	start = file->size;
	while (len > 0) {
		size_t n = receive_some(socket, part, len < CHUNK ? (size_t)len : CHUNK);

		if (n == 0) {
			cut_back(file, start);
			return false;
		}
		len -= n;
		if (*error == 0)
			*error = write_all(file, part, n);
	}
	if (*error != 0)
		cut_back(file, start);
	return true;
}

void recordfile_serve(int socket, const char *path, uint64_t max_bytes)
{
	struct recordfile file = {.path = path, .max_bytes = max_bytes, .fd = -1};
	struct recordfile_head head;
	int error;

	if ((size_t)snprintf(file.older, sizeof(file.older), "%s.1", path) >= sizeof(file.older))
		file.older[0] = '\0';
	while (receive_head(socket, &head) && move_line(&file, socket, head.len, &error)) {
		struct recordfile_answer answer = {.error = error};

		if (send(socket, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			break;
	}
	close_file(&file);
}
