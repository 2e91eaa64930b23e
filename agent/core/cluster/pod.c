/* SPDX-License-Identifier: MIT */
/* The table of pods. */
#include "core/cluster/pod.h"

#include <arpa/inet.h>
#include <json-c/linkhash.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

enum {
	FIRST_SIZE = 64, /* the table grows by itself */
	RENAMES_MAX = 3, /* in so long a time */
	RENAMES_MS = 600000,
	HELD_FEW = 4, /* sessions that may have come since a pod's page was made */
};

struct pod_table {
	struct lh_table *by_identity;
	struct pod **list;
	size_t n;
	size_t room;
	struct names *names;
};

static void pod_free(struct pod *pod)
{
	if (!pod)
		return;
	if (pod->names)
		names_release(pod->names, &pod->claim);
	free(pod->address);
	free(pod->key);
	free(pod->identity);
	free(pod->endpoint);
	free(pod);
}

struct pod_table *pod_table_new(void)
{
	struct pod_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->by_identity = lh_kchar_table_new(FIRST_SIZE, NULL);
	table->names = names_new();
	if (!table->by_identity || !table->names) {
		if (table->by_identity)
			lh_table_free(table->by_identity);
		names_free(table->names);
		free(table);
		return NULL;
	}
	return table;
}

void pod_table_free(struct pod_table *table)
{
	if (!table)
		return;
	lh_table_free(table->by_identity);
	for (size_t i = 0; i < table->n; i++)
		pod_free(table->list[i]);
	free(table->list);
	names_free(table->names);
	free(table);
}

static char *make_key(const char *address, uint16_t port)
{
	bool ipv6 = strchr(address, ':') != NULL;
	char *key = NULL;

	if (asprintf(&key, "%s%s%s:%u", ipv6 ? "[" : "", address, ipv6 ? "]" : "", port) < 0)
		return NULL;
	return key;
}

static char *make_identity(const char *address, uint16_t port, const struct pod_source *source)
{
	char *identity = NULL;

	if (asprintf(&identity, "%s %u %s", address, source->port ? source->port : port,
		    source->identity ? source->identity : "") < 0)
		return NULL;
	return identity;
}

/* Takes over identity. NULL when out of memory. */
static struct pod *pod_new(const char *address, uint16_t port, char *identity, int64_t now_ms)
{
	struct pod *pod = calloc(1, sizeof(*pod));

	if (!pod) {
		free(identity);
		return NULL;
	}
	pod->identity = identity;
	pod->key = make_key(address, port);
	pod->address = strdup(address);
	pod->port = port;
	pod->since_ms = now_ms;
	pod->claim.where = pod->key;
	if (!pod->key || !pod->address) {
		pod_free(pod);
		return NULL;
	}
	return pod;
}

static bool list_pod(struct pod_table *table, struct pod *pod)
{
	if (table->n == table->room) {
		size_t room = table->room > 0 ? 2 * table->room : FIRST_SIZE;
		struct pod **list = reallocarray(table->list, room, sizeof(struct pod *));

		if (!list)
			return false;
		table->list = list;
		table->room = room;
	}
	if (lh_table_insert(table->by_identity, pod->identity, pod) != 0)
		return false;
	pod->place = table->n;
	table->list[table->n++] = pod;
	return true;
}

/* The last one fills its place. */
static void unlist_pod(struct pod_table *table, const struct pod *pod)
{
	struct pod *last = table->list[--table->n];

	table->list[pod->place] = last;
	last->place = pod->place;
	lh_table_delete(table->by_identity, pod->identity);
}

bool pod_is_at(
	const struct pod *pod, const char *address, uint16_t port, const struct pod_source *source)
{
	return pod->source == source->index && pod->port == port &&
	       strcmp(pod->address, address) == 0;
}

struct pod *pod_hold(struct pod_table *table, const char *address, uint16_t port,
	const struct pod_source *source, int64_t now_ms)
{
	char *identity = make_identity(address, port, source);
	void *found = NULL;
	struct pod *pod;

	if (!identity)
		return NULL;
	if (lh_table_lookup_ex(table->by_identity, identity, &found)) {
		free(identity);
		pod = found;
	} else {
		pod = pod_new(address, port, identity, now_ms);
		if (!pod)
			return NULL;
		if (!list_pod(table, pod)) {
			pod_free(pod);
			return NULL;
		}
		pod->names = table->names;
	}
	pod->source = source->index;
	pod->n_servers++;
	return pod;
}

void pod_release(struct pod_table *table, struct pod *pod, pod_gone gone, void *arg)
{
	if (!pod || --pod->n_servers > 0)
		return;
	if (gone)
		gone(pod, arg);
	unlist_pod(table, pod);
	pod_free(pod);
}

enum metric_outcome pod_weigh(const struct pod *pod, const struct metric *metric)
{
	if ((metric->unsampled & pod->sampled) != 0)
		return METRIC_NO_SAMPLE;
	if (metric->unsampled != 0 && metric->sampled == 0 && pod->held > HELD_FEW)
		return METRIC_NO_SAMPLE;
	return METRIC_OK;
}

