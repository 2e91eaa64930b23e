/* SPDX-License-Identifier: MIT */
/* Pods from Kubernetes into HAProxy's backends. */
#include "kube/discovery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/kube/ports.h"
#include "core/kube/slicestore.h"
#include "core/kube/slots.h"
#include "core/kube/slots_adopt.h"
#include "io/clock.h"
#include "io/log.h"
#include "io/textfile.h"
#include "kube/kubeapi.h"

/* More than HAProxy would bear; the slots' number is for the chart to choose. */
enum { ADDED_MAX = 4000 };

/* A Service and the backend that its pods fill. */
struct entry {
	char *backend;
	char *server_options;
	struct kubewatch_service *service;
	struct slots_memory memory;
	struct endpoint *adopted; /* until the first list: what HAProxy had */
	size_t n_adopted;
	bool told_adopted;
	struct service_status report; /* its counts are those of the last plan */
	struct log_repeat missing;    /* the backend is not there */
	/* What ports_find found last, and in words. */
	enum ports_finding finding;
	char ports[PORTS_WORDS_SIZE];
};

struct discovery {
	struct kubewatch *kube;
	struct entry *entries;
	size_t n_entries;
	struct service_status *reports;     /* what discovery_report gives */
	struct kubewatch_service *replicas; /* NULL: not counted */
};

bool discovery_is_wanted(const struct config *config)
{
	return config->n_kubernetes > 0 || config->replicas_service;
}

bool discovery_is_same(const struct config *a, const struct config *b)
{
	if (a->n_kubernetes != b->n_kubernetes || a->kube_silence_ms != b->kube_silence_ms ||
		!text_is_same(a->kube_server, b->kube_server) ||
		!text_is_same(a->kube_token_file, b->kube_token_file) ||
		!text_is_same(a->kube_ca_file, b->kube_ca_file) ||
		!text_is_same(a->replicas_service, b->replicas_service))
		return false;
	for (size_t i = 0; i < a->n_kubernetes; i++) {
		const struct config_kubernetes *x = &a->kubernetes[i];
		const struct config_kubernetes *y = &b->kubernetes[i];

		if (!text_is_same(x->service.name, y->service.name) ||
			!text_is_same(x->service.port, y->service.port) ||
			!text_is_same(x->namespace, y->namespace) ||
			!text_is_same(x->backend, y->backend) ||
			!text_is_same(x->server_options, y->server_options))
			return false;
	}
	return true;
}

/* The namespace that a pod runs in, or why it is not known. */
struct own {
	char *namespace; /* NULL: not known */
	struct why why;
};

static struct own own_namespace(void)
{
	struct own own;

	own.namespace = textfile_read_word(KUBEAPI_NAMESPACE_FILE, &own.why);
	if (own.namespace)
		return own;
	if (access(KUBEAPI_NAMESPACE_FILE, F_OK) != 0 && errno == ENOENT)
		why_set(&own.why, "not in a pod");
	else
		why_prepend(&own.why, "%s: ", KUBEAPI_NAMESPACE_FILE);
	return own;
}

/* Whether the namespace is known of all that is to be watched. */
static bool knows_namespaces(const struct config *config, const struct own *own, struct why *why)
{
	for (size_t i = 0; i < config->n_kubernetes && !own->namespace; i++) {
		if (!config->kubernetes[i].namespace)
			return why_set(why, "%s: give each Service its namespace", own->why.text);
	}
	/* HAProxy's own Service is where HAProxy's pod is, which is the agent's. */
	if (config->replicas_service && !own->namespace)
		return why_set(why, "%s: haproxy.replicas must be a number", own->why.text);
	return true;
}

bool discovery_check(const struct config *config, struct why *why)
{
	struct own own = own_namespace();
	struct kubeapi api;
	bool ok = kubeapi_init(
		&api, config->kube_server, config->kube_token_file, config->kube_ca_file, why);

	if (ok) {
		kubeapi_fini(&api);
		ok = knows_namespaces(config, &own, why);
	}
	free(own.namespace);
	return ok;
}

static bool add_entry(
	struct discovery *discovery, const struct config_kubernetes *config, const char *namespace)
{
	struct entry *entry = &discovery->entries[discovery->n_entries++];

