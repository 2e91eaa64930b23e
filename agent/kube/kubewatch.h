/* SPDX-License-Identifier: MIT */
/* Lists and watches the EndpointSlices of Services. */
#ifndef WSB_KUBE_H
#define WSB_KUBE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/kube/listwatch.h"
#include "core/kube/slice.h"
#include "kube/kubeapi.h"

/*
 * Each Service has a watch of its own. While the API server is away, its endpoints stay as they
 * were last told. What is asked when is core/watch's business, what an answer means core/slices'.
 */
struct kube;
struct kube_service;

/* Endpoints may have changed; called from the loop, once for a burst of events. */
typedef void (*kube_changed)(void *arg);

/* What is known of a Service. */
struct kube_status {
	const char *namespace;
	const char *service;
	bool watching;                 /* a watch is running */
	const char *error;             /* the last failure in words; "" since the last list */
	const struct listwatch *watch; /* what has come, and when */
	size_t n_slices;
};

/* Takes over *api, also when it fails. NULL when out of memory. */
struct kube *kube_new(struct ev_loop *loop, struct kubeapi *api, int64_t silence_ms,
	kube_changed changed, void *arg);

/* Ends all requests; no callback is called any more. Takes NULL. */
void kube_free(struct kube *kube);

/* Begins to watch a Service, for a port as slicestore_new takes it. What it returns is the kube's;
 * NULL when out of memory. */
struct kube_service *kube_watch(
	struct kube *kube, const char *namespace, const char *service, const char *port);

/* The endpoints, as slicestore_union writes them; *n is set. Valid until the loop runs again. */
const struct endpoint *kube_endpoints(struct kube_service *service, size_t *n);

struct kube_status kube_service_status(const struct kube_service *service);

#endif
