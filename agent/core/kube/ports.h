/* SPDX-License-Identifier: MIT */
/* Whether a Service has been named rightly: what its slices say of the port that is wanted. */
#ifndef WSB_PORTS_H
#define WSB_PORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/kube/ownports.h"
#include "core/kube/slicestore.h"

/*
 * A Service that does not exist has no EndpointSlice; the controller writes one, empty, for each
 * that does, also while it has no pods. Ready pods of which none has the port are the sign of a
 * wrong port: most often that of the Service where that of the pods is meant. Pods that are not
 * ready, or none at all, say nothing of the name: that outage is the application's.
 */
enum ports_finding {
	PORTS_OK,
	PORTS_SEVERAL,  /* there are several and none is named: the first is taken */
	PORTS_NO_SLICE, /* no EndpointSlice has the Service's name */
	PORTS_NONE,     /* no ready pod has the port */
};

/* Of a store whose list has come. */
enum ports_finding ports_find(const struct slicestore *store);

/* The name or the port is wrong: no pod will ever be found so. */
bool ports_is_misnamed(enum ports_finding finding);

enum { PORTS_WORDS_SIZE = 512 };

/* What was found, in words for an operator, in buf, cut to size; "" for PORTS_OK. own: the ports
 * that the Service has of its own, or NULL where they are not known. */
void ports_describe(const struct slicestore *store, const char *namespace,
	const struct ownports *own, char *buf, size_t size);

#endif
