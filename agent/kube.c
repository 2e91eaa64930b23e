/* SPDX-License-Identifier: MIT */
/* Lists and watches the EndpointSlices of Services. */
#include "kube.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "core/jsonget.h"
#include "core/jsonstream.h"
#include "core/slices.h"
#include "curlloop.h"
#include "log.h"

enum {
	EVENT_MAX = 8 * 1024 * 1024, /* bytes of one event; a full slice has about 1 MiB */
	LIST_MAX = 64 * 1024 * 1024, /* 2,000 endpoints are 0.5 MB */
	REFUSAL_MAX = 2048,          /* of a Status that says why not */
	GATHER_MS = 20,              /* a burst of events is one change */
};

struct kube {
	struct ev_loop *loop;
	struct kubeapi api;
	int64_t silence_ms;
	struct curlloop *curlloop;
	ev_timer gather;
	kube_changed changed;
	void *arg;
	struct kube_service *services;
};

struct kube_service {
	struct kube *kube;
	struct kube_service *next;
	char *namespace;
	char *service;
	struct slices *slices;
	struct endpoint *endpoints;
	size_t n_endpoints;
	bool stale;              /* endpoints are older than slices */

	struct watch watch;
	CURL *easy;
	struct curl_slist *headers;
	bool running;
	bool list;               /* the running request is a LIST */
	ev_timer timer;          /* to the next request; while a watch runs, to its silence */
	struct jsonstream stream;
	struct json_object *listing; /* the list that came in this request; NULL: none yet */
	bool broken_off;         /* by us: verdict holds why */
	struct watch_outcome verdict;
	char refusal[REFUSAL_MAX];
	size_t refusal_len;
	char error[CURL_ERROR_SIZE];
	char failure[256];
	struct log_repeat repeat;
};

static double random01(void)
{
	uint32_t bits = 0;

	/* Short of randomness the delays are merely regular. */
	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
		bits = 0;
	return (double)bits / 4294967296.0;
}

static void tell_change(struct kube_service *service)
{
	struct kube *kube = service->kube;

	service->stale = true;
	if (ev_is_active(&kube->gather))
		return;
	ev_timer_set(&kube->gather, GATHER_MS / 1000.0, 0.0);
	ev_timer_start(kube->loop, &kube->gather);
}

static void on_gather(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct kube *kube = timer->data;

	(void)loop;
	(void)events;
	kube->changed(kube->arg);
}

static void set_timer(struct kube_service *service, int64_t delay_ms)
{
	ev_timer_stop(service->kube->loop, &service->timer);
	ev_now_update(service->kube->loop);
	ev_timer_set(&service->timer, (double)delay_ms / 1000.0, 0.0);
	ev_timer_start(service->kube->loop, &service->timer);
}

/* Ends the running request from inside its own callback; what it returns to libcurl does it. */
static void break_off(struct kube_service *service, enum watch_end end, unsigned code,
	const char *detail)
{
	service->broken_off = true;
	service->verdict = (struct watch_outcome){.end = end, .code = code};
	snprintf(service->failure, sizeof(service->failure), "%s", detail);
}

/* A list counts only when its answer has come whole and holds nothing else. */
static void keep_list(struct kube_service *service, struct json_object *list)
{
	if (service->listing)
		break_off(service, WATCH_END_MALFORMED, 0, "more than one list");
	else
		service->listing = json_object_get(list);
}

static bool take_list(struct kube_service *service)
{
	const char *version, *why;

	if (!slices_replace(service->slices, service->listing, &version, &why)) {
		snprintf(service->failure, sizeof(service->failure), "%s", why);
		return false;
	}
	tell_change(service);
	if (watch_listed(&service->watch, version, clock_now_ms()))
		return true;
	snprintf(service->failure, sizeof(service->failure), "a version that is too long");
	return false;
}

static void take_event(struct kube_service *service, struct json_object *event)
{
	struct slices_news news = slices_apply(service->slices, event);

	switch (news.event) {
	case SLICES_CHANGED:
		tell_change(service);
		break;
	case SLICES_BOOKMARK:
	case SLICES_IGNORED:
		break;
	case SLICES_ERROR:
		break_off(service, WATCH_END_EVENT, news.code, news.reason);
		return;
	case SLICES_MALFORMED:
		break_off(service, WATCH_END_MALFORMED, 0, news.reason);
		return;
	}
	if (!watch_heard(&service->watch, news.version, clock_now_ms()))
		break_off(service, WATCH_END_MALFORMED, 0, "a version that is too long");
}

