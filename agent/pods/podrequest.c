/* SPDX-License-Identifier: MIT */
/* Requests with libcurl. */
#include "pods/podrequest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "build.h"
#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/metric/metric_reader.h"
#include "io/answerguard.h"

enum {
	SMALL_BUFFER = 1024, /* bytes; libcurl's least */
	CA_KEPT_S = 5,       /* authorities read once, for so many connections as may come then */
};

struct podrequest {
	const struct config_metric *metric;
	void *arg; /* of the request under way */
	CURL *easy;
	struct buf url;
	struct curl_slist *connect_to; /* or NULL */
	bool kept;                     /* the connection is, for the next time */
	struct answerguard guard;
	char error[CURL_ERROR_SIZE];
	const char *spoilt; /* the key of a file for TLS that would stop the loop; NULL: none */
	struct metric_reader *reader;
};

static long status_of(const struct podrequest *request)
{
	long status = 0;

	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct podrequest *request = arg;

	(void)one;
	/* Of any other answer the status says all; read nothing into it. */
	if (status_of(request) != 200)
		return n;
	/* Anything but n ends the transfer. */
	return metric_reader_feed(request->reader, bytes, n) ? n : 0;
}

/* What libcurl's results mean here. */
static enum metric_outcome outcome_of(const struct podrequest *request, CURLcode result)
{
	static const struct {
		CURLcode code;
		enum metric_outcome outcome;
	} map[] = {
		{CURLE_COULDNT_RESOLVE_HOST, METRIC_CONNECT_FAILED},
		{CURLE_COULDNT_CONNECT, METRIC_CONNECT_FAILED},
		{CURLE_OPERATION_TIMEDOUT, METRIC_TIMED_OUT},
		{CURLE_SSL_CONNECT_ERROR, METRIC_TLS_FAILED},
		{CURLE_PEER_FAILED_VERIFICATION, METRIC_TLS_FAILED},
		{CURLE_SSL_CERTPROBLEM, METRIC_TLS_FAILED},
		{CURLE_SSL_CACERT_BADFILE, METRIC_TLS_FAILED},
		{CURLE_SSL_CIPHER, METRIC_TLS_FAILED},
		{CURLE_UNSUPPORTED_PROTOCOL, METRIC_NOT_HTTP}, /* HTTP/0.9: any bytes at all */
		{CURLE_WEIRD_SERVER_REPLY, METRIC_NOT_HTTP},
		{CURLE_FILESIZE_EXCEEDED, METRIC_TOO_LARGE},
		{CURLE_OUT_OF_MEMORY, METRIC_OUT_OF_MEMORY},
	};

	if (request->guard.refusal == ANSWERGUARD_COMPRESSED)
		return METRIC_COMPRESSED;
	if (request->guard.refusal == ANSWERGUARD_LONG_HEAD)
		return METRIC_TOO_LARGE;
	if (metric_reader_refusal(request->reader) != METRIC_OK)
		return metric_reader_refusal(request->reader);
	for (size_t i = 0; i < sizeof(map) / sizeof(*map); i++) {
		if (map[i].code == result)
			return map[i].outcome;
	}
	return METRIC_BROKEN;
}

enum metric_outcome podrequest_judge(struct podrequest *request, CURLcode result,
	struct metric *metric, char *detail, size_t size)
{
	enum metric_outcome outcome;
	char *type = NULL;
	long status;

	if (request->spoilt) {
		snprintf(detail, size, "%s: not a regular file", request->spoilt);
		return METRIC_TLS_FAILED;
	}
	if (result != CURLE_OK) {
		answerguard_end(&request->guard, request->easy, result);
		outcome = outcome_of(request, result);
		if (request->guard.refusal == ANSWERGUARD_LONG_HEAD)
			snprintf(detail, size, "%s", answerguard_name(&request->guard));
		else if (outcome == METRIC_TOO_LARGE || outcome == METRIC_COMPRESSED)
			snprintf(detail, size, "%s", metric_outcome_name(outcome));
		else
			snprintf(detail, size, "%s",
				request->error[0] ? request->error : curl_easy_strerror(result));
		return outcome;
	}
	status = status_of(request);
	if (status != 200) {
		outcome = status >= 300 && status < 400   ? METRIC_REDIRECT
			  : status >= 500 && status < 600 ? METRIC_SERVER_ERROR
							  : METRIC_BAD_STATUS;
		snprintf(detail, size, "%s: %ld", metric_outcome_name(outcome), status);
		return outcome;
	}
	curl_easy_getinfo(request->easy, CURLINFO_CONTENT_TYPE, &type);
	outcome = metric_reader_end(request->reader, type, metric);
	snprintf(detail, size, "%s", metric_outcome_name(outcome));
	return outcome;
}

/* The key of a file that is there and is none to read; NULL where all is well. */
static const char *spoilt_file(const struct config_metric *metric)
{
	const struct {
		const char *key;
		const char *path;
	} files[] = {
		{"tlsCA", metric->tls_ca},
		{"tlsCert", metric->tls_cert},
		{"tlsKey", metric->tls_key},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct stat status;

		if (files[i].path && stat(files[i].path, &status) == 0 && !S_ISREG(status.st_mode))
			return files[i].key;
	}
	return NULL;
}

