/* SPDX-License-Identifier: MIT */
/* Any bytes as a Service of Kubernetes: its ports are ports, each is found, and what is refused
 * changes nothing. */
#include "core/kube/ownports.h"
#include "fuzz.h"

static void check(const struct ownports *ports)
{
	promise(ports->n <= OWNPORTS_MAX, "not more than can be");
	for (size_t i = 0; i < ports->n; i++) {
		const struct ownport *port = &ports->list[i];
		const struct ownport *found;
		char number[8];

		promise(port->number != 0, "a port has a number");
		promise(memchr(port->name, '\0', sizeof(port->name)),
			"a name ends within its array");
		snprintf(number, sizeof(number), "%u", port->number);
		found = ownports_find(ports, number);
		promise(found && found->number == port->number, "a port is found by its number");
	}
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct ownports ports = {.n = 4711};
	struct why why;
	char *bytes = fuzz_copy(data, size);

	if (ownports_read(bytes, size, &ports, &why)) {
		check(&ports);
	} else {
		promise(ports.n == 4711, "what is refused changes nothing");
		promise(*why.text && memchr(why.text, '\0', sizeof(why.text)),
			"a refusal has a reason");
	}
	free(bytes);
	return 0;
}
