/* SPDX-License-Identifier: MIT */
#include "core/kube/slicestore.h"

#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/jsonget.h"

struct slicestore {
	char *service;
	char *wanted; /* the port as it was given, or NULL; what port.name points to */
	struct slice_port port;
	struct slice *list;
	size_t n;
	size_t n_endpoints;
};

/* The selector asks for this label, so a slice with another one has left the Service. */
static bool belongs(const struct slicestore *slices, struct json_object *object)
{
	struct json_object *metadata = jsonget_member(object, "metadata", json_type_object);
	const char *service = jsonget_text(
		jsonget_member(metadata, "labels", json_type_object), "kubernetes.io/service-name");

	return !service || strcmp(service, slices->service) == 0;
}

struct slicestore *slicestore_new(const char *service, const char *port)
{
	struct slicestore *slices = calloc(1, sizeof(*slices));

	if (!slices)
		return NULL;
	slices->service = strdup(service);
	if (!slices->service)
		goto fail;
	if (port && port[0]) {
		char *end;
		unsigned long number = strtoul(port, &end, 10);

		/* A port's name has a letter in it, so no number is a name. */
		slices->wanted = strdup(port);
		if (!slices->wanted)
			goto fail;
		if (port[0] >= '0' && port[0] <= '9' && *end == '\0' && number <= UINT16_MAX)
			slices->port.number = (uint16_t)number;
		else
			slices->port.name = slices->wanted;
	}
	return slices;
fail:
	slicestore_free(slices);
	return NULL;
}

static void free_list(struct slice *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		slice_fini(&list[i]);
	free(list);
}

void slicestore_free(struct slicestore *slices)
{
	if (!slices)
		return;
	free_list(slices->list, slices->n);
	free(slices->service);
	free(slices->wanted);
	free(slices);
}

static struct slice *find_slice(struct slice *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	}
	return NULL;
}

bool slicestore_replace(
	struct slicestore *slices, struct json_object *list, const char **version, struct why *why)
{
	struct json_object *items = jsonget_member(list, "items", json_type_array);
	struct json_object *metadata = jsonget_member(list, "metadata", json_type_object);
	const char *told = jsonget_text(metadata, "resourceVersion");
	struct slice *fresh = NULL;
	size_t n = 0;
	size_t n_endpoints = 0;

	/* A list without items is written as null by some servers; without a version it is not a
	 * list at all. */
	if (!told || !told[0]) {
		return why_set(why, "a list without a resourceVersion");
	}
	size_t len = jsonget_len(items);
	if (len > SLICESTORE_MAX) {
		return why_set(why, "more slices than can be held");
	}
	if (len > 0 && !(fresh = calloc(len, sizeof(*fresh)))) {
		return why_set(why, "out of memory");
	}
	for (size_t i = 0; i < len; i++) {
		struct json_object *item = json_object_array_get_idx(items, i);

		if (!belongs(slices, item))
			continue;
		if (!slice_read(item, &slices->port, &fresh[n], why))
			goto fail;
		n_endpoints += fresh[n].n;
		/* A name that comes twice would outlive its DELETED event. */
		n++;
		if (find_slice(fresh, n - 1, fresh[n - 1].name)) {
			why_set(why, "one slice's name twice");
			goto fail;
		}
		if (n_endpoints > SLICESTORE_ENDPOINTS_MAX) {
			why_set(why, "more endpoints than can be held");
			goto fail;
		}
	}
	free_list(slices->list, slices->n);
	slices->list = fresh;
	slices->n = n;
	slices->n_endpoints = n_endpoints;
	*version = told;
	return true;
fail:
	free_list(fresh, n);
	return false;
}

static void remove_slice(struct slicestore *slices, const char *name)
{
	struct slice *slice = find_slice(slices->list, slices->n, name);

	if (!slice)
		return;
	slices->n_endpoints -= slice->n;
	slice_fini(slice);
	*slice = slices->list[--slices->n];
}

static bool store_slice(struct slicestore *slices, struct json_object *object, struct why *why)
{
	struct slice fresh;

	if (!slice_read(object, &slices->port, &fresh, why))
		return false;
	struct slice *old = find_slice(slices->list, slices->n, fresh.name);
	size_t before = old ? old->n : 0;
	if (slices->n_endpoints - before + fresh.n > SLICESTORE_ENDPOINTS_MAX ||
		(!old && slices->n == SLICESTORE_MAX)) {
		why_set(why, "more than can be held");
		goto fail;
	}
	if (!old) {
		struct slice *list = realloc(slices->list, (slices->n + 1) * sizeof(*list));

		if (!list) {
			why_set(why, "out of memory");
			goto fail;
		}
		slices->list = list;
		old = &list[slices->n++];
	} else {
		slice_fini(old);
	}
	slices->n_endpoints = slices->n_endpoints - before + fresh.n;
	*old = fresh;
	return true;
fail:
	slice_fini(&fresh);
	return false;
}

static const struct slicestore_news malformed = {.event = SLICESTORE_MALFORMED};

/* The object of an ERROR event is a Status. */
static struct slicestore_news read_error(struct json_object *status, struct why *why)
{
	int64_t value = jsonget_whole(status, "code", 0);
	const char *reason = jsonget_text(status, "reason");

