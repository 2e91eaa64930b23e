/* SPDX-License-Identifier: MIT */
/* Polls pods with libcurl. */
#include "poller.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "curlloop.h"
#include "headers.h"

enum {
	GROUP_PODS = 250, /* of one multi handle, measured: agent/DESIGN.md, "Scale" */
	EAGER_PODS = 50,  /* new at once: asked at once; more are spread over an interval */
};

struct group {
	struct group *next;
	struct curlloop *curlloop;
	unsigned n_polls;
};

/* A pod that is polled. */
struct poll {
	struct poller *poller;
	struct group *group;
	struct pod *pod;
	CURL *easy;
	ev_timer timer;
	bool settled; /* asked at its own moment of the interval from now on */
	bool in_flight;
	struct curl_slist *headers;    /* while in flight */
	struct curl_slist *connect_to; /* or NULL */
	int64_t started_ms;
	char error[CURL_ERROR_SIZE];
	bool too_large;
	size_t len;
	size_t size;
	char *body;
};

struct poller {
	struct ev_loop *loop;
	const struct config *config;
	poller_answer answer;
	void *arg;
	struct headers *headers;
	struct group *groups;
	/* While poller_sync runs: */
	unsigned n_started;
	bool failed;
};

/* ---- one answer ---- */

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct poll *poll = arg;

	(void)one;
	if (n > METRIC_BODY_MAX - poll->len) {
		poll->too_large = true;
		return 0; /* ends the transfer */
	}
	if (poll->len + n > poll->size) {
		char *grown = realloc(poll->body, poll->len + n);

		if (!grown)
			return 0;
		poll->body = grown;
		poll->size = poll->len + n;
	}
	memcpy(poll->body + poll->len, bytes, n);
	poll->len += n;
	return n;
}

/* What libcurl's results mean here. */
static enum metric_outcome outcome_of(const struct poll *poll, CURLcode result)
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
		{CURLE_FILESIZE_EXCEEDED, METRIC_TOO_LARGE},
		{CURLE_OUT_OF_MEMORY, METRIC_OUT_OF_MEMORY},
	};

	if (poll->too_large)
		return METRIC_TOO_LARGE;
	for (size_t i = 0; i < sizeof(map) / sizeof(*map); i++) {
		if (map[i].code == result)
			return map[i].outcome;
	}
	return METRIC_BROKEN;
}

/* Writes the failure in words to detail. */
static enum metric_outcome judge(struct poll *poll, CURLcode result, struct metric *metric,
	char *detail, size_t size)
{
	enum metric_outcome outcome;
	long status = 0;

	if (result != CURLE_OK) {
		outcome = outcome_of(poll, result);
		if (outcome == METRIC_TOO_LARGE)
			snprintf(detail, size, "%s", metric_outcome_text(outcome));
		else
			snprintf(detail, size, "%s",
				poll->error[0] ? poll->error : curl_easy_strerror(result));
		return outcome;
	}
	curl_easy_getinfo(poll->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		outcome = status >= 300 && status < 400 ? METRIC_REDIRECT : METRIC_BAD_STATUS;
		snprintf(detail, size, "%s: %ld", metric_outcome_text(outcome), status);
		return outcome;
	}
	outcome = metric_parse(poll->body ? poll->body : "", poll->len,
		poll->poller->config->metric_key, metric);
	snprintf(detail, size, "%s", metric_outcome_text(outcome));
	return outcome;
}

/* Takes the request off the multi handle; the connection is kept there. */
static void end_flight(struct poll *poll)
{
	if (!poll->in_flight)
		return;
	curlloop_remove(poll->group->curlloop, poll->easy);
	headers_put(poll->poller->headers, poll->headers);
	poll->in_flight = false;
}

