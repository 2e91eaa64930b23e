/* SPDX-License-Identifier: MIT */
/* One pod's /metric request, made again and again over one connection. */
#ifndef WSB_PODREQUEST_H
#define WSB_PODREQUEST_H

#include <curl/curl.h>
#include <stddef.h>

#include "core/cluster/pod.h"
#include "core/config/config.h"
#include "core/metric/metric.h"
#include "io/curlloop.h"

struct podrequest;

/* Bytes that an answer may have on the wire beside its body: head, chunk sizes, TLS. */
enum { PODREQUEST_HEAD_MAX = 16 * 1024 };

/*
 * Nothing is sent yet. arg is what podrequest_arg gives back. The configuration and the pod
 * must outlive it. NULL when out of memory, or when libcurl refuses a setting.
 */
struct podrequest *podrequest_new(
	const struct config_metric *metric, long timeout_ms, const struct pod *pod, void *arg);
/* It must not be under way. Takes NULL. */
void podrequest_free(struct podrequest *request);

/* What podrequest_new was given, from the handle that a curlloop reports as done. */
void *podrequest_arg(CURL *easy);

/* Sends it with these headers, which must stay valid until it has ended or was stopped; fresh: over
 * a connection of its own, beside the one that is kept. False when out of memory: nothing was sent.
 */
bool podrequest_start(struct podrequest *request, struct curlloop *curlloop,
	struct curl_slist *headers, bool fresh);
/* Takes it off the curlloop, whether it has ended or not; the connection is kept there. */
void podrequest_stop(struct podrequest *request, struct curlloop *curlloop);

/*
 * How it ended, from libcurl's result. *metric is filled with METRIC_OK only; else the failure in
 * words is written to detail, cut to size.
 */
enum metric_outcome podrequest_judge(struct podrequest *request, CURLcode result,
	struct metric *metric, char *detail, size_t size);

#endif
