/* SPDX-License-Identifier: MIT */
#include "haproxy/sockethelp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Numbers, since a container knows the names of nobody outside. */
static void describe_denial(const char *path, char *buf, size_t size)
{
	struct stat socket;

	if (stat(path, &socket) != 0) {
		snprintf(buf, size,
			"%s: %s: a directory above it is closed to user %u, as whom the agent runs",
			path, strerror(EACCES), geteuid());
	} else {
		snprintf(buf, size,
			"%s: %s: it is of user %u and group %u, mode %03o, and the agent runs as user "
			"%u, group %u: in haproxy.cfg, write mode 660 group GROUP behind stats socket, "
			"and run the agent in that group",
			path, strerror(EACCES), socket.st_uid, socket.st_gid, socket.st_mode & 0777,
			geteuid(), getegid());
	}
}

void sockethelp_describe(const char *path, int error, char *buf, size_t size)
{
	if (error == EACCES)
		describe_denial(path, buf, size);
	else if (error == ENOENT && strncmp(path, "/tmp/", 5) == 0) {
		snprintf(buf, size,
			"%s: %s: systemd's PrivateTmp hides /tmp of HAProxy and of the agent from each "
			"other: put the socket into /run",
			path, strerror(error));
	} else {
		snprintf(buf, size, "%s: %s", path, strerror(error));
	}
}