static void on_done(CURL *easy, CURLcode result, void *arg)
{
	struct poll *poll = NULL;
	struct metric metric;
	char detail[CURL_ERROR_SIZE];
	enum metric_outcome outcome;
	double seconds;

	(void)arg;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&poll);
	end_flight(poll);
	seconds = (double)(clock_now_ms() - poll->started_ms) / 1000.0;
	outcome = judge(poll, result, &metric, detail, sizeof(detail));
	poll->poller->answer(poll->pod, outcome, outcome == METRIC_OK ? &metric : NULL, detail,
		seconds, poll->poller->arg);
}

/* A pod's own moment in the interval, 0..1, from its name, so that restarted agents and further
 * ones agree on nothing and still spread (FNV-1a). */
static double moment(const char *key)
{
	uint32_t hash = 2166136261u;

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619u;
	return (double)hash / 4294967296.0;
}

/* From now on the pod is asked at its own moment of each interval. */
static void settle(struct poll *poll)
{
	double interval_s = (double)poll->poller->config->poll_interval_ms / 1000.0;

	poll->settled = true;
	ev_timer_set(&poll->timer, moment(poll->pod->key) * interval_s, interval_s);
	ev_timer_start(poll->poller->loop, &poll->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct poll *poll = timer->data;

	(void)loop;
	(void)events;
	if (!poll->settled)
		settle(poll);
	/* The timeout is no longer than the interval, so this is rare: a late loop. */
	if (poll->in_flight)
		return;
	poll->len = 0;
	poll->too_large = false;
	poll->error[0] = '\0';
	poll->started_ms = clock_now_ms();
	poll->headers = headers_get(poll->poller->headers, poll->started_ms);
	curl_easy_setopt(poll->easy, CURLOPT_HTTPHEADER, poll->headers);
	poll->in_flight = true;
	if (!curlloop_add(poll->group->curlloop, poll->easy)) {
		end_flight(poll);
		poll->poller->answer(poll->pod, METRIC_OUT_OF_MEMORY, NULL, "out of memory", 0.0,
			poll->poller->arg);
	}
}

/* ---- starting and stopping ---- */

static bool set_tls(CURL *easy, const struct config *config)
{
	bool well = true;

	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, config->tls_verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, config->tls_verify ? 2L : 0L);
	if (config->tls_ca)
		well = curl_easy_setopt(easy, CURLOPT_CAINFO, config->tls_ca) == CURLE_OK && well;
	if (config->tls_cert) {
		well = curl_easy_setopt(easy, CURLOPT_SSLCERT, config->tls_cert) == CURLE_OK && well;
		well = curl_easy_setopt(easy, CURLOPT_SSLKEY, config->tls_key) == CURLE_OK && well;
	}
	return well;
}

/*
 * The URL names the address, or the name that TLS is to verify with the connection led to the
 * address.
 */
static bool set_url(struct poll *poll, const struct config *config)
{
	const struct pod *pod = poll->pod;
	bool ipv6 = strchr(pod->address, ':') != NULL;
	unsigned port = config->metric_port != 0 ? config->metric_port : pod->port;
	bool named = config->metric_scheme == CONFIG_HTTPS && config->tls_server_name;
	char *url = NULL;
	char *to = NULL;
	bool well = false;

	if (asprintf(&to, "%s%s%s", ipv6 ? "[" : "", pod->address, ipv6 ? "]" : "") < 0)
		return false;
	if (asprintf(&url, "%s://%s:%u%s",
		    config->metric_scheme == CONFIG_HTTPS ? "https" : "http",
		    named ? config->tls_server_name : to, port, config->metric_path) >= 0) {
		well = curl_easy_setopt(poll->easy, CURLOPT_URL, url) == CURLE_OK;
		free(url);
	}
	if (well && named) {
		char *connect_to = NULL;

		well = asprintf(&connect_to, "::%s:%u", to, port) >= 0;
		if (well) {
			poll->connect_to = curl_slist_append(NULL, connect_to);
			free(connect_to);
			well = poll->connect_to &&
				curl_easy_setopt(poll->easy, CURLOPT_CONNECT_TO,
					poll->connect_to) == CURLE_OK;
		}
	}
	free(to);
	return well;
}

