/* SPDX-License-Identifier: MIT */
/* A request for a pod's /metric, used for one pod after another. */
#ifndef WSB_PODREQUEST_H
#define WSB_PODREQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/cluster/pod.h"
#include "core/config/config.h"
#include "core/metric/metric.h"
#include "io/curlloop.h"

struct podrequest;

/* Bytes that an answer may have on the wire beside its body: head, chunk sizes, TLS. */
enum { PODREQUEST_HEAD_MAX = 16 * 1024 };

/*
 * For pods that are asked alike, one at a time; nothing is sent yet. What libcurl and the reader
 * need for a request is 10 KiB, so there are as many as requests under way, not as pods; the
 * connections are kept by the curlloop. How long it may take is its owner's to watch. The
 * configuration must outlive it. NULL when out of
 * memory, or when libcurl refuses a setting.
 */
struct podrequest *podrequest_new(const struct config_metric *metric);
/* It must not be under way. Takes NULL. */
void podrequest_free(struct podrequest *request);

/* Whether the connection is kept for the next time; it is until this is called. */
void podrequest_keep(struct podrequest *request, bool kept);

/* What podrequest_start was given, from the handle that a curlloop reports as done. */
void *podrequest_arg(CURL *easy);

/* Asks the pod, with these headers, which must stay valid until it has ended or was stopped; over a
 * connection of its own, beside the one that is kept, where its workers want that. arg is what
 * podrequest_arg gives back. False when out of memory: nothing was sent. */
bool podrequest_start(struct podrequest *request, const struct pod *pod, struct curlloop *curlloop,
	struct curl_slist *headers, void *arg);
/* Whether it waits for the pod or for this process; see curlloop_look. */
enum curlloop_wait podrequest_look(
	const struct podrequest *request, const struct curlloop *curlloop, int64_t *came_ms);
/* Takes it off the curlloop, whether it has ended or not; the connection is kept there. */
void podrequest_stop(struct podrequest *request, struct curlloop *curlloop);

/*
 * How it ended, from libcurl's result. *metric is filled with METRIC_OK only; else the failure in
 * words is written to detail, cut to size.
 */
enum metric_outcome podrequest_judge(struct podrequest *request, CURLcode result,
	struct metric *metric, char *detail, size_t size);

#endif
