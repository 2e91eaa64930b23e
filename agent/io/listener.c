/* SPDX-License-Identifier: MIT */
/* Opens listening sockets. */
#include "io/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* Returns the socket, or -1 with errno set. */
static int open_one(const struct addrinfo *address)
{
	int on = 1;
	int saved;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* IPv4 has a socket of its own, whatever the system's default is. */
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* NULL, with the reason: the system does not know the host. */
static struct addrinfo *find_addresses(const struct config_endpoint *endpoint, struct why *why)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	bool any = strcmp(endpoint->host, "*") == 0;
	struct addrinfo *found = NULL;
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", endpoint->port);
	error = getaddrinfo(any ? NULL : endpoint->host, port, &hints, &found);
	if (error == 0)
		return found;
	why_set(why, "%s", gai_strerror(error));
	return NULL;
}

size_t listener_open(const struct config_endpoint *endpoint, int fds[LISTENER_MAX], struct why *why)
{
	struct addrinfo *found = find_addresses(endpoint, why);
	size_t n = 0;

	if (!found)
		return 0;
	why_set(why, "no such address");
	for (const struct addrinfo *a = found; a && n < LISTENER_MAX; a = a->ai_next) {
		int fd = open_one(a);

		if (fd >= 0) {
			fds[n++] = fd;
			continue;
		}
		why_set(why, "%s", strerror(errno));
		/* A host without IPv6 listens on IPv4 alone; an address in use is an error even
		 * when the other family's is free. */
		if (errno == EADDRINUSE || errno == EACCES) {
			while (n > 0)
				close(fds[--n]);
			break;
		}
	}
	freeaddrinfo(found);
	return n;
}

bool listener_check(const struct config_endpoint *endpoint, struct why *why)
{
	const struct config_endpoint unused = {.host = endpoint->host, .port = 0};
	int fds[LISTENER_MAX];
	size_t n = listener_open(&unused, fds, why);

	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	return n > 0;
}

bool listener_is_local(const struct config_endpoint *endpoint)
{
	return strcasecmp(endpoint->host, "localhost") == 0 || strcmp(endpoint->host, "::1") == 0 ||
	       strncmp(endpoint->host, "127.", 4) == 0;
}
