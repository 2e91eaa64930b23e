/* SPDX-License-Identifier: MIT */
/* Logs changes of state. */
#include "announce.h"

#include <json-c/linkhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/cluster/asking.h"
#include "core/report/report_backends.h"
#include "core/steer/tempo.h"
#include "io/clock.h"
#include "io/log.h"

enum {
	FIRST_SIZE = 64,       /* the table grows by itself */
	OVERWRITTEN_OFTEN = 3, /* an operator does it once, another controller again and again */
	MISSED_OFTEN = 10,     /* readings in a row */
};

/* What was said of a backend or a server last. */
struct said {
	char *name;
	uint64_t number; /* of the announcement that saw it last */
	/* Of a backend. */
	int mode; /* mode + 1; 0: nothing */
	bool fallback;
	bool dns_full; /* every server found by DNS is in use */
	bool dns_limit;
	bool quiet;
	bool sticky;
	/* Of a server. */
	bool disbelieved;
	bool several; /* workers, each of which answers for itself */
	bool draining;
	bool unasked;
	bool doubtful; /* its port may not be its own */
	bool overwritten;
	bool capped;                /* its pod tells more capacity than counts */
	enum verdict_state verdict; /* of a backend: as said last, and as seen last */
	enum verdict_state verdict_seen;
	bool used;         /* it had a pod that HAProxy used */
	int64_t joined_ms; /* of that pod, see struct server */
	char *pod;         /* its name, or else the server's */
};

static void said_free(struct said *said)
{
	free(said->name);
	free(said->pod);
	free(said);
}

/* What was said of name, or that nothing was. NULL when out of memory. A backend's name has no
 * slash, a server's id has one. */
static struct said *said_of(struct announce *announce, const char *name)
{
	void *found = NULL;
	struct said *said;

	if (!announce->said)
		announce->said = lh_kchar_table_new(FIRST_SIZE, NULL);
	if (!announce->said)
		return NULL;
	if (lh_table_lookup_ex(announce->said, name, &found)) {
		said = found;
		said->number = announce->number;
		return said;
	}
	said = calloc(1, sizeof(*said));
	if (!said)
		return NULL;
	said->name = strdup(name);
	said->number = announce->number;
	if (!said->name || lh_table_insert(announce->said, said->name, said) != 0) {
		said_free(said);
		return NULL;
	}
	return said;
}

/* Forgets what HAProxy no longer lists. */
static void sweep(struct announce *announce, struct events *events)
{
	struct lh_entry *entry;
	struct lh_entry *next;

	if (!announce->said)
		return;
	lh_foreach_safe(announce->said, entry, next)
	{
		struct said *said = lh_entry_v(entry);

		if (said->number == announce->number)
			continue;
		if (said->used && events)
			events_add(events, clock_wall_ms(), EVENT_LEFT, said->pod ? said->pod : "");
		lh_table_delete_entry(announce->said, entry);
		said_free(said);
	}
}

void announce_fini(struct announce *announce)
{
	announce->number++;
	sweep(announce, NULL);
	if (announce->said)
		lh_table_free(announce->said);
	announce->said = NULL;
	free(announce->left_out);
	announce->left_out = NULL;
}

static void announce_haproxy(
	struct announce *announce, const struct hastate_info *info, struct events *events)
{
	if (hastate_is_same_process(&announce->haproxy, info))
		return;
	log_info(announce->haproxy.pid == 0 ? "HAProxy reached"
					    : "HAProxy was reloaded or restarted",
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

static void announce_mode(struct said *said, const struct backend *backend)
{
	if (said->mode == (int)backend->mode + 1)
		return;
	said->mode = (int)backend->mode + 1;
	if (backend->ambiguous) {
		log_error("backend is not steered: two patterns of haproxy.backends fit it and ask "
			  "its pods in different ways: name it there",
			log_str("backend", backend->name));
	} else if (backend->mode == BACKEND_NOT_STEERED) {
		log_warn("backend is not steered: its algorithm has no use for weights that change",
			log_str("backend", backend->name), log_str("balance", backend->algo));
	} else {
		log_info("backend is steered", log_str("backend", backend->name),
			log_str("balance", backend->algo),
			log_str("by", backend_mode_name(backend->mode)),
			log_int("servers", (int64_t)backend->n_servers));
	}
}

static void announce_fallback(struct said *said, const struct backend *backend)
{
	const struct planner_summary *summary = &backend->summary;

	if (!backend->planned || said->fallback == summary->fallback)
		return;
	said->fallback = summary->fallback;
	if (summary->fallback) {
		log_warn("fewer than half of the pods are known: weights as configured",
			log_str("backend", backend->name),
			log_int("known", (int64_t)summary->n_known),
			log_int("never_heard", (int64_t)summary->n_never_heard),
			log_int("disbelieved", (int64_t)summary->n_disbelieved));
	} else {
		log_info("enough pods are known: steering", log_str("backend", backend->name),
			log_int("known", (int64_t)summary->n_known));
	}
}

/*
 * Servers that HAProxy's resolvers fill have two ends: the slots that are configured, and what one
 * answer holds. HAProxy refuses a truncated answer whole, and takes all servers down then: at 508 A
 * records with accepted_payload_size 8192, at 28 with its default of 512, measured on 2.6.
 */
static void announce_dns(struct said *said, const struct backend *backend)
{
	enum { NEAR_LIMIT = 400 };
	size_t n = 0;
	size_t used = 0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];
		/* Of a template of SRV records a server has a name only while it is in use. */
		bool by_dns = server->fqdn[0] != '\0' || server->haproxy.by_srv;

		n += by_dns;
		used += by_dns && backend->servers[i]->pod;
	}

