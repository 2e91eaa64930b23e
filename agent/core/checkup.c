/* SPDX-License-Identifier: MIT */
#include "core/checkup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/cluster/instances.h"
#include "core/settings.h"
#include "core/terms.h"

enum {
	CLOCK_SLACK_S = 5, /* HAProxy's times are whole seconds, its start takes some */
	NEARLY_FULL = 80,  /* per cent of maxconn */
};

struct speaker {
	checkup_say say;
	void *arg;
	const struct config *config;
};

__attribute__((format(printf, 3, 4))) static void tell(
	const struct speaker *speaker, enum checkup_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	speaker->say(level, text, speaker->arg);
}

void checkup_haproxy(
	const struct hastate_info *info, const char *cli_level, checkup_say say, void *arg)
{
	const struct speaker speaker = {.say = say, .arg = arg};

	if (hastate_is_too_old(info))
		tell(&speaker, CHECKUP_FAULT, "HAProxy %s: use 2.4 or later", info->version);
	else
		tell(&speaker, CHECKUP_OK, "HAProxy %s, pid %lld", info->version,
			(long long)info->pid);
	if (strncmp(cli_level, "admin", 5) == 0)
		tell(&speaker, CHECKUP_OK, "the stats socket is of level admin");
	else {
		tell(&speaker, CHECKUP_FAULT,
			"the stats socket is of level %.*s: in haproxy.cfg, write level admin "
			"behind stats socket",
			(int)strcspn(cli_level, "\n"), cli_level);
	}
}

static void check_agent_port(const struct speaker *speaker, const struct server *server)
{
	const struct config *config = speaker->config;
	uint16_t asks = server->haproxy.agent_port;

	if (asks != 0 && !config->has_agent_check) {
		tell(speaker, CHECKUP_WARNING,
			"%s: its agent-check asks at port %u, where nobody answers: in "
			"wsbalancer.yaml, write agentCheck: {listen: 127.0.0.1:%u}",
			server->id, asks, asks);
	} else if (asks != 0 && asks != config->agent_check.port) {
		tell(speaker, CHECKUP_WARNING,
			"%s: its agent-check asks at port %u, the agent answers at %u", server->id,
			asks, config->agent_check.port);
	}
}

static void check_pod(const struct speaker *speaker, const struct server *server)
{
	const struct pod *pod = server->pod;
	const struct config_metric *metric = settings_metric(speaker->config, pod->source);

	if (pod->heard) {
		tell(speaker, CHECKUP_OK, "%s: %s tells %u connections at %s (%s)", server->id,
			pod->key, pod->metric.count, metric->path, metric->key);
	} else if (pod->polled_ms != 0) {
		tell(speaker, CHECKUP_FAULT, "%s: %s at %s: %s%s", server->id, pod->key,
			metric->path, pod->error,
			server->haproxy.port_is_sure
				? ""
				: "; is its port relative to the client's? Then set metricPort");
	} else {
		tell(speaker, CHECKUP_WARNING, "%s: %s " TERM_NOT_ANSWERED " in time", server->id,
			pod->key);
	}
}

/* What keeps connections from a server whatever its weight is. */
static void check_limits(const struct speaker *speaker, const struct server *server)
{
	const struct server_haproxy *haproxy = &server->haproxy;

	if (haproxy->slow) {
		tell(speaker, CHECKUP_WARNING,
			"%s: slowstart keeps its weight down after it came up, and the agent does "
			"not know: in haproxy.cfg, remove slowstart; in wsbalancer.yaml, ramp does "
			"the same",
			server->id);
	}
	if (haproxy->maxconn > 0 &&
		(uint64_t)server->sessions.own * 100 >= (uint64_t)haproxy->maxconn * NEARLY_FULL) {
		tell(speaker, CHECKUP_WARNING,
			"%s: holds %u of maxconn %u: further clients wait in HAProxy's queue, "
			"whatever its weight: in haproxy.cfg, raise maxconn",
			server->id, server->sessions.own, haproxy->maxconn);
	}
}

static void check_server(const struct speaker *speaker, const struct server *server)
{
	if (server->unasked != SERVER_ASKED) {
		tell(speaker, CHECKUP_WARNING, "%s: " TERM_UNASKABLE ": %s", server->id,
			server_unasked_reason(server->unasked));
		return;
	}
	if (server->state == SERVER_DOWN) {
		tell(speaker, CHECKUP_WARNING,
			"%s: HAProxy's health check says %s: start its pod, or mend the check in "
			"haproxy.cfg",
			server->id, server->haproxy.status);
		return;
	}
	if (!server->pod || !server_is_polled(server))
		return;
	check_pod(speaker, server);
	check_agent_port(speaker, server);
	check_limits(speaker, server);
	if (server->haproxy.iweight != 100 && server->haproxy.iweight != 0) {
		tell(speaker, CHECKUP_WARNING,
			"%s: its weight is %d: in haproxy.cfg, write weight 100 into "
			"default-server, which leaves the most steps",
			server->id, server->haproxy.iweight);
	}
}

