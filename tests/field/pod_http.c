/* SPDX-License-Identifier: MIT */
/* The plain requests to a pod: /metric with all its ways to misbehave, /truth without, and /health.
 */
#include "pod.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 1024 };

/* Sends head and body in one piece; the answer to HEAD is the head alone. */
static int answer(struct lws *wsi, unsigned status, const char *type, const char *body)
{
	size_t body_bytes = strlen(body);
	unsigned char *buffer = malloc(LWS_PRE + HEADER_BYTES + body_bytes);
	if (!buffer)
		return -1;

	unsigned char *start = buffer + LWS_PRE;
	unsigned char *p = start;
	unsigned char *end = start + HEADER_BYTES;
	int result = -1;
	if (lws_add_http_common_headers(wsi, status, type, body_bytes, &p, end) == 0 &&
		lws_finalize_http_header(wsi, &p, end) == 0) {
		if (lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) == 0) {
			memcpy(p, body, body_bytes);
			p += body_bytes;
		}
		if (lws_write(wsi, start, (size_t)(p - start), LWS_WRITE_HTTP_FINAL) >= 0)
			result = lws_http_transaction_completed(wsi) ? -1 : 0;
		/* An idle connection stays as long as the client likes. With a timeout for each, of
		 * thousands of pods, libwebsockets would only walk its list of timeouts. */
		if (result == 0)
			lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
	}
	free(buffer);
	return result;
}

static void add_text(struct json_object *object, const char *key, const char *value)
{
	if (value)
		json_object_object_add(object, key, json_object_new_string(value));
}

static int answer_count(struct lws *wsi, unsigned status, int64_t count)
{
	const struct pod *pod = pod_of(wsi);
	const struct pod_metric *metric = &pod->host->metric;
	struct json_object *object = json_object_new_object();
	if (!object)
		return -1;
	json_object_object_add(object, "agentsConnections", json_object_new_int64(count));
	add_text(object, "podName", pod->name);
	add_text(object, "podIP", pod->host->ip);
	add_text(object, "nodeName", pod->host->node);
	if (metric->capacity > 0)
		json_object_object_add(object, "capacity", json_object_new_int64(metric->capacity));
	if (metric->draining)
		json_object_object_add(object, "draining", json_object_new_boolean(true));
	const char *text = json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	int result = text ? answer(wsi, status, "application/json", text) : -1;
	json_object_put(object);
	return result;
}

/* What the pod holds, or held a while ago where it counts now and then. */
static int64_t count_kept(struct pod *pod)
{
	int64_t now_us = loop_now_us();

	if (pod->kept_us == 0 || now_us - pod->kept_us >= pod->host->metric.every_ms * 1000) {
		pod->n_kept = pod->n_websockets;
		pod->kept_us = now_us;
	}
	return pod->n_kept;
}

static int answer_metric(struct lws *wsi)
{
	struct pod *pod = pod_of(wsi);
	const struct pod_metric *metric = &pod->host->metric;
	unsigned status = (unsigned)metric->status;

	if (metric->body)
		return answer(wsi, status, "application/json", metric->body);
	return answer_count(wsi, status, metric->lies ? metric->lie : count_kept(pod));
}

static void on_delay_over(struct ev_loop *ev, ev_timer *timer, int revents)
{
	struct pod_session *session = timer->data;
	(void)ev;
	(void)revents;
	lws_callback_on_writable(session->wsi);
}

static int on_request(struct lws *wsi, struct pod_session *session, const char *path)
{
	struct pod_host *host = pod_of(wsi)->host;
	if (strcmp(path, "/health") == 0)
		return answer(wsi, 200, "text/plain", "ok\n");
	if (strcmp(path, "/truth") == 0)
		return answer_count(wsi, 200, pod_of(wsi)->n_websockets);
	if (strcmp(path, host->metric.path) != 0)
		return answer(
			wsi, 404, "text/plain", "no such page: this is a WebSocket echo pod\n");
	if (host->metric.silent)
		return 0;
	if (host->metric.delay_ms == 0)
		return answer_metric(wsi);

	session->wsi = wsi;
	session->answers_later = true;
	ev_timer_init(&session->delay, on_delay_over, 0.0, 0.0);
	session->delay.data = session;
	loop_timer_start(&host->loop, &session->delay, host->metric.delay_ms * 1000);
	return 0;
}

int pod_http_event(struct lws *wsi, enum lws_callback_reasons reason, struct pod_session *session,
	const char *path)
{
	if (!session)
		return 0;
	switch ((int)reason) {
	case LWS_CALLBACK_HTTP:
		return on_request(wsi, session, path);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		if (!session->answers_later)
			return 0;
		session->answers_later = false;
		return answer_metric(wsi);
	default: /* the connection ends, or becomes a WebSocket */
		ev_timer_stop(pod_of(wsi)->host->loop.ev, &session->delay);
		session->answers_later = false;
		return 0;
	}
}
