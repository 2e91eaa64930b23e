/* SPDX-License-Identifier: MIT */
/* Plans the backends of a cluster. */
#include "core/steer/steer.h"

#include <math.h>
#include <stdlib.h>

#include "core/plan/aging.h"
#include "core/plan/capacity.h"
#include "core/plan/counts.h"
#include "core/plan/limits.h"
#include "core/plan/planner.h"
#include "core/plan/storm.h"
#include "core/steer/agentcheck.h"
#include "core/steer/percent.h"
#include "core/steer/tempo.h"
#include "core/steer/watch.h"

double steer_arrivals(const struct cluster_settings *settings, double arrivals_per_s)
{
	/* Without HAProxy's word the rate is from the pods' counts: that of all instances. */
	return settings->agent_check_only ? arrivals_per_s
					  : arrivals_per_s * (double)settings->replicas;
}

/* A pod whose answer takes longer than a fast interval is asked less often than it. */
static const int64_t FRESH_MIN_MS = 1000;

struct planner_params steer_params(const struct cluster_settings *settings, enum backend_mode mode,
	int64_t interval_ms, const struct steer_rates *rates)
{
	double interval_s = (double)interval_ms / 1000.0;
	/* One poll may be lost before a count is called stale. */
	int64_t fresh_ms = 2 * interval_ms + interval_ms / 2;

	return (struct planner_params){
		.mode = mode == BACKEND_STOCK ? PLANNER_STOCK : PLANNER_FLOW,
		.replicas = settings->replicas,
		.fresh_ms = fresh_ms > FRESH_MIN_MS ? fresh_ms : FRESH_MIN_MS,
		.cache_ttl_ms = settings->cache_ttl_ms,
		.arrivals = rates->arrivals_per_s * interval_s,
		.growth = settings->agent_check_only ? 0.0 : rates->growth_per_s * interval_s,
		.ramp_ms = settings->ramp_ms,
		.max_share = settings->max_share,
		.own_unknown = settings->agent_check_only,
	};
}

struct outlook_params steer_outlook_params(
	const struct cluster_settings *settings, double arrivals_per_s, double closing)
{
	return (struct outlook_params){
		.arrivals_per_s = steer_arrivals(settings, arrivals_per_s),
		/* Without HAProxy's word the rate of arrivals is that of the counts: net. */
		.closing = settings->agent_check_only ? 0.0 : closing,
		.ramp_ms = settings->ramp_ms,
		.max_share = settings->max_share,
	};
}

/* Of a pod that has warmed up: as much as every reader of JSON takes for a whole number. */
static const int64_t OLD_MS = (INT64_C(1) << 53) - 1;

/* What several servers of this HAProxy hold of a pod, and do to it, they hold and do together. */
static void describe_sharing(const struct cluster_settings *settings, const struct server *server,
	struct planner_pod *input)
{
	const struct pod_sharing *sharing = &server->pod->sharing;
	const struct sessions *sessions = &server->sessions;
	double own = (double)sharing->own - (double)sessions->own;
	double then = sharing->own_then - (double)sessions->own_then;

	input->part = server->part;
	input->line = server->line;
	if (sharing->n_servers < 2)
		return;
	input->held = (double)sharing->own + sharing->left;
	input->has_others = sharing->others.known;
	input->others = sharing->others.count + own +
			((double)settings->replicas - 1.0) * counts_moved_alike(own - then);
	input->own_beside += sessions->own_exact ? (uint32_t)fmax(0.0, fmin(own, then)) : 0;
	if (sessions->doubted)
		input->own_beside += (uint32_t)fmax(0.0, sharing->left - sessions->left);
}

/* Of the connections that stood when the pod counted, so many have closed by its answer. */
static double worn(const struct server *server)
{
	const struct pod *pod = server->pod;
	double age_s = (double)(pod->heard_ms - pod->counted.ms) / 1000.0;

	return 1.0 - exp(-lives_closing(&server->backend->lives) * age_s);
}