static bool set_options(struct poll *poll, const struct config *config)
{
	CURL *easy = poll->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, poll);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, poll);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, poll->error);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)config->poll_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE, (long)METRIC_BODY_MAX);
	/* Addresses need no DNS, and pruning its cache at every transfer costs most at scale. */
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "wsbalancer/" WSB_VERSION);
	return set_tls(easy, config) && set_url(poll, config);
}

/* A group with room, made where all are full. */
static struct group *take_group(struct poller *poller)
{
	struct group *group;

	for (group = poller->groups; group; group = group->next) {
		if (group->n_polls < GROUP_PODS)
			return group;
	}
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->curlloop = curlloop_new(poller->loop, GROUP_PODS, on_done, poller);
	if (!group->curlloop) {
		free(group);
		return NULL;
	}
	group->next = poller->groups;
	poller->groups = group;
	return group;
}

static void poll_free(struct poll *poll)
{
	if (!poll)
		return;
	ev_timer_stop(poll->poller->loop, &poll->timer);
	end_flight(poll);
	if (poll->group)
		poll->group->n_polls--;
	curl_easy_cleanup(poll->easy);
	curl_slist_free_all(poll->connect_to);
	free(poll->body);
	free(poll);
}

static bool start(struct poller *poller, struct pod *pod)
{
	struct poll *poll = calloc(1, sizeof(*poll));

	if (!poll)
		return false;
	poll->poller = poller;
	poll->pod = pod;
	ev_init(&poll->timer, on_timer);
	poll->timer.data = poll;
	poll->easy = curl_easy_init();
	poll->group = take_group(poller);
	if (poll->group)
		poll->group->n_polls++;
	if (!poll->easy || !poll->group || !set_options(poll, poller->config)) {
		poll_free(poll);
		return false;
	}
	/* A few new pods are asked at once; a crowd would be a burst, now and in every interval. */
	if (poller->n_started++ < EAGER_PODS) {
		ev_timer_set(&poll->timer, 0.0, 0.0);
		ev_timer_start(poller->loop, &poll->timer);
	} else {
		settle(poll);
	}
	pod->poll = poll;
	return true;
}

void poller_drop(struct poller *poller, struct pod *pod)
{
	(void)poller;
	poll_free(pod->poll);
	pod->poll = NULL;
}

static void sync_pod(struct pod *pod, void *arg)
{
	struct poller *poller = arg;

	if (pod->wanted && !pod->poll)
		poller->failed = !start(poller, pod) || poller->failed;
	else if (!pod->wanted && pod->poll)
		poller_drop(poller, pod);
}

bool poller_sync(struct poller *poller, struct cluster *cluster)
{
	poller->n_started = 0;
	poller->failed = false;
	cluster_each_pod(cluster, sync_pod, poller);
	return !poller->failed;
}

static void drop_pod(struct pod *pod, void *arg)
{
	poller_drop(arg, pod);
}

void poller_drop_all(struct poller *poller, struct cluster *cluster)
{
	cluster_each_pod(cluster, drop_pod, poller);
}

struct poller *poller_new(struct ev_loop *loop, const struct config *config, poller_answer answer,
	void *arg)
{
	struct poller *poller = calloc(1, sizeof(*poller));

	if (!poller)
		return NULL;
	poller->loop = loop;
	poller->config = config;
	poller->answer = answer;
	poller->arg = arg;
	poller->headers = headers_new(config->metric_headers, config->n_metric_headers);
	if (!poller->headers) {
		free(poller);
		return NULL;
	}
	return poller;
}

void poller_free(struct poller *poller)
{
	if (!poller)
		return;
	while (poller->groups) {
		struct group *group = poller->groups;

		poller->groups = group->next;
		curlloop_free(group->curlloop);
		free(group);
	}
	headers_free(poller->headers);
	free(poller);
}
