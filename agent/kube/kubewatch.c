/* SPDX-License-Identifier: MIT */
/* Lists and watches the EndpointSlices of Services. */
#include "kube/kubewatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/kube/kubefeed.h"
#include "io/answerguard.h"
#include "io/clock.h"
#include "io/curlloop.h"
#include "io/log.h"
#include "kube/kubeprobe.h"
#include "kube/kubeservice.h"

enum {
	GATHER_MS = 20,              /* a burst of events is one change */
	WIRE_MAX = 64 * 1024 * 1024, /* bytes of an answer, with all that HTTP and TLS add; a watch
					that has had so many begins anew */
};

struct kubewatch {
	struct ev_loop *loop;
	struct kubeapi api;
	int64_t silence_ms;
	struct curlloop *curlloop;
	struct kubeprobe *probe;
	ev_timer gather;
	kubewatch_changed changed;
	void *arg;
	struct kubewatch_service *services;
};

struct kubewatch_service {
	struct kubewatch *kube;
	struct kubewatch_service *next;
	char *namespace;
	char *service;
	struct kubefeed feed;
	struct endpoint *endpoints;
	size_t n_endpoints;
	bool stale; /* endpoints are older than the feed's slices */

	CURL *easy;
	struct curl_slist *headers;
	bool running;
	ev_timer timer; /* to the next request; while a watch runs, to its silence */
	struct answerguard guard;
	char error[CURL_ERROR_SIZE];
	struct log_repeat repeat;
	struct kubeservice *itself; /* NULL: never asked for */
};

static double random01(void)
{
	uint32_t bits = 0;

	/* Short of randomness the delays are merely regular. */
	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits))
		bits = 0;
	return (double)bits / 4294967296.0;
}

static void tell_change(struct kubewatch_service *service)
{
	struct kubewatch *kube = service->kube;

	service->stale = true;
	service->feed.changed = false;
	if (ev_is_active(&kube->gather))
		return;
	ev_timer_set(&kube->gather, GATHER_MS / 1000.0, 0.0);
	ev_timer_start(kube->loop, &kube->gather);
}

static void on_gather(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct kubewatch *kube = timer->data;

	(void)loop;
	(void)events;
	kube->changed(kube->arg);
}

static void set_timer(struct kubewatch_service *service, int64_t delay_ms)
{
	ev_timer_stop(service->kube->loop, &service->timer);
	ev_now_update(service->kube->loop);
	ev_timer_set(&service->timer, (double)delay_ms / 1000.0, 0.0);
	ev_timer_start(service->kube->loop, &service->timer);
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
	struct kubewatch_service *service = arg;
	long code = 0;

	curl_easy_getinfo(service->easy, CURLINFO_RESPONSE_CODE, &code);
	bool more = kubefeed_feed(&service->feed, (unsigned)code, bytes, size * n, clock_now_ms());
	if (service->feed.changed)
		tell_change(service);
	return more ? size * n : 0;
}

static void log_end(struct kubewatch_service *service, const struct kubefeed_next *next)
{
	const struct kubefeed *feed = &service->feed;

	if (next->listed) {
		log_info("Kubernetes lists a Service", log_str("namespace", service->namespace),
			log_str("service", service->service),
			log_int("slices", (int64_t)slicestore_count(feed->slices)),
			log_int("failures_before", (int64_t)log_repeat_end(&service->repeat)));
		return;
	}
	/* The usual end of a watch, or of a version, is no failure. */
	if (next->outcome.end == LISTWATCH_END_CLEAN || next->outcome.code == 410) {
		log_debug("Kubernetes ended a watch", log_str("service", service->service),
			log_int("code", next->outcome.code));
		return;
	}
	/* A watch may break at any time; only what the list after it brings is news. */
	if (!feed->list || log_repeat(&service->repeat)) {
		log_write(feed->list ? CONFIG_LOG_WARN : CONFIG_LOG_INFO,
			feed->list ? "the Kubernetes API fails: endpoints stay as they are"
				   : "a watch at the Kubernetes API broke",
			LOG_FACTS(log_str("namespace", service->namespace),
				log_str("service", service->service),
				log_str("reason", listwatch_end_name(next->outcome.end)),
				log_str("detail", feed->failure.text),
				log_int("times", (int64_t)service->repeat.times),
				log_int("retry_ms", next->delay_ms)));
	}
}

