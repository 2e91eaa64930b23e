/* SPDX-License-Identifier: MIT */
#include "kube/kubeservice.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "io/answerguard.h"
#include "io/curlloop.h"
#include "io/log.h"

enum { ANSWER_MAX = 1536 * 1024 }; /* bytes: etcd's limit of an object */

struct kubeservice {
	const struct kubeapi *api;
	char *namespace;
	char *service;
	kubeservice_told told;
	void *arg;
	struct curlloop *curlloop;
	CURL *easy;
	struct curl_slist *headers;
	struct answerguard guard;
	struct buf body;
	bool running;
	struct ownports *ports; /* NULL: not known */
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
	struct kubeservice *service = arg;

	if (service->body.len + size * n > ANSWER_MAX)
		return 0;
	buf_append(&service->body, bytes, size * n);
	return service->body.failed ? 0 : size * n;
}

static void read_ports(struct kubeservice *service)
{
	struct ownports *ports = calloc(1, sizeof(*ports));
	struct why why;

	if (!ports || !ownports_read(buf_text(&service->body), service->body.len, ports, &why)) {
		free(ports);
		return;
	}
	free(service->ports);
	service->ports = ports;
	service->told(service->arg);
}

static void on_done(CURL *easy, CURLcode result, void *arg)
{
	struct kubeservice *service = arg;
	long code = 0;

	curlloop_remove(service->curlloop, easy);
	service->running = false;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
	if (result == CURLE_OK && code == 200)
		read_ports(service);
	else
		log_debug("a Service cannot be read", log_str("namespace", service->namespace),
			log_str("service", service->service), log_int("code", code),
			log_str("error", result == CURLE_OK ? "" : curl_easy_strerror(result)));
}

struct kubeservice *kubeservice_new(struct ev_loop *loop, const struct kubeapi *api,
	const char *namespace, const char *name, kubeservice_told told, void *arg)
{
	struct kubeservice *service = calloc(1, sizeof(*service));

	if (!service)
		return NULL;
	service->api = api;
	service->told = told;
	service->arg = arg;
	service->namespace = strdup(namespace);
	service->service = strdup(name);
	service->curlloop = curlloop_new(loop, 1, ANSWER_MAX, on_done, service);
	service->easy = curl_easy_init();
	if (!service->namespace || !service->service || !service->curlloop || !service->easy) {
		kubeservice_free(service);
		return NULL;
	}
	return service;
}

void kubeservice_free(struct kubeservice *service)
{
	if (!service)
		return;
	if (service->running)
		curlloop_remove(service->curlloop, service->easy);
	if (service->easy)
		curl_easy_cleanup(service->easy);
	curl_slist_free_all(service->headers);
	curlloop_free(service->curlloop);
	buf_fini(&service->body);
	free(service->ports);
	free(service->namespace);
	free(service->service);
	free(service);
}

void kubeservice_ask(struct kubeservice *service)
{
	const struct kubeapi_request request = {
		.namespace = service->namespace,
		.service = service->service,
		.list = true,
		.object = true,
	};
	struct why why;

	if (service->running)
		return;
	buf_clear(&service->body);
	curl_easy_reset(service->easy);
	curl_easy_setopt(service->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(service->easy, CURLOPT_WRITEDATA, service);
	answerguard_begin(&service->guard, service->easy);
	service->running =
		kubeapi_prepare(service->api, &request, service->easy, &service->headers, &why) &&
		curlloop_add(service->curlloop, service->easy);
}

const struct ownports *kubeservice_ports(const struct kubeservice *service)
{
	return service->ports;
}
