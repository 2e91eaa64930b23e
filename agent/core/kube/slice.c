/* SPDX-License-Identifier: MIT */
#include "core/kube/slice.h"

#include <arpa/inet.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonget.h"

/* Kubernetes' names are printable ASCII without spaces; what is not is as good as missing. */
static void copy_name(char *out, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	out[0] = '\0';
	if (len == 0 || len >= size)
		return;
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return;
	}
	memcpy(out, text, len + 1);
}

/*
 * A condition that is not there has a default that depends on which it is (types.go).
 * `terminating` is looked at first: under publishNotReadyAddresses a pod stays `ready` while it
 * goes away.
 */
static void read_conditions(struct json_object *object, struct endpoint *out)
{
	struct json_object *conditions = jsonget_member(object, "conditions", json_type_object);

	out->terminating = jsonget_flag(conditions, "terminating", false);
	if (out->terminating) {
		out->state = jsonget_flag(conditions, "serving", true) ? ENDPOINT_TERMINATING
								       : ENDPOINT_UNREADY;
	} else {
		out->state =
			jsonget_flag(conditions, "ready", true) ? ENDPOINT_READY : ENDPOINT_UNREADY;
	}
}

static bool read_address(struct json_object *object, enum slice_family family, struct endpoint *out)
{
	struct json_object *addresses = jsonget_member(object, "addresses", json_type_array);
	unsigned char binary[sizeof(struct in6_addr)];
	int af = family == SLICE_IPV4 ? AF_INET : AF_INET6;

	if (jsonget_len(addresses) == 0)
		return false;
	struct json_object *first = json_object_array_get_idx(addresses, 0);
	if (!json_object_is_type(first, json_type_string) ||
		inet_pton(af, json_object_get_string(first), binary) != 1)
		return false;
	return inet_ntop(af, binary, out->address, sizeof(out->address)) != NULL;
}

static bool read_endpoint(
	struct json_object *object, enum slice_family family, uint16_t port, struct endpoint *out)
{
	*out = (struct endpoint){.port = port};
	if (!read_address(object, family, out))
		return false;
	read_conditions(object, out);

	struct json_object *target = jsonget_member(object, "targetRef", json_type_object);
	copy_name(out->uid, sizeof(out->uid), jsonget_text(target, "uid"));
	copy_name(out->pod, sizeof(out->pod), jsonget_text(target, "name"));
	copy_name(out->node, sizeof(out->node), jsonget_text(object, "nodeName"));
	copy_name(out->zone, sizeof(out->zone), jsonget_text(object, "zone"));
	return true;
}

/* A port's number; 0 when it is none of TCP, or means all ports, which serves nobody who must write
 * one down. */
static uint16_t read_port(struct json_object *port)
{
	const char *protocol = jsonget_text(port, "protocol");
	int64_t value = jsonget_whole(port, "port", 0);

	if (value < 1 || value > UINT16_MAX || (protocol && strcmp(protocol, "TCP") != 0))
		return 0;
	return (uint16_t)value;
}

/* The slice's port that the Service was asked for: 0 when it has none such. */
static uint16_t choose_port(const struct slice_port *wanted, struct json_object *ports)
{
	for (size_t i = 0; i < jsonget_len(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		const char *name = jsonget_text(port, "name");
		uint16_t value = read_port(port);

		if (value == 0)
			continue;
		if (wanted->name && strcmp(name ? name : "", wanted->name) != 0)
			continue;
		if (wanted->number && wanted->number != value)
			continue;
		return value;
	}
	return 0;
}

/* What there is to choose from, for an operator. */
static void list_ports(struct json_object *ports, struct slice *out)
{
	size_t at = 0;

	for (size_t i = 0; i < jsonget_len(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		char name[64]; /* a port's name has 15 characters, a Service port's 63 */
		uint16_t value = read_port(port);

		if (value == 0)
			continue;
		copy_name(name, sizeof(name), jsonget_text(port, "name"));
		out->n_ports++;
		if (at < sizeof(out->ports))
			at += (size_t)snprintf(out->ports + at, sizeof(out->ports) - at, "%s%s%s%u",
				at > 0 ? ", " : "", name, name[0] ? ":" : "", value);
	}
}

static enum slice_family read_family(struct json_object *object)
{
	const char *type = jsonget_text(object, "addressType");

	if (type && strcmp(type, "IPv4") == 0)
		return SLICE_IPV4;
	return type && strcmp(type, "IPv6") == 0 ? SLICE_IPV6 : SLICE_OTHER;
}

/* Reads the endpoints for a port; with 0, which no endpoint has, they are only counted. */
static bool read_endpoints(struct json_object *array, uint16_t port, struct slice *out)
{
	size_t len = jsonget_len(array);
	struct endpoint endpoint;

	if (port > 0 && !(out->endpoints = calloc(len, sizeof(*out->endpoints))))
		return false;
	for (size_t i = 0; i < len; i++) {
		struct json_object *object = json_object_array_get_idx(array, i);

		if (!read_endpoint(object, out->family, port, &endpoint))
			continue;
		if (port > 0)
			out->endpoints[out->n++] = endpoint;
		else
			out->n_ready_elsewhere += endpoint.state == ENDPOINT_READY;
	}
	return true;
}

/* Reads an EndpointSlice; an endpoint without a usable address is left out, for the others must
 * not suffer. */
bool slice_read(struct json_object *object, const struct slice_port *wanted, struct slice *out,
	struct why *why)
{
	struct json_object *array = jsonget_member(object, "endpoints", json_type_array);
	struct slice slice = {.family = read_family(object)};
	size_t len = jsonget_len(array);

	copy_name(slice.name, sizeof(slice.name),
		jsonget_text(jsonget_member(object, "metadata", json_type_object), "name"));
	if (!slice.name[0]) {
		return why_set(why, "an EndpointSlice without a name");
	}
	struct json_object *ports = jsonget_member(object, "ports", json_type_array);
	uint16_t port = choose_port(wanted, ports);
	list_ports(ports, &slice);
	if (len > SLICE_ENDPOINTS_MAX) {
		return why_set(why, "more endpoints than can be held");
	}
	if (len > 0 && slice.family != SLICE_OTHER && !read_endpoints(array, port, &slice)) {
		return why_set(why, "out of memory");
	}
	*out = slice;
	return true;
}

void slice_fini(struct slice *slice)
{
	free(slice->endpoints);
	*slice = (struct slice){.family = SLICE_OTHER};
}

const char *endpoint_state_name(enum endpoint_state state)
{
	switch (state) {
	case ENDPOINT_UNREADY:
		return "unready";
	case ENDPOINT_TERMINATING:
		return "terminating";
	case ENDPOINT_READY:
		return "ready";
	}
	return "unknown";
}