	/* A single server with a name is no template. */
	bool full = n > 1 && used == n;
	bool limit = used >= NEAR_LIMIT;

	if (full && !said->dns_full)
		log_warn("every server found by DNS is in use: further pods get none",
			log_str("backend", backend->name), log_int("servers", (int64_t)n));
	if (limit && !said->dns_limit) {
		log_warn("close to what a DNS answer over UDP holds: beyond it all servers go down",
			log_str("backend", backend->name), log_int("servers", (int64_t)used),
			log_int("limit", 508));
	}
	said->dns_full = full;
	said->dns_limit = limit;
}

/* Which servers nobody can ask stays as it is until somebody writes another configuration. */
static void announce_unasked(struct said *said, const struct server *server)
{
	if (server->unasked != SERVER_ASKED && !said->unasked)
		log_warn("server cannot be asked, and is left alone", log_str("server", server->id),
			log_str("reason", server_unasked_reason(server->unasked)));
	said->unasked = server->unasked != SERVER_ASKED;
}

/* "+1000" looks like port 1000. */
static void announce_doubtful(struct said *said, const struct server *server)
{
	bool doubtful = asking_is_doubtful(server) && !server->backend->asking.quiet;

	if (doubtful && !said->doubtful)
		log_warn(
			"pod does not answer at the port that HAProxy tells, which may be relative "
			"to the client's: it is asked once a minute; set metricPort for it, or give "
			"the server a check",
			log_str("server", server->id), log_str("pod", server->pod->key));
	said->doubtful = doubtful;
}

/* Two who set the same weights never come to rest: that is for people to settle. */
static void announce_overwritten(struct said *said, const struct server *server)
{
	bool often = server->sent.overwritten >= OVERWRITTEN_OFTEN;
	/* DNS may overwrite a weight before it was ever read back. */
	bool by_dns = server->haproxy.by_srv && (often || server->sent.missed >= MISSED_OFTEN);

	if (said->overwritten || (!often && !by_dns))
		return;
	said->overwritten = true;
	if (by_dns) {
		log_warn("weights do not stay on a server found by SRV records, whose weights "
			 "HAProxy takes: in haproxy.cfg, write resolve-opts ignore-weight behind "
			 "resolvers",
			log_str("server", server->id));
		return;
	}
	log_warn(
		"somebody else sets this server's weight again and again: let one of the two do it",
		log_str("server", server->id), log_int("times", server->sent.overwritten));
}

/* Once for each pod that comes to tell too much: bounds move with the other pods. */
static void announce_capacity(struct said *said, const struct server *server)
{
	double most = server->backend->capacity_most;
	double told = server->plan.made ? server->plan.input.told : 0.0;
	char tells[32];
	char counts[32];

	if (said->capped || told <= most)
		return;
	said->capped = true;
	snprintf(tells, sizeof(tells), "%g", told);
	snprintf(counts, sizeof(counts), "%g", most);
	log_warn("pod tells more capacity than capacityMax allows, and counts as less",
		log_str("server", server->id), log_str("pod", server->pod->key),
		log_str("tells", tells), log_str("counts_as", counts));
}

