/* SPDX-License-Identifier: MIT */
#include "core/kube/slice.h"

#include <arpa/inet.h>
#include <json.h>
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

/* The slice's port that the Service was asked for: 0 when it has none such. A port without a
 * number means all ports and serves nobody who must write one down. */
static uint16_t choose_port(const struct slice_port *wanted, struct json_object *object)
{
	struct json_object *ports = jsonget_member(object, "ports", json_type_array);

	for (size_t i = 0; i < jsonget_len(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		const char *protocol = jsonget_text(port, "protocol");
		const char *name = jsonget_text(port, "name");
		int64_t value = jsonget_whole(port, "port", 0);

		if (value < 1 || value > UINT16_MAX || (protocol && strcmp(protocol, "TCP") != 0))
			continue;
		if (wanted->name && strcmp(name ? name : "", wanted->name) != 0)
			continue;
		if (wanted->number && wanted->number != value)
			continue;
		return (uint16_t)value;
	}
	return 0;
}

static enum slice_family read_family(struct json_object *object)
{
	const char *type = jsonget_text(object, "addressType");

	if (type && strcmp(type, "IPv4") == 0)
		return SLICE_IPV4;
	return type && strcmp(type, "IPv6") == 0 ? SLICE_IPV6 : SLICE_OTHER;
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
	uint16_t port = choose_port(wanted, object);
	if (len > SLICE_ENDPOINTS_MAX) {
		return why_set(why, "more endpoints than can be held");
	}
	if (len > 0 && port > 0 && slice.family != SLICE_OTHER) {
		slice.endpoints = calloc(len, sizeof(*slice.endpoints));
		if (!slice.endpoints) {
			return why_set(why, "out of memory");
		}
		for (size_t i = 0; i < len; i++) {
			if (read_endpoint(json_object_array_get_idx(array, i), slice.family, port,
				    &slice.endpoints[slice.n]))
				slice.n++;
		}
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