	why_set(why, "%s", reason ? reason : "no reason given");
	return (struct slicestore_news){
		.event = SLICESTORE_ERROR,
		.code = value > 0 && value < 1000 ? (unsigned)value : 0,
	};
}

struct slicestore_news slicestore_apply(
	struct slicestore *slices, struct json_object *event, struct why *why)
{
	const char *type = jsonget_text(event, "type");
	struct json_object *object = jsonget_member(event, "object", json_type_object);

	if (!type || !object) {
		why_set(why, "not a watch event");
		return malformed;
	}
	if (strcmp(type, "ERROR") == 0)
		return read_error(object, why);

	struct json_object *metadata = jsonget_member(object, "metadata", json_type_object);
	const char *name = jsonget_text(metadata, "name");
	struct slicestore_news news = {
		.event = SLICESTORE_CHANGED,
		.version = jsonget_text(metadata, "resourceVersion"),
	};
	if (strcmp(type, "BOOKMARK") == 0) {
		news.event = SLICESTORE_BOOKMARK;
	} else if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0) {
		if (!belongs(slices, object) && name)
			remove_slice(slices, name);
		else if (!store_slice(slices, object, why))
			return malformed;
	} else if (strcmp(type, "DELETED") == 0) {
		if (!name || !name[0]) {
			why_set(why, "an EndpointSlice without a name");
			return malformed;
		}
		remove_slice(slices, name);
	} else {
		news.event = SLICESTORE_IGNORED;
	}
	return news;
}

static int compare_address(const struct endpoint *a, const struct endpoint *b)
{
	int order = strcmp(a->address, b->address);

	return order ? order : (a->port > b->port) - (a->port < b->port);
}

/* The best state first; between equals the order is of no meaning, but always the same. */
static int compare_endpoints(const void *left, const void *right)
{
	const struct endpoint *a = left;
	const struct endpoint *b = right;
	int order = compare_address(a, b);

	if (!order)
		order = (a->state < b->state) - (a->state > b->state);
	if (!order)
		order = strcmp(a->uid, b->uid);
	return order ? order : strcmp(a->pod, b->pod);
}

static bool is_ipv6(const struct endpoint *endpoint)
{
	return strchr(endpoint->address, ':') != NULL;
}

/* Whether two endpoints are one pod's. Those without a reference to a pod, written by hand, are
 * taken together: nothing tells which of them belong to each other. */
static int compare_pods(const struct endpoint *a, const struct endpoint *b)
{
	int order = strcmp(a->uid, b->uid);

	return order ? order : strcmp(a->pod, b->pod);
}

/* IPv4 first among the endpoints of a pod. */
static int compare_families(const void *left, const void *right)
{
	const struct endpoint *a = left;
	const struct endpoint *b = right;
	int order = compare_pods(a, b);

	return order ? order : is_ipv6(a) - is_ipv6(b);
}

/* Leaves out the IPv6 endpoints of each pod that has an IPv4 one. Returns how many are left. */
static size_t choose_families(struct endpoint *all, size_t n)
{
	size_t kept = 0;
	bool ipv6 = false;

	qsort(all, n, sizeof(*all), compare_families);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || compare_pods(&all[i], &all[i - 1]) != 0)
			ipv6 = is_ipv6(&all[i]);
		if (is_ipv6(&all[i]) == ipv6)
			all[kept++] = all[i];
	}
	return kept;
}

/* Sorts by address and port, and keeps the best of each pair. Returns how many are left. */
size_t slicestore_unite(struct endpoint *all, size_t n)
{
	size_t kept = 0;

	qsort(all, n, sizeof(*all), compare_endpoints);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || compare_address(&all[i], &all[kept - 1]) != 0)
			all[kept++] = all[i];
	}
	return kept;
}

bool slicestore_union(const struct slicestore *slices, struct endpoint **out, size_t *n)
{
	struct endpoint *all;
	size_t n_all = 0;

	*out = NULL;
	*n = 0;
	if (slices->n_endpoints == 0)
		return true;
	all = calloc(slices->n_endpoints, sizeof(*all));
	if (!all)
		return false;
	for (size_t i = 0; i < slices->n; i++) {
		const struct slice *slice = &slices->list[i];

		if (slice->n == 0)
			continue;
		memcpy(&all[n_all], slice->endpoints, slice->n * sizeof(*all));
		n_all += slice->n;
	}
	*n = slicestore_unite(all, choose_families(all, n_all));
	*out = all;
	return true;
}

const struct endpoint *slicestore_find(
	const struct endpoint *endpoints, size_t n, const char *address, uint16_t port)
{
	size_t low = 0;
	size_t high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct endpoint *endpoint = &endpoints[middle];
		int order = strcmp(endpoint->address, address);

		if (!order)
			order = (endpoint->port > port) - (endpoint->port < port);
		if (order == 0)
			return endpoint;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct slice *slicestore_slices(const struct slicestore *slices, size_t *n)
{
	*n = slices->n;
	return slices->list;
}

const char *slicestore_service(const struct slicestore *slices)
{
	return slices->service;
}

const char *slicestore_port(const struct slicestore *slices)
{
	return slices->wanted;
}

size_t slicestore_count(const struct slicestore *slices)
{
	return slices->n;
}
