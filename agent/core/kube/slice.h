/* SPDX-License-Identifier: MIT */
/* One EndpointSlice: a JSON object in, a struct out. */
#ifndef WSB_SLICE_H
#define WSB_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/why.h"

struct json_object;

/*
 * The object is discovery.k8s.io/v1 (k8s.io/api, discovery/v1/types.go). It comes from outside, so
 * anything may be missing, null or of another type. Addresses are written in the form of
 * inet_ntop(3), so that they compare with what HAProxy prints. Of an endpoint's addresses only the
 * first has a meaning.
 */

enum { SLICE_ENDPOINTS_MAX = 100000 }; /* the API's own limit is 1,000 */

/* From worst to best: what an endpoint is worth to a balancer. */
enum endpoint_state {
	ENDPOINT_UNREADY,     /* not ready; or going away and no longer serving */
	ENDPOINT_TERMINATING, /* going away and still serving */
	ENDPOINT_READY,
};

/* One pod's address. A text that is missing, too long or not printable is "". */
struct endpoint {
	char address[46]; /* INET6_ADDRSTRLEN */
	uint16_t port;    /* 1..65535 */
	enum endpoint_state state;
	bool terminating;
	char uid[64]; /* the pod's identity: another uid is another pod, whatever its address */
	char pod[254];
	char node[254];
	char zone[64];
};

enum slice_family {
	SLICE_OTHER, /* addresses that nobody can connect to: FQDN, or a later kind */
	SLICE_IPV4,
	SLICE_IPV6,
};

struct slice {
	char name[254];
	enum slice_family family;
	struct endpoint *endpoints; /* NULL when n is 0 */
	size_t n;
	/* What there is when the wanted port is not. */
	char ports[128];          /* the TCP ports, "ws:8080, 9000", cut */
	size_t n_ports;           /* their number */
	size_t n_ready_elsewhere; /* ready endpoints that were left out for their port */
};

/* The port of a slice that is wanted: by name, by number, or (both unset) the first TCP port. */
struct slice_port {
	const char *name; /* NULL: any */
	uint16_t number;  /* 0: any */
};

/*
 * Reads an object. An endpoint without a usable address is left out, and so are all where no port
 * is the wanted one. True: the caller frees *out with slice_fini. False: the object has no name,
 * is too large, or memory is short; *out is untouched and *why says why.
 */
bool slice_read(struct json_object *object, const struct slice_port *wanted, struct slice *out,
	struct why *why);

/* Frees what *slice owns and empties it. */
void slice_fini(struct slice *slice);

const char *endpoint_state_name(enum endpoint_state state);

#endif