/*
 * libcurl reads the files itself, at each new connection, and would wait for whoever writes to a
 * FIFO that has taken the place of one. This is its last question before.
 */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct podrequest *request = arg;

	(void)purpose;
	request->spoilt = spoilt_file(request->metric);
	if (request->spoilt)
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool set_tls(struct podrequest *request)
{
	const struct config_metric *metric = request->metric;
	CURL *easy = request->easy;
	bool verify = metric->tls_verify == CONFIG_TRUE;
	bool ok = true;

	if (metric->scheme != CONFIG_HTTPS)
		return true;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Authorities are kept for a day else: those that somebody has renewed, and whose pods have
	 * new certificates, would be missed so long. The system's are many, and slow to read. */
	if (metric->tls_ca)
		curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, (long)CA_KEPT_S);
#endif
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	if (metric->tls_ca)
		ok = curl_easy_setopt(easy, CURLOPT_CAINFO, metric->tls_ca) == CURLE_OK && ok;
	if (metric->tls_cert) {
		ok = curl_easy_setopt(easy, CURLOPT_SSLCERT, metric->tls_cert) == CURLE_OK && ok;
		ok = curl_easy_setopt(easy, CURLOPT_SSLKEY, metric->tls_key) == CURLE_OK && ok;
	}
	return ok;
}

/* Once for each poll: without printf, which costs as much as all else here. */
static void put_host(struct buf *to, const char *host)
{
	bool is_ipv6 = strchr(host, ':') != NULL;

	if (is_ipv6)
		buf_putc(to, '[');
	buf_puts(to, host);
	if (is_ipv6)
		buf_putc(to, ']');
}

/*
 * The URL names the address, or the name that TLS is to verify with the connection led to the
 * address.
 */
static bool set_url(struct podrequest *request, const struct pod *pod)
{
	const struct config_metric *metric = request->metric;
	bool tls = metric->scheme == CONFIG_HTTPS;
	const char *name = tls ? metric->tls_server_name : NULL;
	uint16_t port = metric->port == CONFIG_OWN_PORT ? pod->port : (uint16_t)metric->port;
	char address[TEXT_ENDPOINT_SIZE];
	char to[TEXT_ENDPOINT_SIZE + 2];

	buf_clear(&request->url);
	buf_puts(&request->url, tls ? "https://" : "http://");
	put_host(&request->url, name ? name : pod->address);
	buf_putc(&request->url, ':');
	text_write_i64(&request->url, port);
	buf_puts(&request->url, metric->path);
	if (request->url.failed ||
		curl_easy_setopt(request->easy, CURLOPT_URL, request->url.bytes) != CURLE_OK)
		return false;
	if (!name)
		return true;
	snprintf(to, sizeof(to), "::%s",
		text_format_endpoint(pod->address, port, address, sizeof(address)));
	curl_slist_free_all(request->connect_to);
	request->connect_to = curl_slist_append(NULL, to);
	return curl_easy_setopt(request->easy, CURLOPT_CONNECT_TO, request->connect_to) ==
		       CURLE_OK &&
	       request->connect_to;
}

static bool set_options(struct podrequest *request)
{
	const struct config_metric *metric = request->metric;
	CURL *easy = request->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* Nor does it look for exceptions in the environment then, at every poll. */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)metric->query.max_bytes);
	/* Addresses need no DNS, and pruning its cache at every transfer costs most at scale. */
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "wsbalancer/" WSB_VERSION);
	/* Where HAProxy says send-proxy, the pod's port speaks nothing without that line. */
	if (metric->proxy == CONFIG_PROXY_V1)
		curl_easy_setopt(easy, CURLOPT_HAPROXYPROTOCOL, 1L);
	/* A buffer of a transfer's own, taken and given back with each: this small it costs next to
	 * nothing, and such answers fit in. */
	if (metric->query.format == METRIC_JSON)
		curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)SMALL_BUFFER);
	return set_tls(request);
}

struct podrequest *podrequest_new(const struct config_metric *metric)
{
	struct podrequest *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->metric = metric;
	request->kept = true;
	request->reader = metric_reader_new(&metric->query);
	request->easy = curl_easy_init();
	if (!request->easy || !request->reader || !set_options(request)) {
		podrequest_free(request);
		return NULL;
	}
	return request;
}

void podrequest_free(struct podrequest *request)
{
	if (!request)
		return;
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->connect_to);
	buf_fini(&request->url);
	metric_reader_free(request->reader);
	free(request);
}

void podrequest_keep(struct podrequest *request, bool kept)
{
	request->kept = kept;
}

void *podrequest_arg(CURL *easy)
{
	char *found = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &found);
	return ((struct podrequest *)(void *)found)->arg;
}

bool podrequest_start(struct podrequest *request, const struct pod *pod, struct curlloop *curlloop,
	struct curl_slist *headers, void *arg)
{
	long fresh = workers_wants_fresh(&pod->workers) ? 1L : 0L;

	request->arg = arg;
	metric_reader_begin(request->reader);
	request->error[0] = '\0';
	request->spoilt = NULL;
	answerguard_begin(&request->guard, request->easy);
	curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(request->easy, CURLOPT_FRESH_CONNECT, fresh);
	curl_easy_setopt(
		request->easy, CURLOPT_FORBID_REUSE, fresh == 1L || !request->kept ? 1L : 0L);
	return set_url(request, pod) && curlloop_add(curlloop, request->easy);
}

enum curlloop_wait podrequest_look(
	const struct podrequest *request, const struct curlloop *curlloop, int64_t *came_ms)
{
	return curlloop_look(curlloop, request->easy, came_ms);
}

void podrequest_stop(struct podrequest *request, struct curlloop *curlloop)
{
	curlloop_remove(curlloop, request->easy);
}
