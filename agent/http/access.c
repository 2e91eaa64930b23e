/* SPDX-License-Identifier: MIT */
/* Tokens, hosts and addresses of requests. */
#include "http/access.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Takes as long for a token that differs early as for one that differs late. */
static bool is_same_secret(const char *given, const char *wanted)
{
	size_t len = strlen(given);
	size_t wanted_len = strlen(wanted);
	unsigned differs = len != wanted_len;

	for (size_t i = 0; i < len; i++)
		differs |= (unsigned)(unsigned char)given[i] ^
			   (unsigned)(unsigned char)wanted[wanted_len > 0 ? i % wanted_len : 0];
	return differs == 0;
}

bool access_has_token(const struct access *access, struct MHD_Connection *connection)
{
	const char *given = header_of(connection, MHD_HTTP_HEADER_AUTHORIZATION);
	char *password = NULL;
	bool allowed;

	if (!access->token)
		return true;
	if (given && strncasecmp(given, "Bearer ", 7) == 0)
		return is_same_secret(given + 7 + strspn(given + 7, " "), access->token);

	char *user = MHD_basic_auth_get_username_password(connection, &password);

	allowed = password && is_same_secret(password, access->token);
	MHD_free(user);
	MHD_free(password);
	return allowed;
}

/* Cuts "host:port" to the host, without brackets. False when it is no such thing. */
static bool cut_host(const char *header, char *host, size_t size)
{
	bool bracketed = header[0] == '[';
	size_t len = bracketed ? strcspn(header + 1, "]") : strcspn(header, ":");
	const char *rest = header + bracketed + len;

	if (len == 0 || len >= size || (bracketed && *rest++ != ']'))
		return false;
	if (*rest && (*rest != ':' || strspn(rest + 1, "0123456789") != strlen(rest + 1)))
		return false;
	memcpy(host, header + bracketed, len);
	host[len] = '\0';
	return true;
}

static bool is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static bool is_ours(const struct access *access, const char *header)
{
	char host[256];

	if (!cut_host(header, host, sizeof(host)))
		return false;
	if (is_address(host) || strcasecmp(host, "localhost") == 0)
		return true;
	for (size_t i = 0; i < access->n_names; i++) {
		if (strcasecmp(host, access->names[i]) == 0)
			return true;
	}
	return false;
}

bool access_is_our_host(struct access *access, struct MHD_Connection *connection)
{
	const char *host = header_of(connection, MHD_HTTP_HEADER_HOST);

	/* No browser leaves it out. */
	if (access->token || !access->is_local || !host || is_ours(access, host))
		return true;
	if (log_repeat(&access->foreign_host)) {
		log_warn("a request for a name that listenNames lacks is refused",
			log_str("host", host),
			log_int("times", (int64_t)access->foreign_host.times));
	}
	return false;
}

/* The peer is this host itself; an IPv6 socket sees IPv4 as ::ffff:127.0.0.1. */
static bool is_from_loopback(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;

	if (address && address->sa_family == AF_INET) {
		const struct sockaddr_in *ipv4 = (const void *)address;

		return ntohl(ipv4->sin_addr.s_addr) >> 24 == 127;
	}
	if (address && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *ipv6 = (const void *)address;

		return IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr) ||
		       (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr) &&
			       ipv6->sin6_addr.s6_addr[12] == 127);
	}
	return false;
}

/* What only a browser or a proxy sends; NULL where there is no such thing. An older browser shows
 * an image of another page's without the first ones, but never without its languages. */
static const char *foreign_header_of(struct MHD_Connection *connection)
{
	static const char *const names[] = {"Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode",
		"Sec-Fetch-Dest", "Accept-Language", "Cookie", "X-Forwarded-For",
		"X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (header_of(connection, names[i]))
			return names[i];
	}
	return NULL;
}

bool access_may_drain(struct access *access, struct MHD_Connection *connection)
{
	const char *header;
	const char *why = "it lacks the token of listenTokenFile";

	if (access->token && access_has_token(access, connection))
		return true;
	if (!access->token) {
		header = foreign_header_of(connection);
		why = header ? header : "it comes from another host";
		if (!header && is_from_loopback(connection))
			return true;
	}
	if (log_repeat(&access->foreign_drain)) {
		log_warn("a request for /drain is refused: let the hook make drainFile, send "
			 "Authorization: Bearer TOKEN, or ask from this host",
			log_str("because", why),
			log_int("times", (int64_t)access->foreign_drain.times));
	}
	return false;
}
