/* SPDX-License-Identifier: MIT */
#include "kube/kubeprobe.h"

#include <stdlib.h>

#include "io/answerguard.h"
#include "io/curlloop.h"
#include "io/log.h"

enum {
	MISSES = 2,                   /* in a row */
	ANSWER_MAX = 8 * 1024 * 1024, /* bytes; a full slice has about 1 MiB */
};

static const double INTERVAL_S = 10.0;

struct kubeprobe {
	struct ev_loop *loop;
	const struct kubeapi *api;
	struct kubeprobe_callbacks callbacks;
	struct curlloop *curlloop;
	CURL *easy;
	struct curl_slist *headers;
	struct answerguard guard;
	ev_timer timer;
	bool running;
	unsigned misses;
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * n;
}

static void on_done(CURL *easy, CURLcode result, void *arg)
{
	struct kubeprobe *probe = arg;

	curlloop_remove(probe->curlloop, easy);
	probe->running = false;
	probe->misses = result == CURLE_OK ? 0 : probe->misses + 1;
	if (result != CURLE_OK) {
		log_debug("the Kubernetes API was asked in vain whether it answers",
			log_str("error", curl_easy_strerror(result)),
			log_int("times", probe->misses));
	}
	if (probe->misses < MISSES)
		return;
	probe->misses = 0;
	probe->callbacks.silent(probe->callbacks.arg);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct kubeprobe *probe = timer->data;
	struct kubeprobe_question question;
	struct kubeapi_request request = {.list = true, .limit = 1};
	struct why why;

	(void)loop;
	(void)events;
	if (probe->running)
		return;
	question = probe->callbacks.question(probe->callbacks.arg);
	if (!question.service) {
		probe->misses = 0;
		return;
	}
	request.namespace = question.namespace;
	request.service = question.service;
	curl_easy_reset(probe->easy);
	curl_easy_setopt(probe->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	answerguard_begin(&probe->guard, probe->easy);
	/* That our own files cannot be read is for the watches to tell. */
	probe->running =
		kubeapi_prepare(probe->api, &request, probe->easy, &probe->headers, &why) &&
		curlloop_add(probe->curlloop, probe->easy);
}

struct kubeprobe *kubeprobe_new(struct ev_loop *loop, const struct kubeapi *api,
	const struct kubeprobe_callbacks *callbacks)
{
	struct kubeprobe *probe = calloc(1, sizeof(*probe));

	if (!probe)
		return NULL;
	probe->loop = loop;
	probe->api = api;
	probe->callbacks = *callbacks;
	ev_timer_init(&probe->timer, on_timer, INTERVAL_S, INTERVAL_S);
	probe->timer.data = probe;
	probe->curlloop = curlloop_new(loop, 1, ANSWER_MAX, on_done, probe);
	probe->easy = curl_easy_init();
	if (!probe->curlloop || !probe->easy) {
		kubeprobe_free(probe);
		return NULL;
	}
	ev_timer_start(loop, &probe->timer);
	return probe;
}

void kubeprobe_free(struct kubeprobe *probe)
{
	if (!probe)
		return;
	ev_timer_stop(probe->loop, &probe->timer);
	if (probe->running)
		curlloop_remove(probe->curlloop, probe->easy);
	if (probe->easy)
		curl_easy_cleanup(probe->easy);
	curl_slist_free_all(probe->headers);
	curlloop_free(probe->curlloop);
	free(probe);
}