static struct planner_pod pod_of(
	const struct cluster_settings *settings, const struct server *server, int64_t now_ms)
{
	const struct pod *pod = server->pod;
	int iweight = server->haproxy.iweight;
	struct planner_pod input = {
		.heard = pod->heard && server->sessions.own_then_ms == pod->counted.ms,
		.draining = pod->heard && pod->metric.draining,
		.several = pod->workers.several,
		.count = pod->metric.count,
		.count_age_ms = now_ms - pod->heard_ms,
		.planned = server->plan.made && server->sessions.target_stands,
		.target_then = server->plan.result.target,
		.age_ms = server->joined_ms > 0 ? now_ms - server->joined_ms : OLD_MS,
		.configured = iweight,
		.told = pod->heard ? pod->metric.capacity : 0.0,
		.capacity = iweight,
		/* A single instance has nobody who shares out what comes elsewhere. */
		.worn = pod->heard && settings->replicas > 1 ? worn(server) : 0.0,
	};

	sessions_describe(&server->sessions, settings->replicas,
		tempo_interval_ms(settings, server->backend), &input);
	describe_sharing(settings, server, &input);
	input.has_others = input.has_others && !settings->agent_check_only;
	return input;
}

/* The steered servers, and how many sessions they started; returns how many they are. */
static size_t collect(const struct backend *backend, struct server **servers, uint64_t *arrived)
{
	size_t n = 0;

	*arrived = 0;
	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];

		server->plan.made = server->plan.made && server->state == SERVER_STEERED;
		if (server->state != SERVER_STEERED) {
			server->sessions.started = 0;
			continue;
		}
		servers[n++] = server;
		*arrived += server->sessions.started;
	}
	return n;
}

int steer_weight(const struct cluster_settings *settings, const struct planner_pod *pod,
	const struct planner_result *result)
{
	return settings->percent_steps ? percent_reachable(pod->configured, result->weight)
				       : result->weight;
}

static void apply_result(const struct cluster_settings *settings, struct server *server,
	const struct planner_pod *pod, const struct planner_result *result, int64_t now_ms)
{
	if (!server->plan.made || server->plan.result.basis != result->basis)
		server->plan.basis_ms = now_ms;
	server->plan.input = *pod;
	server->plan.result = *result;
	server->plan.weight = steer_weight(settings, pod, result);
	server->plan.made = true;
	sessions_judge(&server->sessions, pod, result->basis, now_ms);
	server->sessions.target_stands = true;
}

/*
 * HAProxy uses a server as soon as it is up, and fills it before the next plan can set a limit. So
 * where there are limits, a server that is away has the least weight already: as it comes it gets
 * the one connection that HAProxy gives to every empty server.
 */
static void hold_away(const struct cluster_settings *settings, const struct backend *backend)
{
	bool is_limited = limits_share(settings->max_share, 1.0) < 1.0 || settings->ramp_ms > 0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		struct server *server = backend->servers[i];

		server->plan.held =
			is_limited && server_is_away(server->state) && server->haproxy.iweight > 0;
		if (server->plan.held) {
			server->plan.weight =
				settings->percent_steps
					? percent_reachable(server->haproxy.iweight, 1)
					: 1;
		}
	}
}

/* What a plan of n servers came to. */
struct plan {
	struct server **servers;
	struct planner_pod *pods;
	struct planner_result *results;
	size_t n;
};

static void plan_fini(struct plan *plan)
{
	free(plan->results);
	free(plan->pods);
	free(plan->servers);
}

/* Room for n servers. False when out of memory, with nothing to free. */
static bool plan_init(struct plan *plan, size_t n)
{
	*plan = (struct plan){
		.servers = calloc(n + 1, sizeof(struct server *)),
		.pods = calloc(n + 1, sizeof(*plan->pods)),
		.results = calloc(n + 1, sizeof(*plan->results)),
	};
	if (plan->servers && plan->pods && plan->results)
		return true;
	plan_fini(plan);
	return false;
}

static void apply_plan(const struct cluster_settings *settings, struct backend *backend,
	const struct plan *plan, const struct planner_summary *summary, int64_t now_ms)
{
	struct outlook_params foreseen = steer_outlook_params(
		settings, backend->arrivals.per_second, lives_closing(&backend->lives));

	for (size_t i = 0; i < plan->n; i++) {
		apply_result(settings, plan->servers[i], &plan->pods[i], &plan->results[i], now_ms);
		backend_tally_add(
			&backend->tally, plan->results[i].basis, plan->servers[i]->plan.weight);
	}
	backend->tally.fallbacks += plan->n > 0 && summary->fallback;
	backend->outlook = outlook_of(&foreseen, plan->pods, plan->results, plan->n);
	backend->summary = *summary;
	backend->planned = plan->n > 0;
	backend->planned_ms = now_ms;
	watch_begin(backend);
}