	entry->backend = strdup(config->backend);
	entry->server_options = strdup(config->server_options);
	entry->service = kubewatch_watch(
		discovery->kube, namespace, config->service.name, config->service.port);
	return entry->backend && entry->server_options && entry->service;
}

/* False, with *why set, when not all can be watched. */
static bool watch_all(struct discovery *discovery, const struct config *config,
	const struct own *own, struct why *why)
{
	discovery->entries = calloc(config->n_kubernetes + 1, sizeof(*discovery->entries));
	discovery->reports = calloc(config->n_kubernetes + 1, sizeof(*discovery->reports));
	if (!discovery->entries || !discovery->reports)
		return why_set(why, "out of memory");
	if (!knows_namespaces(config, own, why))
		return false;
	for (size_t i = 0; i < config->n_kubernetes; i++) {
		const char *namespace = config->kubernetes[i].namespace;

		if (!add_entry(discovery, &config->kubernetes[i],
			    namespace ? namespace : own->namespace))
			return why_set(why, "out of memory");
	}
	if (!config->replicas_service)
		return true;
	discovery->replicas =
		kubewatch_watch(discovery->kube, own->namespace, config->replicas_service, NULL);
	return discovery->replicas || why_set(why, "out of memory");
}

struct discovery *discovery_new(
	struct ev_loop *loop, const struct config *config, kubewatch_changed changed, void *arg)
{
	struct discovery *discovery = calloc(1, sizeof(*discovery));
	struct own own = own_namespace();
	struct kubeapi api;
	struct why why;
	bool ok;

	why_set(&why, "out of memory");
	ok = discovery && kubeapi_init(&api, config->kube_server, config->kube_token_file,
				  config->kube_ca_file, &why);
	if (ok) {
		discovery->kube = kubewatch_new(loop, &api, config->kube_silence_ms, changed, arg);
		ok = discovery->kube && watch_all(discovery, config, &own, &why);
	}
	free(own.namespace);
	if (ok)
		return discovery;
	log_error("cannot watch Kubernetes", log_str("error", why.text));
	discovery_free(discovery);
	return NULL;
}

void discovery_free(struct discovery *discovery)
{
	if (!discovery)
		return;
	kubewatch_free(discovery->kube);
	for (size_t i = 0; i < discovery->n_entries; i++) {
		free(discovery->entries[i].backend);
		free(discovery->entries[i].server_options);
		slots_memory_fini(&discovery->entries[i].memory);
		free(discovery->entries[i].adopted);
	}
	free(discovery->entries);
	free(discovery->reports);
	free(discovery);
}

static void say_changes(struct entry *entry, const struct slots_plan *plan)
{
	struct service_status *last = &entry->report;

	if (plan->unplaced != last->unplaced) {
		log_write(plan->unplaced > 0 ? CONFIG_LOG_ERROR : CONFIG_LOG_INFO,
			plan->unplaced > 0 ? "ready pods are left without a server"
					   : "all ready pods have a server again",
			LOG_FACTS(log_str("backend", entry->backend),
				log_int("pods", plan->unplaced)));
	}
	if (plan->added > 0 && last->added == 0) {
		log_warn(
			"all slots are taken: servers are added, which a reload loses for a moment",
			log_str("backend", entry->backend), log_int("servers", plan->added));
	} else if (plan->added == 0 && last->added > 0) {
		log_info("the slots suffice again", log_str("backend", entry->backend));
	}
	last->unplaced = plan->unplaced;
	last->added = plan->added;
	last->free = plan->free;
	last->quarantined = plan->quarantined;
}

static void forget_adopted(struct entry *entry)
{
	if (entry->told_adopted)
		log_info("Kubernetes tells of the pods: HAProxy's servers follow them",
			log_str("backend", entry->backend));
	free(entry->adopted);
	entry->adopted = NULL;
	entry->n_adopted = 0;
	entry->told_adopted = false;
}

/* Before Kubernetes has told anything, the servers that HAProxy has in use stand for the pods:
 * another process of HAProxy gets them too. */
