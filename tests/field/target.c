/* SPDX-License-Identifier: MIT */
/* Reading and looking up a ws:// URL. */
#include "target.h"

#include "opt.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

static bool look_up(const char *host, char *address, size_t address_bytes)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	int wrong = getnameinfo(found->ai_addr, found->ai_addrlen, address,
		(socklen_t)address_bytes, NULL, 0, NI_NUMERICHOST);
	freeaddrinfo(found);
	return wrong == 0;
}

bool target_init(struct target *target, const char *url, const char **why)
{
	*target = (struct target){.url = url};
	*why = "must be ws://HOST:PORT/PATH or wss://HOST:PORT/PATH";
	target->tls = strncmp(url, "wss://", 6) == 0;
	if (!target->tls && strncmp(url, "ws://", 5) != 0)
		return false;

	const char *from = strstr(url, "://") + 3;
	size_t bytes = strcspn(from, "/?#");
	target->path = from[bytes] == '\0' ? "/" : from + bytes;
	char host[256];
	if (!opt_host_port(from, bytes, host, &target->port) || target->path[0] != '/' ||
		strchr(target->path, '#') || target->port == 0)
		return false;
	if (target->port < 0)
		target->port = target->tls ? 443 : 80;
	*why = "names a host that cannot be found";
	if (!look_up(host, target->address, sizeof(target->address)))
		return false;
	*why = "is one for which memory ran out";
	target->authority = strndup(from, bytes);
	return target->authority != NULL;
}

void target_fini(struct target *target)
{
	free(target->authority);
	*target = (struct target){0};
}
