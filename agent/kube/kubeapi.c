/* SPDX-License-Identifier: MIT */
/* How the Kubernetes API server is reached, and one request to it. */
#include "kube/kubeapi.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "build.h"
#include "core/base/text.h"
#include "io/textfile.h"

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

enum {
	CONNECT_TIMEOUT_MS = 5000,
	LIST_TIMEOUT_MS = 10000,
	WATCH_GRACE_S = 30, /* past the time that the server was asked to end the watch at */
	/* A path that dies without a word is noticed within this time, and a watch is not left to
	 * the kernel's own patience of a quarter of an hour. */
	KEEPALIVE_IDLE_S = 5,
	KEEPALIVE_INTERVAL_S = 2,
	DEAD_PATH_MS = 10000,
};

/* What is given, else the file that a pod gets from Kubernetes: where the server is known from the
 * same source it has to be there, and what is wrong with it is said when it is read. */
static char *copy_or_file(const char *given, const char *file, bool in_pod)
{
	if (given)
		return strdup(given);
	return in_pod || access(file, F_OK) == 0 ? strdup(file) : NULL;
}

static char *server_from_environment(void)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	char address[TEXT_ENDPOINT_SIZE];
	uint64_t number;
	char *server;

	if (!host || !host[0] || !port || !text_parse_u64(port, 1, 65535, &number))
		return NULL;
	text_format_endpoint(host, (uint16_t)number, address, sizeof(address));
	return asprintf(&server, "https://%s", address) < 0 ? NULL : server;
}

bool kubeapi_init(struct kubeapi *api, const char *server, const char *token_file,
	const char *ca_file, struct why *why)
{
	*api = (struct kubeapi){
		.server = server ? strdup(server) : server_from_environment(),
		.token_file = copy_or_file(token_file, ACCOUNT "token", !server),
		.ca_file = copy_or_file(ca_file, ACCOUNT "ca.crt", !server),
	};
	if (!api->server) {
		kubeapi_fini(api);
		return why_set(why,
			"not in a pod (KUBERNETES_SERVICE_HOST and _PORT) and no server given");
	}
	if (((token_file || !server) && !api->token_file) ||
		((ca_file || !server) && !api->ca_file)) {
		kubeapi_fini(api);
		return why_set(why, "out of memory");
	}
	for (size_t len = strlen(api->server); len > 0 && api->server[len - 1] == '/'; len--)
		api->server[len - 1] = '\0';
	return true;
}

void kubeapi_fini(struct kubeapi *api)
{
	free(api->server);
	free(api->token_file);
	free(api->ca_file);
	*api = (struct kubeapi){.server = NULL};
}

static bool append_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*headers, line);

	if (!longer)
		return false;
	*headers = longer;
	return true;
}

static bool is_https(const struct kubeapi *api)
{
	return strncmp(api->server, "https://", 8) == 0;
}

/* libcurl says of an authority's file that cannot be read no more than its path. */
static bool check_ca(const struct kubeapi *api, struct why *why)
{
	char *text;

	if (!api->ca_file || !is_https(api))
		return true;
	text = textfile_read(api->ca_file, why);
	if (!text)
		return why_prepend(why, "%s: ", api->ca_file);
	free(text);
	return true;
}

static bool make_headers(const struct kubeapi *api, struct curl_slist **headers, struct why *why)
{
	curl_slist_free_all(*headers);
	*headers = NULL;
	if (!append_header(headers, "Accept: application/json"))
		return why_set(why, "out of memory");
	if (!api->token_file || !is_https(api))
		return true;

	char *token = textfile_read_word(api->token_file, why);
	if (!token)
		return why_prepend(why, "%s: ", api->token_file);
	char *line = NULL;
	bool made = asprintf(&line, "Authorization: Bearer %s", token) >= 0 &&
		    append_header(headers, line);
	free(line);
	free(token);
	return made || why_set(why, "out of memory");
}

/* NULL: no memory. */
static char *make_url(const struct kubeapi *api, const struct kubeapi_request *request, CURL *easy)
{
	char *url = NULL;
	char *version = NULL;
	char options[64] = "";

	if (request->object) {
		if (asprintf(&url, "%s/api/v1/namespaces/%s/services/%s", api->server,
			    request->namespace, request->service) < 0)
			return NULL;
		return url;
	}
	if (request->list) {
		if (request->limit > 0)
			snprintf(options, sizeof(options), "&limit=%u", request->limit);
		if (asprintf(&url,
			    "%s/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices"
			    "?labelSelector=kubernetes.io%%2Fservice-name%%3D%s%s",
			    api->server, request->namespace, request->service, options) < 0)
			return NULL;
		return url;
	}
	if (!request->plain)
		snprintf(options, sizeof(options), "&allowWatchBookmarks=true&timeoutSeconds=%u",
			request->watch_s);
	version = curl_easy_escape(easy, request->version, 0);
	if (!version ||
		asprintf(&url,
			"%s/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices"
			"?labelSelector=kubernetes.io%%2Fservice-name%%3D%s&watch=1"
			"&resourceVersion=%s%s",
			api->server, request->namespace, request->service, version, options) < 0)
		url = NULL;
	curl_free(version);
	return url;
}

static int set_socket_options(void *arg, curl_socket_t socket, curlsocktype purpose)
{
	unsigned timeout = DEAD_PATH_MS;

	(void)arg;
	(void)purpose;
	/* Best effort: without it keepalive alone takes a little longer. */
	setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
	return CURL_SOCKOPT_OK;
}

bool kubeapi_prepare(const struct kubeapi *api, const struct kubeapi_request *request, CURL *easy,
	struct curl_slist **headers, struct why *why)
{
	long timeout_ms =
		request->list ? LIST_TIMEOUT_MS : (request->watch_s + WATCH_GRACE_S) * 1000L;

	if (!check_ca(api, why) || !make_headers(api, headers, why))
		return false;
	char *url = make_url(api, request, easy);
	bool set = url && curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK;
	free(url);
	if (!set)
		return why_set(why, "out of memory");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
	/* The API server prints prettily for curl's own name, which only costs. */
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "wsbalancer/" WSB_VERSION);
	/* A watch fills an HTTP/1.1 connection, so nothing can stall it but itself. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_socket_options);
	if (api->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, api->ca_file);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Or the authorities read first would be kept for a day. */
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
	return true;
}
