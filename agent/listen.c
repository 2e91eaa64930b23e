/* SPDX-License-Identifier: MIT */
/* Binding addresses and socket files. */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* Closes fd and keeps errno, for a failure's path. */
static int fail(int fd)
{
	int reason = errno;

	if (fd >= 0)
		close(fd);
	errno = reason;
	return -1;
}

/* Returns the socket, or -1 with errno. */
static int bind_address(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	if (address->sa_family != AF_UNIX &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return fail(fd);
	/* IPv4 has a socket of its own, so that the two never depend on a setting of the kernel. */
	if (address->sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return fail(fd);
	if (bind(fd, address, len) != 0 || listen(fd, BACKLOG) != 0)
		return fail(fd);
	return fd;
}

/* A socket file stays behind when its program was killed: nobody answers on it any more. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int fd;

	if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static bool open_path(struct listen_sockets *out, const char *path, char *error, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(error, size, "%s: longer than %zu bytes", path,
			sizeof(address.sun_path) - 1);
		return false;
	}
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	remove_stale(&address);

	int fd = bind_address((const struct sockaddr *)&address, sizeof(address));

	if (fd < 0) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return false;
	}
	out->fds[0] = fd;
	out->n = 1;
	return true;
}

/* Binds one numeric address; NULL means all. */
static int open_numeric(const char *host, int family, uint16_t port, const char **why)
{
	struct addrinfo hints = {
		.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
	};
	struct addrinfo *found;
	char service[8];
	int fd;

	snprintf(service, sizeof(service), "%u", (unsigned)port);
	if (getaddrinfo(host, service, &hints, &found) != 0) {
		*why = "not an address, \"*\" or \"localhost\"";
		return -1;
	}
	fd = bind_address(found->ai_addr, found->ai_addrlen);
	if (fd < 0)
		*why = strerror(errno);
	freeaddrinfo(found);
	return fd;
}

bool listen_open(struct listen_sockets *out, const struct config_endpoint *endpoint, char *error,
	size_t size)
{
	struct listen_sockets sockets = {.n = 0};
	const char *const one[] = {endpoint->host};
	static const char *const all[] = {NULL, NULL};
	static const char *const local[] = {"::1", "127.0.0.1"};
	static const int families[] = {AF_INET6, AF_INET};
	bool is_all = endpoint->host && strcmp(endpoint->host, "*") == 0;
	bool is_local = endpoint->host && strcmp(endpoint->host, "localhost") == 0;
	const char *const *hosts = is_all ? all : is_local ? local : one;
	const char *why = NULL;

	if (endpoint->path)
		return open_path(out, endpoint->path, error, size);
	for (size_t i = 0; i < (is_all || is_local ? 2 : 1); i++) {
		int family = is_all ? families[i] : AF_UNSPEC;
		int fd = open_numeric(hosts[i], family, endpoint->port, &why);

		/* A host without IPv6 is no failure, a port in use is. */
		if (fd < 0 && (hosts == one || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL)))
			goto failed;
		if (fd >= 0)
			sockets.fds[sockets.n++] = fd;
	}
	if (sockets.n > 0) {
		*out = sockets;
		return true;
	}

failed:
	snprintf(error, size, "%s port %u: %s", endpoint->host, (unsigned)endpoint->port, why);
	for (size_t i = 0; i < sockets.n; i++)
		close(sockets.fds[i]);
	return false;
}

bool listen_is_local(const struct config_endpoint *endpoint)
{
	return endpoint->path || strcmp(endpoint->host, "localhost") == 0 ||
		strcmp(endpoint->host, "::1") == 0 || strncmp(endpoint->host, "127.", 4) == 0;
}