static bool plan_backend(
	const struct cluster_settings *settings, struct backend *backend, int64_t now_ms)
{
	struct steer_rates rates = {
		.arrivals_per_s = steer_arrivals(settings, backend->arrivals.per_second),
		.growth_per_s = backend->growth.per_second,
	};
	struct planner_params params =
		steer_params(settings, backend->mode, tempo_interval_ms(settings, backend), &rates);
	struct planner_summary summary;
	struct plan plan;
	bool planned;
	uint64_t arrived;

	if (!plan_init(&plan, backend->n_servers))
		return false;
	plan.n = collect(backend, plan.servers, &arrived);
	for (size_t i = 0; i < plan.n; i++) {
		struct server *server = plan.servers[i];

		sessions_account(&server->sessions,
			server->plan.made ? server->plan.result.share_limit : 1.0, arrived);
		plan.pods[i] = pod_of(settings, server, now_ms);
	}
	planned = capacity_settle(
			  plan.pods, plan.n, settings->capacity_max, &backend->capacity_most) &&
		  aging_settle(plan.pods, plan.n) &&
		  planner_plan(&params, plan.pods, plan.n, plan.results, &summary);
	if (planned)
		apply_plan(settings, backend, &plan, &summary, now_ms);
	hold_away(settings, backend);
	plan_fini(&plan);
	return planned;
}

/* A reload may have brought another algorithm: what was planned under the old one is void. */
static void forget_plan(struct backend *backend)
{
	backend->planned = false;
	watch_begin(backend);
	for (size_t i = 0; i < backend->n_servers; i++) {
		backend->servers[i]->plan.made = false;
		backend->servers[i]->plan.held = false;
		backend->servers[i]->sessions.started = 0;
	}
}

/* Counts that were heard since the last plan; draining pods are meant to lose theirs. */
static bool is_torn(const struct backend *backend)
{
	struct storm storm = {.n = 0.0};

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];
		const struct pod *pod = server->pod;

		if (server->state == SERVER_STEERED && pod->heard && pod->has_before &&
			pod->counted.ms > backend->planned_ms && !pod->metric.draining)
			storm_add(&storm, pod->count_before, pod->metric.count);
	}
	return storm_is_torn(&storm);
}

bool steer_is_torn(const struct cluster *cluster)
{
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(cluster, &n_backends);

	/* What a single instance has itself outweighs one reading of the pods: others.h. */
	for (size_t i = 0; i < n_backends && cluster_settings(cluster)->replicas > 1; i++) {
		if (backends[i]->planned && backends[i]->mode == BACKEND_STOCK &&
			is_torn(backends[i]))
			return true;
	}
	return false;
}

static bool plan_backends(struct cluster *cluster, int64_t now_ms, bool all)
{
	const struct cluster_settings *settings = cluster_settings(cluster);
	size_t n_backends;
	struct backend *const *backends = cluster_edit_backends(cluster, &n_backends);
	bool planned = true;

	for (size_t i = 0; i < n_backends; i++) {
		if (backends[i]->mode == BACKEND_NOT_STEERED)
			forget_plan(backends[i]);
		else if (all || tempo_is_due(cluster, backends[i], now_ms))
			planned = plan_backend(settings, backends[i], now_ms) && planned;
	}
	tempo_update(cluster, now_ms);
	return planned;
}

bool steer_plan(struct cluster *cluster, int64_t now_ms)
{
	return plan_backends(cluster, now_ms, true);
}

bool steer_plan_due(struct cluster *cluster, int64_t now_ms)
{
	return plan_backends(cluster, now_ms, false);
}

void steer_release(struct cluster *cluster)
{
	size_t n_backends;
	struct backend *const *backends = cluster_edit_backends(cluster, &n_backends);

	for (size_t b = 0; b < n_backends; b++) {
		for (size_t i = 0; i < backends[b]->n_servers; i++)
			backends[b]->servers[i]->plan.weight =
				backends[b]->servers[i]->haproxy.iweight;
	}
}

double steer_imbalance(const struct cluster *cluster)
{
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(cluster, &n_backends);
	double worst = 0.0;

	for (size_t i = 0; i < n_backends; i++) {
		if (backends[i]->planned && backends[i]->summary.imbalance > worst)
			worst = backends[i]->summary.imbalance;
	}
	return worst;
}