static bool adopt(struct entry *entry, const struct hastate_backend *backend)
{
	struct kubewatch_status status = kubewatch_service_status(entry->service);

	if (entry->n_adopted == 0 && !slots_adopt(backend, &entry->adopted, &entry->n_adopted))
		return false;
	/* At a start in good order the list is a moment away. */
	if (entry->n_adopted > 0 && status.error[0] && !entry->told_adopted) {
		entry->told_adopted = true;
		log_warn(
			"Kubernetes does not tell of the pods: HAProxy's servers stay as they were",
			log_str("backend", entry->backend),
			log_int("servers", (int64_t)entry->n_adopted),
			log_str("error", status.error));
	}
	return true;
}

static bool plan_entry(
	struct entry *entry, const struct hastate_backend *backend, struct commands *lines)
{
	struct slots_options options = {
		.added_line = entry->server_options, .added_max = ADDED_MAX};
	struct slots_plan plan;
	size_t n = entry->n_adopted;
	const struct endpoint *endpoints =
		n > 0 ? entry->adopted : kubewatch_endpoints(entry->service, &n);
	bool ok = true;

	if (!slots_plan(backend, endpoints, n, &options, &entry->memory, &plan))
		return false;
	slots_memory_fini(&entry->memory);
	entry->memory = plan.memory;
	plan.memory = (struct slots_memory){.owners = NULL};
	for (size_t i = 0; i < plan.n_commands && ok; i++)
		ok = commands_append(lines, plan.commands[i]);
	say_changes(entry, &plan);
	slots_plan_fini(&plan);
	return ok;
}

/* Sees whether the Service is rightly named, and says what has changed. */
static void check_ports(struct entry *entry)
{
	const struct slicestore *slices = kubewatch_slices(entry->service);
	struct kubewatch_status status = kubewatch_service_status(entry->service);
	enum ports_finding before = entry->finding;
	char ports[PORTS_WORDS_SIZE] = "";

	if (!status.watch->listed)
		return;
	entry->finding = ports_find(slices);
	/* For the words alone: whether it may be read or not, the finding stands. */
	if (entry->finding == PORTS_NONE && before != PORTS_NONE)
		kubewatch_read_service(entry->service);
	ports_describe(slices, status.namespace, kubewatch_own_ports(entry->service), ports,
		sizeof(ports));
	if (strcmp(ports, entry->ports) == 0)
		return;
	if (ports_is_misnamed(entry->finding)) {
		log_error("a Service is misnamed: none of its pods can be found",
			log_str("backend", entry->backend), log_str("why", ports));
	} else if (ports[0]) {
		log_warn("name the port of a Service", log_str("backend", entry->backend),
			log_str("why", ports));
	} else {
		log_info("a Service is rightly named now", log_str("backend", entry->backend));
	}
	memcpy(entry->ports, ports, sizeof(ports));
}

static const struct hastate_backend *find_backend(
	const struct hastate_snapshot *snapshot, const char *name)
{
	for (size_t i = 0; i < snapshot->n_backends; i++) {
		if (strcmp(snapshot->backends[i].name, name) == 0)
			return &snapshot->backends[i];
	}
	return NULL;
}

bool discovery_plan(struct discovery *discovery, const struct hastate_snapshot *snapshot,
	struct commands *lines)
{
	bool ok = true;

	for (size_t i = 0; i < discovery->n_entries; i++) {
		struct entry *entry = &discovery->entries[i];
		const struct hastate_backend *backend = find_backend(snapshot, entry->backend);

		check_ports(entry);
		if (!backend) {
			if (log_repeat(&entry->missing))
				log_error("HAProxy lacks the backend of a Service in Kubernetes",
					log_str("backend", entry->backend));
			continue;
		}
		log_repeat_end(&entry->missing);
		if (kubewatch_service_status(entry->service).watch->listed) {
			forget_adopted(entry);
			ok &= plan_entry(entry, backend, lines);
		} else {
			ok &= adopt(entry, backend) &&
			      (entry->n_adopted == 0 || plan_entry(entry, backend, lines));
		}
	}
	return ok;
}

static unsigned count_ready(struct kubewatch_service *service)
{
	unsigned ready = 0;
	size_t n;
	const struct endpoint *endpoints = kubewatch_endpoints(service, &n);

	for (size_t i = 0; i < n; i++)
		ready += endpoints[i].state == ENDPOINT_READY;
	return ready;
}