/* The request is over and taken out of libcurl. */
static void go_on(struct kubewatch_service *service, struct kubefeed_next next)
{
	log_end(service, &next);
	if (service->feed.changed)
		tell_change(service);
	set_timer(service, next.delay_ms);
}

static void stop_request(struct kubewatch_service *service)
{
	ev_timer_stop(service->kube->loop, &service->timer);
	if (!service->running)
		return;
	curlloop_remove(service->kube->curlloop, service->easy);
	service->running = false;
}

static const char *detail_of(const struct kubewatch_service *service, CURLcode result)
{
	if (service->guard.refusal != ANSWERGUARD_NONE)
		return answerguard_name(&service->guard);
	if (result == CURLE_FILESIZE_EXCEEDED)
		return "the answer is longer than 64 MiB";
	return service->error[0] ? service->error : curl_easy_strerror(result);
}

static void on_done(CURL *easy, CURLcode result, void *arg)
{
	struct kubewatch_service *service = NULL;
	curl_off_t retry_after_s = 0;
	long code = 0;

	(void)arg;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&service);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	answerguard_end(&service->guard, easy, result);
	struct kubefeed_end end = {
		.whole = result == CURLE_OK,
		.code = (unsigned)code,
		.retry_after_ms = retry_after_s > 0 && retry_after_s < 86400
					  ? (int64_t)retry_after_s * 1000
					  : 0,
		.detail = detail_of(service, result),
	};
	stop_request(service);
	go_on(service, kubefeed_ended(&service->feed, &end, clock_now_ms(), random01()));
}

