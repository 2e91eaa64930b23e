/* SPDX-License-Identifier: MIT */
/* Any bytes as EndpointSliceLists, one up to each NUL, and what HAProxy is told of their pods: each
 * command is one, sets an address that is one, and names no server but the backend's. */
#include <arpa/inet.h>
#include <json-c/json.h>

#include "../unit/rows.h"
#include "core/base/jsonparse.h"
#include "core/kube/slicestore.h"
#include "core/kube/slots.h"
#include "fuzz.h"

enum { N_SLOTS = 4, N_LISTS = 4 };

static void check_command(const char *command)
{
	static const char *const verbs[] = {
		"set server ws/", "add server ws/", "del server ws/", "enable ", "disable "};
	char address[64];
	unsigned char bytes[16];
	const char *at = strstr(command, " addr ");
	bool known = false;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		known = known || strncmp(command, verbs[i], strlen(verbs[i])) == 0;
	promise(known, "a command is one of those that place a pod");
	promise(!strpbrk(command, ";\n\r\\\"'#"), "a command is one command");
	if (!at)
		return;
	promise(sscanf(at, " addr %63s", address) == 1 &&
			(inet_pton(AF_INET, address, bytes) == 1 ||
				inet_pton(AF_INET6, address, bytes) == 1),
		"an address is an address");
}

static void check_plan(const struct slots_plan *plan, size_t n_wanted)
{
	for (size_t i = 0; i < plan->n_commands; i++)
		check_command(plan->commands[i]);
	promise(plan->ready + plan->unplaced <= n_wanted, "no pod is placed twice");
	promise(plan->added <= 2, "no more servers are added than may be");
}

static void take_list(struct slicestore *slices, const char *bytes, size_t len)
{
	struct json_object *list;
	const char *version;
	struct why why;

	if (jsonparse(bytes, len, &list) != JSONPARSE_OK)
		return;
	if (!slicestore_replace(slices, list, &version, &why))
		promise(*why.text, "a refused list has a reason");
	json_object_put(list);
}

static void plan(struct slicestore *slices, struct slots_memory *memory)
{
	static const struct slots_options options = {.added_line = "check", .added_max = 2};
	struct hastate_server servers[N_SLOTS];
	struct slots_plan made;
	struct endpoint *wanted;
	size_t n;

	for (size_t i = 0; i < N_SLOTS; i++) {
		static const char *const names[N_SLOTS] = {"s1", "s2", "s3", "s4"};

		servers[i] = row_up(names[i], "127.0.0.1", i == 3 ? 7 : 0);
		servers[i].admin_state = i < 2 ? HASTATE_ADMIN_FORCED_MAINT : 0;
	}
	struct hastate_backend backend = row_backend("ws", "leastconn", servers, N_SLOTS);

	promise(slicestore_union(slices, &wanted, &n), "memory for the union");
	promise(slots_plan(&backend, wanted, n, &options, memory, &made), "memory for a plan");
	check_plan(&made, n);
	slots_memory_fini(memory);
	*memory = made.memory;
	memset(&made.memory, 0, sizeof(made.memory));
	slots_plan_fini(&made);
	free(wanted);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct slicestore *slices = slicestore_new("web", NULL);
	struct slots_memory memory = {0};
	const char *bytes = (const char *)data;

	promise(slices, "memory for a store");
	for (int i = 0; i < N_LISTS && size > 0; i++) {
		const char *zero = memchr(bytes, '\0', size);
		size_t len = zero ? (size_t)(zero - bytes) : size;

		take_list(slices, bytes, len);
		plan(slices, &memory);
		len += zero ? 1 : 0;
		bytes += len;
		size -= len;
	}
	slots_memory_fini(&memory);
	slicestore_free(slices);
	return 0;
}
