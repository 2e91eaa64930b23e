/* SPDX-License-Identifier: MIT */
/* Reading and looking up a ws:// URL. */
#include "target.h"

#include "opt.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

static bool look_up(struct target *target, const char *host)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return false;
	for (struct addrinfo *at = found; at && target->n_addresses < TARGET_ADDRESSES;
		at = at->ai_next) {
		char *text = target->addresses[target->n_addresses].text;
		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(*target->addresses), NULL,
			    0, NI_NUMERICHOST) == 0)
			target->n_addresses++;
	}
	freeaddrinfo(found);
	return target->n_addresses > 0;
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
	target->authority = strndup(from, bytes);
	target->addresses = calloc(TARGET_ADDRESSES, sizeof(*target->addresses));
	*why = "is one for which memory ran out";
	if (target->authority && target->addresses) {
		*why = "names a host that cannot be found";
		if (look_up(target, host))
			return true;
	}
	target_fini(target);
	return false;
}

void target_fini(struct target *target)
{
	free(target->authority);
	free(target->addresses);
	*target = (struct target){0};
}