/* Forgets what the request before has set. */
static void reset_handle(struct kubewatch_service *service)
{
	service->error[0] = '\0';
	curl_easy_reset(service->easy);
	curl_easy_setopt(service->easy, CURLOPT_PRIVATE, service);
	curl_easy_setopt(service->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(service->easy, CURLOPT_WRITEDATA, service);
	curl_easy_setopt(service->easy, CURLOPT_ERRORBUFFER, service->error);
	answerguard_begin(&service->guard, service->easy);
}

static void begin_request(struct kubewatch_service *service)
{
	struct kubewatch *kube = service->kube;
	const struct listwatch *watch = &service->feed.watch;
	struct kubeapi_request request = {
		.service = service->service,
		.namespace = service->namespace,
		.list = watch->list,
		.version = watch->version,
		.plain = watch->plain,
		.watch_s = listwatch_timeout_s(random01()),
	};
	struct why why;

	why_set(&why, "libcurl refuses");
	reset_handle(service);
	kubefeed_begin(&service->feed, clock_now_ms());
	service->running =
		kubeapi_prepare(&kube->api, &request, service->easy, &service->headers, &why) &&
		curlloop_add(kube->curlloop, service->easy);
	if (!service->running) {
		struct kubefeed_end end = {.detail = why.text};

		go_on(service, kubefeed_ended(&service->feed, &end, clock_now_ms(), random01()));
		return;
	}
	if (!request.list)
		set_timer(service, listwatch_silence_left(watch, clock_now_ms()));
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct kubewatch_service *service = timer->data;

	(void)loop;
	(void)events;
	if (!service->running) {
		begin_request(service);
		return;
	}
	int64_t left_ms = listwatch_silence_left(&service->feed.watch, clock_now_ms());
	if (left_ms > 0) {
		set_timer(service, left_ms);
		return;
	}
	stop_request(service);
	go_on(service, kubefeed_silent(&service->feed, clock_now_ms(), random01()));
}

/* A Service whose watch runs, for the probe to ask about. */
static struct kubeprobe_question on_question(void *arg)
{
	const struct kubewatch *kube = arg;

	for (const struct kubewatch_service *service = kube->services; service;
		service = service->next) {
		if (service->running && !service->feed.list)
			return (struct kubeprobe_question){
				.namespace = service->namespace, .service = service->service};
	}
	return (struct kubeprobe_question){.service = NULL};
}

/* The watches that run would tell nothing: they begin anew, with a list. */
static void on_silent(void *arg)
{
	struct kubewatch *kube = arg;

	for (struct kubewatch_service *service = kube->services; service; service = service->next) {
		struct kubefeed_end end = {.detail = "the API server does not answer any more"};

		if (!service->running || service->feed.list)
			continue;
		stop_request(service);
		go_on(service, kubefeed_ended(&service->feed, &end, clock_now_ms(), random01()));
	}
}

struct kubewatch *kubewatch_new(struct ev_loop *loop, struct kubeapi *api, int64_t silence_ms,
	kubewatch_changed changed, void *arg)
{
	struct kubewatch *kube = calloc(1, sizeof(*kube));

	if (!kube) {
		kubeapi_fini(api);
		return NULL;
	}
	*kube = (struct kubewatch){
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
	kube->curlloop = curlloop_new(loop, 4, WIRE_MAX, on_done, kube);
	const struct kubeprobe_callbacks callbacks = {
		.question = on_question, .silent = on_silent, .arg = kube};
	kube->probe = kubeprobe_new(loop, &kube->api, &callbacks);
	if (!kube->curlloop || !kube->probe) {
		kubewatch_free(kube);
		return NULL;
	}
	return kube;
}

static void service_free(struct kubewatch_service *service)
{
	kubeservice_free(service->itself);
	stop_request(service);
	if (service->easy)
		curl_easy_cleanup(service->easy);
	curl_slist_free_all(service->headers);
	kubefeed_fini(&service->feed);
	free(service->endpoints);
	free(service->namespace);
	free(service->service);
	free(service);
}

void kubewatch_free(struct kubewatch *kube)
{
	if (!kube)
		return;
	while (kube->services) {
		struct kubewatch_service *service = kube->services;

		kube->services = service->next;
		service_free(service);
	}
	ev_timer_stop(kube->loop, &kube->gather);
	kubeprobe_free(kube->probe);
	curlloop_free(kube->curlloop);
	kubeapi_fini(&kube->api);
	free(kube);
}

struct kubewatch_service *kubewatch_watch(
	struct kubewatch *kube, const char *namespace, const char *name, const char *port)
{
	struct kubewatch_service *service = calloc(1, sizeof(*service));

	if (!service)
		return NULL;
	service->kube = kube;
	ev_timer_init(&service->timer, on_timer, 0.0, 0.0);
	service->timer.data = service;
	service->namespace = strdup(namespace);
	service->service = strdup(name);
	service->easy = curl_easy_init();
	if (!kubefeed_init(&service->feed, name, port, kube->silence_ms) || !service->namespace ||
		!service->service || !service->easy) {
		service_free(service);
		return NULL;
	}
	service->next = kube->services;
	kube->services = service;
	set_timer(service, 0);
	return service;
}

const struct endpoint *kubewatch_endpoints(struct kubewatch_service *service, size_t *n)
{
	struct endpoint *endpoints;
	size_t n_endpoints;

	/* Out of memory, what was known before still stands. */
	if (service->stale && slicestore_union(service->feed.slices, &endpoints, &n_endpoints)) {
		free(service->endpoints);
		service->endpoints = endpoints;
		service->n_endpoints = n_endpoints;
		service->stale = false;
	}
	*n = service->n_endpoints;
	return service->endpoints;
}

const struct slicestore *kubewatch_slices(const struct kubewatch_service *service)
{
	return service->feed.slices;
}

static void on_service_told(void *arg)
{
	struct kubewatch_service *service = arg;

	tell_change(service);
}

void kubewatch_read_service(struct kubewatch_service *service)
{
	struct kubewatch *kube = service->kube;

	if (!service->itself)
		service->itself = kubeservice_new(kube->loop, &kube->api, service->namespace,
			service->service, on_service_told, service);
	if (service->itself)
		kubeservice_ask(service->itself);
}

const struct ownports *kubewatch_own_ports(const struct kubewatch_service *service)
{
	return service->itself ? kubeservice_ports(service->itself) : NULL;
}

struct kubewatch_status kubewatch_service_status(const struct kubewatch_service *service)
{
	return (struct kubewatch_status){
		.namespace = service->namespace,
		.service = service->service,
		.watching = service->running && !service->feed.list,
		.error = service->feed.failure.text,
		.watch = &service->feed.watch,
		.n_slices = slicestore_count(service->feed.slices),
	};
}