static bool has_same_names(const struct metric *a, const struct metric *b)
{
	return strcmp(a->pod_name, b->pod_name) == 0 && strcmp(a->pod_ip, b->pod_ip) == 0 &&
	       strcmp(a->node_name, b->node_name) == 0;
}

static void copy_names(const struct metric *from, struct metric *to)
{
	memcpy(to->pod_name, from->pod_name, sizeof(to->pod_name));
	memcpy(to->pod_ip, from->pod_ip, sizeof(to->pod_ip));
	memcpy(to->node_name, from->node_name, sizeof(to->node_name));
}

/* Takes the metric over. Names become labels of series, so a pod that gives itself another with
 * each answer would fill a Prometheus: after a few it keeps the one that it has, for a while. */
static void keep_names(struct pod *pod, const struct metric *metric, int64_t now_ms)
{
	bool other = !has_same_names(&pod->metric, metric);

	if (now_ms - pod->renamed_ms >= RENAMES_MS) {
		pod->renamed_ms = now_ms;
		pod->n_renames = 0;
	}
	if (other && (!pod->heard || pod->n_renames < RENAMES_MAX)) {
		copy_names(metric, &pod->metric);
		pod->n_renames += pod->heard;
	}
	/* The names come last, are most of it and hardly ever change. */
	memcpy(&pod->metric, metric, offsetof(struct metric, pod_name));
	pod->heard = true;
}

/* Reads as the address of something, with or without a port. */
static bool is_address(const char *name)
{
	char host[INET6_ADDRSTRLEN];
	struct in6_addr address;
	const char *begin = name + (name[0] == '[');
	size_t len =
		name[0] == '[' ? strcspn(begin, "]") : strcspn(name, strchr(name, '.') ? ":" : "");

	if (len >= sizeof(host))
		return false;
	memcpy(host, begin, len);
	host[len] = '\0';
	return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static bool is_given(const struct pod *pod)
{
	return pod->endpoint && pod->endpoint->pod[0];
}

/* Whether the name that Kubernetes gave the pod, or that it gave itself, is its own. An address is
 * the name of what answers there. */
static void claim_name(struct pod *pod, int64_t now_ms)
{
	bool given = is_given(pod);
	const char *name = given ? pod->endpoint->pod : pod->heard ? pod->metric.pod_name : "";
	bool foreign = !given && name[0] && is_address(name) && strcmp(name, pod->key) != 0 &&
		       strcmp(name, pod->address) != 0;

	if (!pod->names)
		return;
	if (name[0] && !foreign) {
		names_claim(pod->names, &pod->claim, name, given, now_ms);
		return;
	}
	names_release(pod->names, &pod->claim);
	pod->claim.refused = foreign;
}

static uint32_t difference(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

void pod_observe(struct pod *pod, enum metric_outcome outcome, const struct metric *metric,
	const char *detail, int64_t now_ms)
{
	pod->outcome = outcome;
	pod->polled_ms = now_ms;
	if (outcome == METRIC_OK)
		pod->n_strange = 0;
	else if (metric_outcome_is_strange(outcome))
		pod->n_strange++;
	if (outcome == METRIC_OK) {
		if (pod->heard && metric->count > pod->metric.count)
			pod->gained += metric->count - pod->metric.count;
		moment_observe(&pod->counted,
			pod->heard ? difference(metric->count, pod->metric.count) : 0, pod->held,
			now_ms);
		pod->has_before = pod->heard;
		pod->count_before = pod->metric.count;
		pod->heard_ms = now_ms;
		keep_names(pod, metric, now_ms);
		claim_name(pod, now_ms);
		workers_observe(&pod->workers, metric->count, pod->held);
		pod->sampled |= metric->sampled;
		pod->error[0] = '\0';
	} else {
		snprintf(pod->error, sizeof(pod->error), "%s",
			detail && *detail ? detail : metric_outcome_name(outcome));
	}
}

struct pod *const *pod_table_list(const struct pod_table *table, size_t *n)
{
	*n = table->n;
	return table->list;
}

bool pod_identify(struct pod *pod, const struct endpoint *endpoint, int64_t now_ms)
{
	bool other = pod->endpoint && strcmp(pod->endpoint->uid, endpoint->uid) != 0;

	if (!pod->endpoint)
		pod->endpoint = malloc(sizeof(*pod->endpoint));
	if (!pod->endpoint)
		return false;
	*pod->endpoint = *endpoint;
	if (other) {
		pod->heard = false;
		pod->workers = (struct workers){.suspect = false};
		pod->counted = (struct moment){.ms = 0};
		pod->sampled = 0;
		pod->since_ms = now_ms;
	}
	claim_name(pod, now_ms);
	return true;
}

const char *pod_name(const struct pod *pod)
{
	if (is_given(pod))
		return pod->endpoint->pod;
	return pod->heard && !pod->claim.refused ? pod->metric.pod_name : "";
}

bool pod_lacks_name(const struct pod *pod)
{
	return pod->heard && !is_given(pod) && pod->claim.refused;
}

const char *pod_node(const struct pod *pod)
{
	if (pod->endpoint && pod->endpoint->node[0])
		return pod->endpoint->node;
	return pod->heard ? pod->metric.node_name : "";
}
