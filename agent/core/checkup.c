/* SPDX-License-Identifier: MIT */
#include "core/checkup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/settings.h"

/* Weights that HAProxy's own count and the pods' may differ by before replicas looks wrong. */
static const double REPLICAS_SLACK = 0.5;
enum { REPLICAS_SURE = 50 }; /* sessions that must stand before anything is said of replicas */

struct speaker {
	checkup_say say;
	void *arg;
	const struct config *config;
	uint64_t own; /* sessions of this HAProxy on pods that were heard */
	uint64_t all; /* and what these pods tell */
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

static void check_pod(struct speaker *speaker, const struct server *server)
{
	const struct pod *pod = server->pod;
	const struct config_metric *metric = settings_metric(speaker->config, pod->source);

	if (pod->heard) {
		speaker->own += server->sessions.own;
		speaker->all += pod->metric.count;
		tell(speaker, CHECKUP_OK, "%s: %s tells %u connections at %s (%s)", server->id,
			pod->key, pod->metric.count, metric->path, metric->key);
	} else if (pod->polled_ms != 0) {
		tell(speaker, CHECKUP_FAULT, "%s: %s at %s: %s", server->id, pod->key, metric->path,
			pod->error);
	} else {
		tell(speaker, CHECKUP_WARNING, "%s: %s has not answered in time", server->id,
			pod->key);
	}
}

static void check_server(struct speaker *speaker, const struct server *server)
{
	static const char *const reasons[] = {
		[SERVER_ON_A_SOCKET] = "it is on a Unix socket",
		[SERVER_PORTLESS] = "its port is missing or relative: set metricPort for it",
		[SERVER_OURSELVES] = "it is the agent itself",
	};

	if (server->unasked != SERVER_ASKED) {
		tell(speaker, CHECKUP_WARNING, "%s: cannot be asked: %s", server->id,
			reasons[server->unasked]);
		return;
	}
	if (!server->pod || !server_is_polled(server))
		return;
	check_pod(speaker, server);
	check_agent_port(speaker, server);
	if (server->haproxy.iweight != 100 && server->haproxy.iweight != 0) {
		tell(speaker, CHECKUP_WARNING,
			"%s: its weight is %d: in haproxy.cfg, write weight 100 into "
			"default-server, which leaves the most steps",
			server->id, server->haproxy.iweight);
	}
}

static void check_backend(struct speaker *speaker, const struct backend *backend)
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
	for (size_t i = 0; i < backend->n_servers; i++)
		check_server(speaker, backend->servers[i]);
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
static void check_replicas(const struct speaker *speaker)
{
	unsigned replicas = speaker->config->replicas;
	double seen = speaker->own > 0 ? (double)speaker->all / (double)speaker->own : 0.0;

	if (speaker->config->replicas_service || speaker->own < REPLICAS_SURE)
		return;
	if (seen > (double)replicas + REPLICAS_SLACK || seen < (double)replicas - REPLICAS_SLACK) {
		tell(speaker, CHECKUP_WARNING,
			"the pods hold %.1f times what this HAProxy has on them, and replicas is %u: "
			"are there other HAProxies, or other ways to the pods?",
			seen, replicas);
	} else {
		tell(speaker, CHECKUP_OK, "replicas: %u fits what the pods hold", replicas);
	}
}

void checkup_cluster(
	const struct cluster *cluster, const struct config *config, checkup_say say, void *arg)
{
	struct speaker speaker = {.say = say, .arg = arg, .config = config};
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);

	check_names(&speaker, cluster);
	for (size_t i = 0; i < n; i++)
		check_backend(&speaker, backends[i]);
	check_replicas(&speaker);
}
