/* SPDX-License-Identifier: MIT */
/* Lists and watches the EndpointSlices of Services. */
#ifndef WSB_KUBEWATCH_H
#define WSB_KUBEWATCH_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/kube/listwatch.h"
#include "core/kube/ownports.h"
#include "core/kube/slicestore.h"
#include "kube/kubeapi.h"

/*
 * Each Service has a watch of its own. While the API server is away, its endpoints stay as they
 * were last told. What is asked when is core/watch's business, what an answer means core/slices'.
 */
struct kubewatch;
struct kubewatch_service;

/* Endpoints may have changed; called from the loop, once for a burst of events. */
typedef void (*kubewatch_changed)(void *arg);

/* What is known of a Service. */
struct kubewatch_status {
	const char *namespace;
	const char *service;
	bool watching;                 /* a watch is running */
	const char *error;             /* the last failure in words; "" since the last list */
	const struct listwatch *watch; /* what has come, and when */
	size_t n_slices;
};

/* Takes over *api, also when it fails. NULL when out of memory. */
struct kubewatch *kubewatch_new(struct ev_loop *loop, struct kubeapi *api, int64_t silence_ms,
	kubewatch_changed changed, void *arg);

/* Ends all requests; no callback is called any more. Takes NULL. */
void kubewatch_free(struct kubewatch *kube);

/* Begins to watch a Service, for a port as slicestore_new takes it. What it returns is the kube's;
 * NULL when out of memory. */
struct kubewatch_service *kubewatch_watch(
	struct kubewatch *kube, const char *namespace, const char *service, const char *port);

/* The endpoints, as slicestore_union writes them; *n is set. Valid until the loop runs again. */
const struct endpoint *kubewatch_endpoints(struct kubewatch_service *service, size_t *n);

/* What has come of its slices. Valid until the loop runs again. */
const struct slicestore *kubewatch_slices(const struct kubewatch_service *service);

/* Reads the Service itself, where the agent may; changed is called when it has been told. */
void kubewatch_read_service(struct kubewatch_service *service);
/* The ports that it has of its own; NULL: not known. Valid until the loop runs again. */
const struct ownports *kubewatch_own_ports(const struct kubewatch_service *service);

struct kubewatch_status kubewatch_service_status(const struct kubewatch_service *service);

#endif