unsigned discovery_replicas(struct discovery *discovery)
{
	return discovery->replicas ? count_ready(discovery->replicas) : 0;
}

static void report_entry(struct entry *entry, struct service_status *report)
{
	struct kubewatch_status status = kubewatch_service_status(entry->service);
	size_t n;
	const struct endpoint *endpoints = kubewatch_endpoints(entry->service, &n);

	*report = entry->report;
	report->namespace = status.namespace;
	report->service = status.service;
	report->backend = entry->backend;
	report->error = status.error;
	report->watching = status.watching;
	report->watch = status.watch;
	report->n_slices = status.n_slices;
	report->ports = entry->ports;
	report->misnamed = ports_is_misnamed(entry->finding);
	report->n_taken_over = entry->n_adopted;
	for (size_t i = 0; i < n; i++) {
		report->n_ready += endpoints[i].state == ENDPOINT_READY;
		report->n_terminating += endpoints[i].state == ENDPOINT_TERMINATING;
		report->n_unready += endpoints[i].state == ENDPOINT_UNREADY;
	}
}

const struct service_status *discovery_report(struct discovery *discovery, size_t *n)
{
	*n = discovery ? discovery->n_entries : 0;
	for (size_t i = 0; i < *n; i++)
		report_entry(&discovery->entries[i], &discovery->reports[i]);
	return discovery ? discovery->reports : NULL;
}

bool discovery_fills(const struct discovery *discovery)
{
	return discovery && discovery->n_entries > 0;
}

static const char *describe_silence(const struct entry *entry, char *buf, size_t size)
{
	struct kubewatch_status status = kubewatch_service_status(entry->service);
	int used = snprintf(buf, size, "Kubernetes has not told the endpoints of %s/%s%s%s",
		status.namespace, status.service, status.error[0] ? ": " : " yet", status.error);

	if (entry->n_adopted > 0 && used >= 0 && (size_t)used < size)
		snprintf(buf + used, size - (size_t)used,
			"; its %zu servers stay as they were when the agent started",
			entry->n_adopted);
	return buf;
}

const char *discovery_complaint(const struct discovery *discovery, char *buf, size_t size)
{
	for (size_t i = 0; i < discovery->n_entries; i++) {
		const struct entry *entry = &discovery->entries[i];
		struct kubewatch_status status = kubewatch_service_status(entry->service);

		if (status.watch->listed && !ports_is_misnamed(entry->finding))
			continue;
		if (status.watch->listed) {
			snprintf(buf, size, "%s", entry->ports);
			return buf;
		}
		return describe_silence(entry, buf, size);
	}
	return NULL;
}

bool discovery_is_whole(const struct discovery *discovery)
{
	for (size_t i = 0; i < discovery->n_entries; i++) {
		const struct entry *entry = &discovery->entries[i];
		bool listed = kubewatch_service_status(entry->service).watch->listed;

		if (ports_is_misnamed(entry->finding) || (!listed && entry->n_adopted == 0))
			return false;
	}
	return true;
}

static bool fills(const struct discovery *discovery, const char *backend)
{
	for (size_t i = 0; discovery && i < discovery->n_entries; i++) {
		if (strcmp(discovery->entries[i].backend, backend) == 0)
			return true;
	}
	return false;
}

static void describe_pod(const struct discovery *discovery, struct pod *pod)
{
	for (size_t i = 0; i < discovery->n_entries; i++) {
		size_t n;
		const struct endpoint *endpoints =
			kubewatch_endpoints(discovery->entries[i].service, &n);
		const struct endpoint *found =
			slicestore_find(endpoints, n, pod->address, pod->port);

		if (found) {
			pod_identify(pod, found, clock_now_ms());
			return;
		}
	}
}

void discovery_describe(struct discovery *discovery, struct cluster *cluster)
{
	size_t n_backends;
	struct backend *const *backends = cluster_edit_backends(cluster, &n_backends);
	size_t n_pods;
	struct pod *const *pods = cluster_edit_pods(cluster, &n_pods);

	for (size_t i = 0; i < n_backends; i++)
		backends[i]->filled = fills(discovery, backends[i]->name);
	for (size_t i = 0; discovery && i < n_pods; i++)
		describe_pod(discovery, pods[i]);
}