/* What is set for all of its servers, or comes of it. */
static void check_servers(const struct speaker *speaker, const struct backend *backend)
{
	uint32_t maxconn = 0;
	size_t n_shared = 0;
	bool by_srv = false;

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];

		check_server(speaker, server);
		by_srv = by_srv || server->haproxy.by_srv;
		n_shared += server->pod && server->pod->n_servers > 1;
		if (server->haproxy.maxconn > 0 &&
			(maxconn == 0 || server->haproxy.maxconn < maxconn))
			maxconn = server->haproxy.maxconn;
	}
	if (maxconn > 0) {
		tell(speaker, CHECKUP_OK,
			"backend %s: maxconn %u: no pod gets more than that from this HAProxy, "
			"whatever its weight",
			backend->name, maxconn);
	}
	if (n_shared > 0) {
		tell(speaker, CHECKUP_OK,
			"backend %s: %zu of its servers lead to pods that other servers lead to as "
			"well; what such a pod lacks is divided among them",
			backend->name, n_shared);
	}
	if (by_srv) {
		tell(speaker, CHECKUP_OK,
			"backend %s: found by SRV records: HAProxy takes their weights unless "
			"resolve-opts ignore-weight stands behind resolvers, which is not to be seen "
			"from here",
			backend->name);
	}
}

static void check_backend(const struct speaker *speaker, const struct backend *backend)
{
	if (backend->ambiguous) {
		tell(speaker, CHECKUP_FAULT,
			"backend %s: two patterns of haproxy.backends ask its pods in different "
			"ways: name it there",
			backend->name);
	} else if (backend->mode == BACKEND_NOT_STEERED) {
		tell(speaker, CHECKUP_FAULT,
			"backend %s: balance %s takes no weights: in haproxy.cfg, write balance "
			"leastconn",
			backend->name, backend->algo);
	} else if (backend->mode == BACKEND_FLOW) {
		tell(speaker, CHECKUP_WARNING,
			"backend %s: balance %s steers new connections only: balance leastconn "
			"levels the open ones",
			backend->name, backend->algo);
	} else {
		tell(speaker, CHECKUP_OK, "backend %s: balance %s", backend->name, backend->algo);
	}
	if (backend->sticky) {
		tell(speaker, CHECKUP_WARNING,
			"backend %s: a cookie leads clients back to their server, where they are not "
			"steered: in haproxy.cfg, write maxlife behind cookie",
			backend->name);
	}
	check_servers(speaker, backend);
}

static void check_names(const struct speaker *speaker, const struct cluster *cluster)
{
	const struct selection *selection = &cluster_settings(cluster)->selection;
	size_t n;

	cluster_backends(cluster, &n);
	if (n == 0)
		tell(speaker, CHECKUP_FAULT,
			"no backend is to be steered: see haproxy.backends in wsbalancer.yaml");
	if (selection->n_backends > 0 && !cluster_has_selected(cluster))
		tell(speaker, CHECKUP_FAULT,
			"haproxy.backends names a backend that HAProxy does not have");
	if (*cluster_left_out(cluster)) {
		tell(speaker, CHECKUP_OK,
			"mode tcp is left alone: %s; to steer one, name it in haproxy.backends",
			cluster_left_out(cluster));
	}
}

/* Clients may have other ways to the pods, so this is no more than a hint. */
static void check_replicas(const struct speaker *speaker, const struct cluster *cluster)
{
	unsigned replicas = speaker->config->replicas;
	struct instances_seen seen = instances_see(cluster);
	enum instances_fit fit = instances_judge(&seen, replicas);

	if (speaker->config->replicas_service || fit == INSTANCES_UNSURE)
		return;
	if (fit == INSTANCES_FIT) {
		tell(speaker, CHECKUP_OK, "replicas: %u fits what the pods hold", replicas);
		return;
	}
	tell(speaker, CHECKUP_WARNING,
		"the pods hold %.1f times what this HAProxy has on them, and replicas is %u: "
		"are there other HAProxies, other ways to the pods, or old workers after a reload?",
		(double)seen.all / (double)seen.own, replicas);
}

/* HAProxy tells two times, by which this host's clock can be seen to have moved. */
void checkup_clock(const struct hastate_info *info, int64_t wall_s, checkup_say say, void *arg)
{
	const struct speaker speaker = {.say = say, .arg = arg};
	int64_t off = wall_s - info->start_time_s - info->uptime_s;

	if (info->start_time_s == 0)
		return;
	if (off > CLOCK_SLACK_S || off < -CLOCK_SLACK_S) {
		tell(&speaker, CHECKUP_WARNING,
			"the clock is %lld s %s what it was when HAProxy started, or HAProxy's host "
			"has another: certificates, tokens and times in logs go by it",
			(long long)(off > 0 ? off : -off), off > 0 ? "ahead of" : "behind");
	} else {
		tell(&speaker, CHECKUP_OK, "the clock agrees with HAProxy's");
	}
}

void checkup_cluster(
	const struct cluster *cluster, const struct config *config, checkup_say say, void *arg)
{
	const struct speaker speaker = {.say = say, .arg = arg, .config = config};
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);

	check_names(&speaker, cluster);
	for (size_t i = 0; i < n; i++)
		check_backend(&speaker, backends[i]);
	check_replicas(&speaker, cluster);
}
