/* SPDX-License-Identifier: MIT */
#include "io/localaddr.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * What is sent to one of its own addresses the system sends from that same address, so a UDP socket
 * that is connected to it, by which nothing is sent, has it at both ends. Netlink would tell too,
 * but the unit forbids it; binding would not, since net.ipv4.ip_nonlocal_bind lets any address be
 * bound where HAProxy has a floating one.
 */
static bool is_at_both_ends(const struct addrinfo *to)
{
	char here[NI_MAXHOST];
	char there[NI_MAXHOST];
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool same;

	if (fd < 0)
		return false;
	same = connect(fd, to->ai_addr, to->ai_addrlen) == 0 &&
	       getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
	       getnameinfo((struct sockaddr *)&own, len, here, sizeof(here), NULL, 0,
		       NI_NUMERICHOST) == 0 &&
	       getnameinfo(to->ai_addr, to->ai_addrlen, there, sizeof(there), NULL, 0,
		       NI_NUMERICHOST) == 0 &&
	       strcmp(here, there) == 0;
	close(fd);
	return same;
}

bool localaddr_is_own(const char *address)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found = NULL;
	bool own;

	/* Any port: a connection to port 0 is refused by some systems. */
	if (getaddrinfo(address, "9", &hints, &found) != 0)
		return false;
	own = is_at_both_ends(found);
	freeaddrinfo(found);
	return own;
}