/* A Status says in words who may not do what. */
static void keep_refusal(struct kube_service *service, const char *bytes, size_t len)
{
	size_t room = sizeof(service->refusal) - 1 - service->refusal_len;

	if (len > room)
		len = room;
	memcpy(service->refusal + service->refusal_len, bytes, len);
	service->refusal_len += len;
	service->refusal[service->refusal_len] = '\0';
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
	struct kube_service *service = arg;
	const char *piece = bytes;
	size_t len = size * n;
	long code = 0;

	curl_easy_getinfo(service->easy, CURLINFO_RESPONSE_CODE, &code);
	if (code != 200) {
		keep_refusal(service, bytes, len);
		return size * n;
	}
	while (!service->broken_off) {
		struct json_object *object;

		switch (jsonstream_next(&service->stream, &piece, &len, &object)) {
		case JSONSTREAM_OBJECT:
			if (service->list)
				keep_list(service, object);
			else
				take_event(service, object);
			json_object_put(object);
			break;
		case JSONSTREAM_MORE:
			return size * n;
		case JSONSTREAM_BAD:
			break_off(service, WATCH_END_MALFORMED, 0, "not JSON, or too large");
			break;
		}
	}
	return 0;
}

static void read_refusal(struct kube_service *service, unsigned code)
{
	struct json_object *status = json_tokener_parse(service->refusal);
	const char *message = status ? jsonget_text(status, "message") : NULL;

	if (message)
		snprintf(service->failure, sizeof(service->failure), "HTTP %u: %s", code, message);
	else
		snprintf(service->failure, sizeof(service->failure), "HTTP %u", code);
	json_object_put(status);
}

/* How the request ended that libcurl says is over. */
static struct watch_outcome judge(struct kube_service *service, CURLcode result)
{
	struct watch_outcome outcome = {.end = WATCH_END_CLEAN};
	curl_off_t retry_after = 0;
	long code = 0;

	if (service->broken_off)
		return service->verdict;
	curl_easy_getinfo(service->easy, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_getinfo(service->easy, CURLINFO_RETRY_AFTER, &retry_after);
	if (result != CURLE_OK) {
		outcome.end = WATCH_END_TRANSPORT;
		snprintf(service->failure, sizeof(service->failure), "%s",
			service->error[0] ? service->error : curl_easy_strerror(result));
	} else if (code != 200) {
		outcome.end = WATCH_END_HTTP;
		outcome.code = (unsigned)code;
		if (retry_after > 0 && retry_after < 86400)
			outcome.retry_after_ms = retry_after * 1000;
		read_refusal(service, outcome.code);
	} else if (service->stream.n_bytes > 0) {
		outcome.end = WATCH_END_TRANSPORT;
		snprintf(service->failure, sizeof(service->failure), "ended within an object");
	} else if (service->list && !service->listing) {
		outcome.end = WATCH_END_MALFORMED;
		snprintf(service->failure, sizeof(service->failure), "an empty answer");
	}
	return outcome;
}

static void log_failure(struct kube_service *service, const struct watch_outcome *outcome,
	int64_t delay_ms)
{
	/* The usual end of a watch, or of a version, is no failure. */
	if (outcome->end == WATCH_END_CLEAN || outcome->code == 410) {
		log_debug("Kubernetes ended a watch", log_str("service", service->service),
			log_int("code", outcome->code));
		return;
	}
	/* A watch may break at any time; only what the list after it brings is news. */
	if (!service->list || log_repeat(&service->repeat))
		log_write(service->list ? CONFIG_LOG_WARN : CONFIG_LOG_INFO,
			service->list ? "the Kubernetes API fails: endpoints stay as they are"
				      : "a watch at the Kubernetes API broke",
			LOG_FACTS(log_str("namespace", service->namespace),
				log_str("service", service->service),
				log_str("reason", watch_end_text(outcome->end)),
				log_str("detail", service->failure),
				log_int("times", (int64_t)service->repeat.times),
				log_int("retry_ms", delay_ms)));
}

static void begin_request(struct kube_service *service);

static void request_ended(struct kube_service *service, struct watch_outcome outcome)
{
	int64_t now_ms = clock_now_ms();
	bool good = outcome.end == WATCH_END_CLEAN;

	if (service->list && good) {
		if (take_list(service)) {
			uint64_t failures = log_repeat_end(&service->repeat);

			log_info("Kubernetes lists a Service",
				log_str("namespace", service->namespace),
				log_str("service", service->service),
				log_int("slices", (int64_t)slices_count(service->slices)),
				log_int("failures_before", (int64_t)failures));
			service->failure[0] = '\0';
			begin_request(service);
			return;
		}
		outcome.end = WATCH_END_MALFORMED;
	}
	int64_t delay_ms = watch_ended(&service->watch, &outcome, now_ms, random01());
	log_failure(service, &outcome, delay_ms);
	set_timer(service, delay_ms);
}

static void stop_request(struct kube_service *service)
{
	ev_timer_stop(service->kube->loop, &service->timer);
	if (!service->running)
		return;
	curlloop_remove(service->kube->curlloop, service->easy);
	service->running = false;
}

static void on_done(CURL *easy, CURLcode result, void *arg)
{
	struct kube_service *service = NULL;

	(void)arg;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&service);
	struct watch_outcome outcome = judge(service, result);
	stop_request(service);
	request_ended(service, outcome);
}

