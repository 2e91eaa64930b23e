/* SPDX-License-Identifier: MIT */
#include "core/kube/ports.h"

#include <stdio.h>
#include <string.h>

/* The ports of pods that the wanted one is not among, or that are several: of the slice that shows
 * it best. */
struct evidence {
	size_t n_with;       /* ready endpoints that have the port */
	size_t n_without;    /* ready endpoints that have not */
	const char *ports;   /* of the first slice of these, or NULL */
	const char *several; /* ports of the first slice that has more than one, or NULL */
};

static struct evidence look(const struct slicestore *store)
{
	struct evidence evidence = {.n_with = 0};
	size_t n;
	const struct slice *slices = slicestore_slices(store, &n);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < slices[i].n; j++)
			evidence.n_with += slices[i].endpoints[j].state == ENDPOINT_READY;
		evidence.n_without += slices[i].n_ready_elsewhere;
		if (slices[i].n_ready_elsewhere > 0 && !evidence.ports)
			evidence.ports = slices[i].ports;
		if (slices[i].n_ports > 1 && !evidence.several)
			evidence.several = slices[i].ports;
	}
	return evidence;
}

enum ports_finding ports_find(const struct slicestore *store)
{
	struct evidence evidence = look(store);

	if (slicestore_count(store) == 0)
		return PORTS_NO_SLICE;
	if (evidence.n_without > 0 && evidence.n_with == 0)
		return PORTS_NONE;
	if (evidence.several && !slicestore_port(store))
		return PORTS_SEVERAL;
	return PORTS_OK;
}

bool ports_is_misnamed(enum ports_finding finding)
{
	return finding == PORTS_NO_SLICE || finding == PORTS_NONE;
}

static void describe_none(
	const char *service, const char *port, const char *ports, char *buf, size_t size)
{
	if (!ports || !ports[0]) {
		snprintf(buf, size,
			"Service %s has no port that its pods listen on: its targetPort is not "
			"among theirs",
			service);
	} else if (port) {
		snprintf(buf, size, "Service %s has no port %s: its pods listen on %s", service,
			port, ports);
	} else {
		snprintf(buf, size, "Service %s has no TCP port: its pods listen on %s", service,
			ports);
	}
}

/* The likeliest mistake, by its name. */
static void describe_own(const char *port, const struct ownports *own, char *buf, size_t size)
{
	const struct ownport *found = port && own ? ownports_find(own, port) : NULL;
	size_t used = strlen(buf);

	if (found && found->name[0])
		snprintf(buf + used, size - used, " (%s is the Service's own port, named %s)", port,
			found->name);
	else if (found)
		snprintf(buf + used, size - used, " (%s is the Service's own port)", port);
}

void ports_describe(const struct slicestore *store, const char *namespace,
	const struct ownports *own, char *buf, size_t size)
{
	const char *service = slicestore_service(store);
	struct evidence evidence = look(store);

	buf[0] = '\0';
	switch (ports_find(store)) {
	case PORTS_OK:
		break;
	case PORTS_SEVERAL:
		snprintf(buf, size,
			"Service %s has several ports and none is named: the first of %s is taken",
			service, evidence.several);
		break;
	case PORTS_NO_SLICE:
		snprintf(buf, size,
			"Service %s has no EndpointSlice in the namespace %s: no Service there has "
			"this name",
			service, namespace);
		break;
	case PORTS_NONE:
		describe_none(service, slicestore_port(store), evidence.ports, buf, size);
		describe_own(slicestore_port(store), own, buf, size);
		break;
	}
}
