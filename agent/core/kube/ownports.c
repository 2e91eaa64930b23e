/* SPDX-License-Identifier: MIT */
#include "core/kube/ownports.h"

#include <string.h>

#include "core/base/jsonget.h"
#include "core/base/jsonparse.h"
#include "core/base/text.h"

static void add(struct ownports *ports, struct json_object *object)
{
	struct ownport *port = &ports->list[ports->n];
	int64_t number = jsonget_whole(object, "port", 0);
	const char *name = jsonget_text(object, "name");

	if (number < 1 || number > UINT16_MAX)
		return;
	port->number = (uint16_t)number;
	port->name[0] = '\0';
	if (name && strlen(name) < sizeof(port->name))
		memcpy(port->name, name, strlen(name) + 1);
	ports->n++;
}

bool ownports_read(const char *bytes, size_t len, struct ownports *out, struct why *why)
{
	struct json_object *root;
	struct json_object *list;
	struct ownports ports = {.n = 0};
	enum jsonparse_outcome outcome = jsonparse(bytes, len, &root);

	if (outcome != JSONPARSE_OK)
		return why_set(why, "%s", jsonparse_outcome_name(outcome));
	list = jsonget_member(
		jsonget_member(root, "spec", json_type_object), "ports", json_type_array);
	for (size_t i = 0; i < jsonget_len(list) && ports.n < OWNPORTS_MAX; i++)
		add(&ports, json_object_array_get_idx(list, i));
	json_object_put(root);
	*out = ports;
	return true;
}

const struct ownport *ownports_find(const struct ownports *ports, const char *number)
{
	uint64_t wanted;

	if (!text_parse_u64(number, 1, UINT16_MAX, &wanted))
		return NULL;
	for (size_t i = 0; i < ports->n; i++) {
		if (ports->list[i].number == wanted)
			return &ports->list[i];
	}
	return NULL;
}