static void announce_server(struct said *said, const struct server *server)
{
	bool disbelieved = server->plan.made && server->plan.result.basis == PLANNER_DISBELIEVED;
	bool several = disbelieved && server->pod->workers.several;
	bool draining = server->plan.made && server->plan.result.basis == PLANNER_DRAINING;

	if (several && !said->several) {
		log_warn("a pod's answers differ from one connection to the next: one worker of "
			 "several? Its count must be that of all of them",
			log_str("server", server->id), log_str("pod", server->pod->key),
			log_int("reported", server->pod->metric.count),
			log_int("held", server->sessions.own));
	} else if (disbelieved && !said->disbelieved) {
		log_warn("pod reports fewer connections than HAProxy holds on it: not believed",
			log_str("server", server->id), log_str("pod", server->pod->key),
			log_int("reported", server->pod->metric.count),
			log_int("held", server->sessions.own));
	}
	if (!disbelieved && said->disbelieved && server->plan.made)
		log_info("pod is believed again", log_str("server", server->id),
			log_str("pod", server->pod->key));
	if (draining && !said->draining)
		log_info("pod drains: weight 0", log_str("server", server->id),
			log_str("pod", server->pod->key));
	said->disbelieved = disbelieved;
	said->several = several;
	said->draining = draining;
}

/* Where the pod's name is kept, since it is needed when the pod has gone. */
static void remember_pod(struct said *said, const struct server *server)
{
	const char *name = pod_name(server->pod)[0] ? pod_name(server->pod) : server->name;

	if (said->pod && strcmp(said->pod, name) == 0)
		return;
	free(said->pod);
	said->pod = strdup(name);
}

/* A pod that HAProxy begins to use, or uses no more. */
static void announce_membership(
	struct said *said, const struct server *server, struct events *events)
{
	bool used = server->pod && !server_is_away(server->state);
	bool another = used && said->used && server->joined_ms != said->joined_ms;

	if (said->used && (!used || another))
		events_add(events, clock_wall_ms(), EVENT_LEFT, said->pod ? said->pod : "");
	said->used = said->used && used && !another;
	/* Its name is its own word, so it is waited for. */
	if (!used || server->pod->polled_ms == 0)
		return;
	remember_pod(said, server);
	if (!said->used && server->joined_ms != 0 && server->joined_ms != said->joined_ms)
		events_add(events, clock_wall_ms(), EVENT_JOINED, said->pod ? said->pod : "");
	said->used = true;
	said->joined_ms = server->joined_ms;
}

static void announce_sticky(struct said *said, const struct backend *backend)
{
	if (backend->sticky && !said->sticky) {
		log_info(
			"a cookie leads clients of this backend back to their server: new clients are "
			"steered, returning ones are not; maxlife behind cookie in haproxy.cfg lets "
			"them go",
			log_str("backend", backend->name));
	}
	said->sticky = backend->sticky;
}