/* Forgets what the request before has left. */
static void clear_request(struct kube_service *service)
{
	json_object_put(service->listing);
	service->listing = NULL;
	service->broken_off = false;
	service->refusal_len = 0;
	service->refusal[0] = '\0';
	service->error[0] = '\0';
	service->stream.cap_bytes = service->list ? LIST_MAX : EVENT_MAX;
	jsonstream_reset(&service->stream);
	curl_easy_reset(service->easy);
	curl_easy_setopt(service->easy, CURLOPT_PRIVATE, service);
	curl_easy_setopt(service->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(service->easy, CURLOPT_WRITEDATA, service);
	curl_easy_setopt(service->easy, CURLOPT_ERRORBUFFER, service->error);
}

static void begin_request(struct kube_service *service)
{
	struct kube *kube = service->kube;
	struct kubeapi_request request = {
		.service = service->service,
		.namespace = service->namespace,
		.list = service->watch.list,
		.version = service->watch.version,
		.plain = service->watch.plain,
		.watch_s = watch_timeout_s(random01()),
	};
	const char *why = "libcurl refuses";

	service->list = service->watch.list;
	clear_request(service);
	watch_begin(&service->watch, clock_now_ms());
	service->running = kubeapi_prepare(&kube->api, &request, service->easy, &service->headers,
				   &why) &&
		curlloop_add(kube->curlloop, service->easy);
	if (!service->running) {
		snprintf(service->failure, sizeof(service->failure), "%s", why);
		request_ended(service, (struct watch_outcome){.end = WATCH_END_TRANSPORT});
		return;
	}
	if (!service->list)
		set_timer(service, watch_silence_left(&service->watch, clock_now_ms()));
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct kube_service *service = timer->data;

	(void)loop;
	(void)events;
	if (!service->running) {
		begin_request(service);
		return;
	}
	int64_t left_ms = watch_silence_left(&service->watch, clock_now_ms());
	if (left_ms > 0) {
		set_timer(service, left_ms);
		return;
	}
	snprintf(service->failure, sizeof(service->failure), "no event and no bookmark");
	stop_request(service);
	request_ended(service, (struct watch_outcome){.end = WATCH_END_SILENT});
}

struct kube *kube_new(struct ev_loop *loop, struct kubeapi *api, int64_t silence_ms,
	kube_changed changed, void *arg)
{
	struct kube *kube = calloc(1, sizeof(*kube));

	if (!kube) {
		kubeapi_fini(api);
		return NULL;
	}
	*kube = (struct kube){
		.loop = loop,
		.api = *api,
		.silence_ms = silence_ms,
		.changed = changed,
		.arg = arg,
	};
	*api = (struct kubeapi){.server = NULL};
	ev_timer_init(&kube->gather, on_gather, 0.0, 0.0);
	kube->gather.data = kube;
	/* A broken path's idle connections would only be tried in vain. */
	kube->curlloop = curlloop_new(loop, 4, on_done, kube);
	if (!kube->curlloop) {
		kube_free(kube);
		return NULL;
	}
	return kube;
}

static void service_free(struct kube_service *service)
{
	stop_request(service);
	if (service->easy)
		curl_easy_cleanup(service->easy);
	curl_slist_free_all(service->headers);
	jsonstream_fini(&service->stream);
	slices_free(service->slices);
	free(service->endpoints);
	json_object_put(service->listing);
	free(service->namespace);
	free(service->service);
	free(service);
}

void kube_free(struct kube *kube)
{
	if (!kube)
		return;
	while (kube->services) {
		struct kube_service *service = kube->services;

		kube->services = service->next;
		service_free(service);
	}
	ev_timer_stop(kube->loop, &kube->gather);
	curlloop_free(kube->curlloop);
	kubeapi_fini(&kube->api);
	free(kube);
}

struct kube_service *kube_watch(struct kube *kube, const char *namespace, const char *name,
	const char *port)
{
	struct kube_service *service = calloc(1, sizeof(*service));

	if (!service)
		return NULL;
	service->kube = kube;
	ev_timer_init(&service->timer, on_timer, 0.0, 0.0);
	service->timer.data = service;
	watch_init(&service->watch, kube->silence_ms);
	service->namespace = strdup(namespace);
	service->service = strdup(name);
	service->slices = slices_new(name, port);
	service->easy = curl_easy_init();
	if (!jsonstream_init(&service->stream, LIST_MAX) || !service->namespace ||
		!service->service || !service->slices || !service->easy) {
		service_free(service);
		return NULL;
	}
	service->next = kube->services;
	kube->services = service;
	set_timer(service, 0);
	return service;
}

const struct endpoint *kube_endpoints(struct kube_service *service, size_t *n)
{
	struct endpoint *endpoints;
	size_t n_endpoints;

	/* Out of memory, what was known before still stands. */
	if (service->stale && slices_union(service->slices, &endpoints, &n_endpoints)) {
		free(service->endpoints);
		service->endpoints = endpoints;
		service->n_endpoints = n_endpoints;
		service->stale = false;
	}
	*n = service->n_endpoints;
	return service->endpoints;
}

struct kube_status kube_service_status(const struct kube_service *service)
{
	return (struct kube_status){
		.namespace = service->namespace,
		.service = service->service,
		.watching = service->running && !service->list,
		.error = service->failure,
		.watch = &service->watch,
		.n_slices = slices_count(service->slices),
	};
}
