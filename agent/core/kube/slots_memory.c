/* SPDX-License-Identifier: MIT */
#include "core/kube/slots_memory.h"

#include <stdlib.h>
#include <string.h>

bool slots_memory_init(struct slots_memory *memory, size_t room)
{
	*memory = (struct slots_memory){.owners = calloc(room + 1, sizeof(*memory->owners))};
	return memory->owners != NULL;
}

void slots_memory_fini(struct slots_memory *memory)
{
	for (size_t i = 0; i < memory->n; i++)
		free(memory->owners[i].server);
	free(memory->owners);
	*memory = (struct slots_memory){.owners = NULL};
}

static void copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size)
		len = 0;
	memcpy(out, text, len);
	out[len] = '\0';
}

bool slots_memory_put(struct slots_memory *memory, const char *server, const char *address,
	uint16_t port, const char *uid)
{
	struct slots_owner *owner = &memory->owners[memory->n];

	owner->server = strdup(server);
	if (!owner->server)
		return false;
	owner->port = port;
	copy(owner->address, sizeof(owner->address), address);
	copy(owner->uid, sizeof(owner->uid), uid);
	memory->n++;
	return true;
}

static int compare_owners(const void *left, const void *right)
{
	const struct slots_owner *a = left;
	const struct slots_owner *b = right;

	return strcmp(a->server, b->server);
}

void slots_memory_sort(struct slots_memory *memory)
{
	if (memory->n > 1)
		qsort(memory->owners, memory->n, sizeof(*memory->owners), compare_owners);
}

const char *slots_memory_uid(
	const struct slots_memory *memory, const char *server, const char *address, uint16_t port)
{
	size_t low = 0;
	size_t high = memory->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct slots_owner *owner = &memory->owners[middle];
		int order = strcmp(owner->server, server);

		if (order == 0) {
			return owner->port == port && strcmp(owner->address, address) == 0
				       ? owner->uid
				       : "";
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return "";
}