/* A backend whose pods are strangers may just as well be asked in the wrong way. */
static void announce_quiet(struct said *said, const struct backend *backend)
{
	if (backend->asking.quiet && !said->quiet) {
		log_warn(
			"no pod of this backend tells its connections: it is asked once a minute; "
			"name it in haproxy.backends with how it is to be asked, or name the others",
			log_str("backend", backend->name));
	}
	if (!backend->asking.quiet && said->quiet)
		log_info("backend is asked in each interval", log_str("backend", backend->name));
	said->quiet = backend->asking.quiet;
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

static void announce_backend(
	struct announce *announce, const struct backend *backend, bool asked, struct events *events)
{
	struct said *said = said_of(announce, backend->name);

	if (said) {
		announce_mode(said, backend);
		announce_dns(said, backend);
		announce_quiet(said, backend);
		announce_sticky(said, backend);
	}
	if (said && asked)
		announce_fallback(said, backend);
	for (size_t i = 0; i < backend->n_servers; i++) {
		said = said_of(announce, backend->servers[i]->id);
		if (said) {
			announce_unasked(said, backend->servers[i]);
			announce_overwritten(said, backend->servers[i]);
			announce_doubtful(said, backend->servers[i]);
			announce_server(said, backend->servers[i]);
			announce_capacity(said, backend->servers[i]);
			announce_membership(said, backend->servers[i], events);
		}
	}
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

	announce->number++;
	announce_haproxy(announce, cluster_info(cluster), events);
	announce_missing(announce, cluster);
	announce_left_out(announce, cluster);
	announce_tempo(announce, cluster);
	announce_instances(announce, cluster);
	for (size_t b = 0; b < n; b++)
		announce_backend(announce, backends[b], asked, events);
	sweep(announce, events);
}

/* What a pod says beside its count and cannot be read is taken for absent, and said once. */
static void announce_odd(const struct pod *pod, const struct metric *metric)
{
	const struct metric *before = &pod->metric;

	if (metric->odd_draining && !(pod->heard && before->odd_draining))
		log_warn("draining is neither true nor false, and is taken for absent",
			log_str("pod", pod->key));
	if (metric->odd_capacity && !(pod->heard && before->odd_capacity))
		log_warn("capacity is no number from 0.001 to 1e9, and is taken for absent",
			log_str("pod", pod->key));
}

enum {
	POLLS_SAID_MAX = 10, /* changes of pods that are said one by one in so long a time */
	POLLS_WINDOW_MS = 10000,
};

/* Begins to count anew when it is time, and says what was left out. */
static void sum_up(struct announce_polls *polls, int64_t now_ms)
{
	if (polls->since_ms != 0 && now_ms - polls->since_ms < POLLS_WINDOW_MS)
		return;
	if (polls->n_lack_name > 0)
		log_warn("further pods say names of others", log_int("pods", polls->n_lack_name));
	if (polls->n_failed + polls->n_answer_again > 0) {
		log_warn("further pods could not be polled or answered again",
			log_int("could_not", polls->n_failed),
			log_int("answered_again", polls->n_answer_again),
			log_int("in_s", (now_ms - polls->since_ms) / 1000));
	}
	*polls = (struct announce_polls){.events = polls->events, .since_ms = now_ms};
}

/* Whether a change is said by itself; else it is counted in *left_out. */
static bool is_said(struct announce_polls *polls, unsigned *left_out)
{
	if (polls->n_said < POLLS_SAID_MAX) {
		polls->n_said++;
		return true;
	}
	++*left_out;
	return false;
}

void announce_poll(struct announce_polls *polls, const struct pod *pod, enum metric_outcome outcome,
	const struct metric *metric, const char *detail)
{
	bool failed = outcome != METRIC_OK && (pod->polled_ms == 0 || pod->outcome != outcome);
	bool again = outcome == METRIC_OK && pod->polled_ms != 0 && pod->outcome != METRIC_OK;

	const char *name = pod_name(pod)[0] ? pod_name(pod) : pod->key;

	sum_up(polls, clock_now_ms());
	log_debug("poll", log_str("pod", pod->key),
		log_str("result", metric_outcome_label(outcome)), log_str("detail", detail));
	if (failed && is_said(polls, &polls->n_failed))
		log_warn("pod cannot be polled", log_str("pod", pod->key),
			log_str("result", metric_outcome_label(outcome)), log_str("error", detail));
	if (failed && pod->heard && pod->outcome == METRIC_OK)
		events_add(polls->events, clock_wall_ms(), EVENT_SILENT, name);
	if (again && pod->heard)
		events_add(polls->events, clock_wall_ms(), EVENT_HEARD, name);
	if (again && is_said(polls, &polls->n_answer_again))
		log_info("pod answers again", log_str("pod", pod->key));
	if (outcome == METRIC_OK)
		announce_odd(pod, metric);
}

void announce_lack(struct announce_polls *polls, const struct pod *pod)
{
	if (is_said(polls, &polls->n_lack_name))
		log_warn("pod says a name that is another's: its address is shown instead",
			log_str("pod", pod->key), log_str("name", pod->metric.pod_name));
}

static bool needs_somebody(enum verdict_state state)
{
	return state == VERDICT_CANNOT_LEVEL || state == VERDICT_NOT_STEERING;
}

static void announce_verdict(struct said *said, const struct report_backend *backend)
{
	const struct verdict *verdict = &backend->verdict;
	bool stands = verdict->state == said->verdict_seen;

	said->verdict_seen = verdict->state;
	if (!stands || verdict->state == said->verdict)
		return;
	if (needs_somebody(verdict->state)) {
		log_warn("verdict", log_str("backend", backend->backend->name),
			log_str("says", verdict->text), log_str("why", verdict->why),
			log_str("you", verdict->you));
	} else if (needs_somebody(said->verdict)) {
		log_info("verdict", log_str("backend", backend->backend->name),
			log_str("says", verdict->text));
	}
	said->verdict = verdict->state;
}

void announce_verdicts(struct announce *announce, const struct report_view *view)
{
	struct report_backends backends;

	if (!report_backends_init(&backends, view))
		return;
	announce->number++;
	for (size_t i = 0; i < backends.n; i++) {
		struct said *said = said_of(announce, backends.list[i].backend->name);

		if (said)
			announce_verdict(said, &backends.list[i]);
	}
	sweep(announce, NULL);
	report_backends_fini(&backends);
}
