/* SPDX-License-Identifier: MIT */
/* Logs what has changed in HAProxy and its backends. */
#include "announce/announce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "announce/announce_backend.h"
#include "announce/announce_server.h"
#include "core/base/text.h"
#include "core/steer/tempo.h"
#include "core/terms.h"
#include "io/clock.h"
#include "io/log.h"

static void announce_haproxy(
	struct announce *announce, const struct hastate_info *info, struct events *events)
{
	if (hastate_is_same_process(&announce->haproxy, info))
		return;
	log_info(announce->haproxy.pid == 0 ? "HAProxy reached" : TERM_RELOADED,
		log_str("version", info->version), log_int("pid", info->pid));
	if (hastate_is_too_old(info))
		log_error("this HAProxy is too old: weights need 2.4, pods from Kubernetes 2.6",
			log_str("version", info->version));
	if (strncmp(info->version, "3.2.0", 5) == 0 &&
		(info->version[5] < '0' || info->version[5] > '9'))
		log_warn("HAProxy 3.2.0 can loop for ever while weights change: update it",
			log_str("version", info->version));
	if (announce->haproxy.pid != 0)
		events_add(events, clock_wall_ms(), EVENT_RELOADED, "");
	announce->haproxy = *info;
}

static void announce_missing(struct announce *announce, const struct cluster *cluster)
{
	const struct cluster_settings *settings = cluster_settings(cluster);
	const char *missing = NULL;
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(cluster, &n_backends);
	size_t n = 0;

	for (size_t i = 0; i < settings->selection.n_backends; i++) {
		bool found = false;

		for (size_t b = 0; b < n_backends && !found; b++)
			found = text_matches(settings->selection.backends[i], backends[b]->name);
		if (!found) {
			missing = settings->selection.backends[i];
			n++;
		}
	}
	if (n != announce->n_missing && missing)
		log_warn("haproxy.backends names a backend that HAProxy has not",
			log_str("backend", missing), log_int("missing", (int64_t)n));
	announce->n_missing = n;
}

static void announce_left_out(struct announce *announce, const struct cluster *cluster)
{
	const char *names = cluster_left_out(cluster);

	if (text_is_same(names, announce->left_out ? announce->left_out : ""))
		return;
	free(announce->left_out);
	announce->left_out = strdup(names);
	if (*names) {
		log_info("backends of mode tcp are left alone: what they speak is not known; "
			 "to steer one, name it in haproxy.backends",
			log_str("backends", names));
	}
}

static void announce_of(
	struct announce *announce, const struct backend *backend, bool asked, struct events *events)
{
	struct said *said = said_of(&announce->said, backend->name);

	if (said)
		announce_backend(&said->backend, backend, asked);
	for (size_t i = 0; i < backend->n_servers; i++) {
		said = said_of(&announce->said, backend->servers[i]->id);
		if (said)
			announce_server(&said->server, backend->servers[i], events);
	}
}

static void leave(const struct said *said, struct events *events)
{
	announce_server_left(&said->server, events);
}

/* A rush comes and goes, and is nothing to act on. */
static void announce_tempo(struct announce *announce, const struct cluster *cluster)
{
	int64_t every_ms = tempo_round_ms(cluster);
	bool first = announce->every_ms == 0;

	if (cluster_settings(cluster)->poll_interval_ms > 0 || announce->every_ms == every_ms)
		return;
	announce->every_ms = every_ms;
	if (first) {
		log_info("pollInterval: auto has chosen how often pods are asked",
			log_int("interval_ms", every_ms));
	} else {
		log_debug("pods are asked more or less often than before",
			log_int("interval_ms", every_ms));
	}
}

/* A HAProxy that took over from another one lately, or before the agent came, may have old workers.
 */
static void announce_instances(struct announce *announce, const struct cluster *cluster)
{
	enum { SETTLED_S = 24 * 3600 }; /* old workers have mostly ended by then */
	const struct cluster_settings *settings = cluster_settings(cluster);
	struct instances_seen seen = instances_see(cluster);
	bool settled = cluster_info(cluster)->uptime_s >= SETTLED_S;
	char times[32];

	if (settings->agent_check_only || settings->replicas_counted)
		return;
	snprintf(times, sizeof(times), "%.1f", (double)seen.all / (double)(seen.own + !seen.own));
	switch (instances_update(&announce->instances, &seen, settings->replicas, settled)) {
	case INSTANCES_FEWER:
		log_warn("the pods hold hardly more than this HAProxy has on them: is "
			 "haproxy.replicas right?",
			log_int("replicas", settings->replicas), log_str("times", times));
		break;
	case INSTANCES_MORE:
		log_warn("the pods hold more than so many HAProxies would have on them: is "
			 "haproxy.replicas right, or are there other ways to the pods?",
			log_int("replicas", settings->replicas), log_str("times", times));
		break;
	case INSTANCES_UNSURE:
	case INSTANCES_FIT:
		break;
	}
}

void announce_plan(struct announce *announce, struct cluster *cluster, struct events *events)
{
	/* Before all have been asked once, nothing known is no news. */
	bool asked = cluster_is_first_round_done(cluster);
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);

	said_begin(&announce->said);
	announce_haproxy(announce, cluster_info(cluster), events);
	announce_missing(announce, cluster);
	announce_left_out(announce, cluster);
	announce_tempo(announce, cluster);
	announce_instances(announce, cluster);
	for (size_t b = 0; b < n; b++)
		announce_of(announce, backends[b], asked, events);
	said_end(&announce->said, leave, events);
}

void announce_fini(struct announce *announce)
{
	said_fini(&announce->said);
	free(announce->left_out);
	announce->left_out = NULL;
}
