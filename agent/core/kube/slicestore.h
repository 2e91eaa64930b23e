/* SPDX-License-Identifier: MIT */
/* The endpoints of one Kubernetes Service: EndpointSlice objects in, one list of pods out. */
#ifndef WSB_SLICESTORE_H
#define WSB_SLICESTORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/why.h"
#include "core/kube/slice.h"

struct json_object;

/*
 * A Service has several slices: at most so many endpoints in each, one set an address family, one
 * set for each distinct list of ports; an endpoint that moves is in two of them for a while. This
 * store holds the slices as they were last told and gives their union. The objects are
 * discovery.k8s.io/v1 (k8s.io/api, discovery/v1/types.go). A pod with addresses of both families is
 * given once, by its IPv4 address; one of a single family by that one, whatever the other pods
 * have. The controller writes an empty IPv4 slice for pods that have IPv6 alone.
 */

/* What one store takes: far more than one HAProxy can hold. */
enum { SLICESTORE_MAX = 4096, SLICESTORE_ENDPOINTS_MAX = 100000 };

/* What an event was. */
enum slicestore_event {
	SLICESTORE_CHANGED,   /* a slice came, changed or went */
	SLICESTORE_BOOKMARK,  /* nothing but a newer version */
	SLICESTORE_IGNORED,   /* a type that a later API may bring */
	SLICESTORE_ERROR,     /* the server's in-stream error: see code */
	SLICESTORE_MALFORMED, /* not an event, or one that cannot be stored: the caller lists again
			       */
};

struct slicestore_news {
	enum slicestore_event event;
	const char *version; /* the object's, which it lives as long as; NULL: it has none */
	unsigned code;       /* SLICESTORE_ERROR: the status' HTTP code, 0 where it has none */
};

struct slicestore;

/*
 * A store for a Service. port is the Service port's name, or the number that the pods listen on,
 * or NULL for the first TCP port. NULL when out of memory.
 */
struct slicestore *slicestore_new(const char *service, const char *port);

/* Frees the store; takes NULL. */
void slicestore_free(struct slicestore *slices);

/*
 * Takes an EndpointSliceList in place of all that is stored: what it does not name is gone. The
 * store is unchanged when false is returned. *version is the list's
 * resourceVersion, which lives as long as the list.
 */
bool slicestore_replace(
	struct slicestore *slices, struct json_object *list, const char **version, struct why *why);

/* Applies one watch event, {"type": ..., "object": ...}. SLICESTORE_MALFORMED leaves the store as
 * it was. *why is set with it and with SLICESTORE_ERROR. */
struct slicestore_news slicestore_apply(
	struct slicestore *slices, struct json_object *event, struct why *why);

/*
 * Writes the union, sorted by address and port, each pair once and in its best state, to *out,
 * which the caller frees; *out is NULL when there are none. False when out of memory.
 */
bool slicestore_union(const struct slicestore *slices, struct endpoint **out, size_t *n);

/* Makes such a union of endpoints in place. Returns how many are left. */
size_t slicestore_unite(struct endpoint *endpoints, size_t n);

/* Finds an address in what slicestore_union wrote; NULL when it is not there. */
const struct endpoint *slicestore_find(
	const struct endpoint *endpoints, size_t n, const char *address, uint16_t port);

/* The slices, in no order; *n is set. Valid until the store changes. */
const struct slice *slicestore_slices(const struct slicestore *slices, size_t *n);

/* What slicestore_new was given: port is NULL for the first TCP port. */
const char *slicestore_service(const struct slicestore *slices);
const char *slicestore_port(const struct slicestore *slices);

/* How many slices are stored, of any family. */
size_t slicestore_count(const struct slicestore *slices);

#endif
