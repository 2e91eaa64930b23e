/* SPDX-License-Identifier: MIT */
/* Holds the parts together. */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "build.h"
#include "components.h"
#include "core/report/report.h"
#include "core/settings.h"
#include "core/stats.h"
#include "haproxy/drain.h"
#include "haproxy/reloadwatch.h"
#include "http/httpd.h"
#include "io/clock.h"
#include "io/configfile.h"
#include "io/log.h"
#include "round.h"

/* For putting weights back; the whole stop is to take a second at most. */
static const double STOP_S = 0.8;

struct agent {
	struct ev_loop *loop;
	struct agent_options options;
	struct components parts;
	struct cluster *cluster;
	struct stats stats;
	struct httpd *httpd;
	struct round *round;
	struct readiness *readiness;
	struct reloadwatch *reloadwatch;
	struct drain *drain;
	ev_timer stop_deadline;
	bool stopping;
};

static void on_answer(struct pod *pod, enum metric_outcome outcome, const struct metric *metric,
	const char *detail, double seconds, void *arg)
{
	struct agent *agent = arg;

	stats_observe(&agent->stats.poll, seconds);
	agent->stats.polls[outcome]++;
	announce_poll(pod, outcome, detail);
	/* What a pod says first is news that is not kept waiting for the next round. */
	if (outcome == METRIC_OK && !pod->heard && agent->round)
		round_hurry(agent->round);
	pod_observe(pod, outcome, metric, detail, clock_now_ms());
}

static void fill_view(struct report_view *view, void *arg)
{
	struct agent *agent = arg;

	size_t n_kubernetes;
	const struct report_kube *kubernetes =
		discovery_report(agent->parts.discovery, &n_kubernetes);

	*view = (struct report_view){
		.cluster = agent->cluster,
		.stats = &agent->stats,
		.now_ms = clock_now_ms(),
		.wall_ms = clock_wall_ms(),
		.version = WSB_VERSION,
		.dry_run = agent->options.dry_run,
		.draining = readiness_is_stopping(agent->readiness),
		.kubernetes = kubernetes,
		.n_kubernetes = n_kubernetes,
		.ready = (agent->stats.haproxy_reached || !agent->parts.runtime) &&
			 cluster_is_first_round_done(agent->cluster) &&
			 (!agent->parts.discovery || discovery_is_listed(agent->parts.discovery)),
	};
}

static bool on_drain(void *arg)
{
	struct agent *agent = arg;

	return drain_ask(agent->drain);
}

static bool on_drained(char *text, size_t size, void *arg)
{
	struct agent *agent = arg;

	return drain_answer(agent->drain, text, size);
}

static void on_released(void *arg)
{
	struct agent *agent = arg;

	httpd_release(agent->httpd);
}

/* Instances are as many as Kubernetes counts, once it has told; till then as configured. */
static struct cluster_params cluster_params_of(const struct components *parts)
{
	unsigned counted = parts->discovery ? discovery_replicas(parts->discovery) : 0;

	return settings_of(parts->config, counted);
}

/* Kubernetes has news: of the pods, or of HAProxy's own instances. */
static void on_discovered(void *arg)
{
	struct agent *agent = arg;
	struct cluster_params params = cluster_params_of(&agent->parts);

	if (params.replicas != cluster_settings(agent->cluster)->replicas) {
		log_info("HAProxy's instances have changed", log_int("replicas", params.replicas));
		if (!cluster_configure(agent->cluster, &params))
			log_error("out of memory", LOG_NONE);
	}
	round_hurry(agent->round);
}

/* Another HAProxy process has taken over, and nobody has filled its slots yet. */
static void on_another_process(const struct hareply_info *info, void *arg)
{
	struct agent *agent = arg;

	if (!hareply_is_same_process(cluster_info(agent->cluster), info))
		round_restart(agent->round);
}

/* Only where slots are filled does a new process have to be seen at once. */
static void configure_reloadwatch(struct agent *agent)
{
	bool fills = !agent->options.dry_run && discovery_fills(agent->parts.discovery);

	reloadwatch_configure(agent->reloadwatch, fills ? agent->parts.runtime : NULL);
}

/* A dry run tells HAProxy nothing. */
static void configure_drain(struct agent *agent)
{
	struct drain_options options = {
		.delay_ms = agent->parts.config->drain_delay_ms,
		.has_haproxy = agent->parts.runtime,
		.dry_run = agent->options.dry_run,
	};

	drain_configure(agent->drain, &options);
	readiness_configure(agent->readiness, agent->options.dry_run ? NULL : agent->parts.runtime);
}

static struct round_parts round_parts_of(struct agent *agent)
{
	return (struct round_parts){
		.config = agent->parts.config,
		.cluster = agent->cluster,
		.stats = &agent->stats,
		.poller = agent->parts.poller,
		.runtime = agent->parts.runtime,
		.discovery = agent->parts.discovery,
		.recorder = agent->parts.recorder,
		.readiness = agent->readiness,
		.dry_run = agent->options.dry_run,
	};
}

static struct httpd_options httpd_options_of(struct agent *agent, const struct config *config)
{
	return (struct httpd_options){
		.listen = &config->listen,
		.balancer_metric_path = config->balancer_metric_path,
		.token_file = config->listen_token_file,
		.tls_cert_file = config->listen_tls_cert,
		.tls_key_file = config->listen_tls_key,
		.view = fill_view,
		.drain = on_drain,
		.drained = on_drained,
		.arg = agent,
	};
}

static struct components_needs parts_needs_of(struct agent *agent)
{
	return (struct components_needs){
		.loop = agent->loop,
		.cluster = agent->cluster,
		.stats = &agent->stats,
		.dry_run = agent->options.dry_run,
		.answer = on_answer,
		.discovered = on_discovered,
		.arg = agent,
	};
}

/* Opens the HTTP endpoint, or moves it to where the configuration wants it. */
static bool open_httpd(struct agent *agent, const struct config *config)
{
	struct httpd_options options = httpd_options_of(agent, config);
	char why[256] = "";
	bool opened;

	if (agent->httpd) {
		opened = httpd_configure(agent->httpd, &options, why, sizeof(why));
	} else {
		agent->httpd = httpd_new(agent->loop, &options, why, sizeof(why));
		opened = agent->httpd != NULL;
	}
	if (!opened)
		log_error("listen cannot be opened", log_str("error", why));
	return opened;
}

static void on_stop_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static const struct components no_parts = {.config = NULL};

struct agent *agent_new(
	struct ev_loop *loop, struct config *config, const struct agent_options *options)
{
	struct components first = {.config = config};
	struct cluster_params params = cluster_params_of(&first);
	struct agent *agent = calloc(1, sizeof(*agent));
	struct components_needs needs;
	struct round_parts parts;

	if (!agent) {
		config_fini(config);
		free(config);
		return NULL;
	}
	agent->loop = loop;
	agent->options = *options;
	agent->parts.config = config;
	agent->stats.start_wall_ms = clock_wall_ms();
	ev_timer_init(&agent->stop_deadline, on_stop_deadline, STOP_S, 0.0);
	log_configure(config->log_level, config->log_format);
	agent->cluster = cluster_new(&params);
	agent->readiness = readiness_new(loop);
	agent->reloadwatch = reloadwatch_new(loop, on_another_process, agent);
	agent->drain = drain_new(loop, agent->readiness, on_released, agent);
	needs = parts_needs_of(agent);
	if (!agent->cluster || !agent->readiness || !agent->reloadwatch || !agent->drain ||
		!components_make(&needs, &no_parts, &agent->parts) || !open_httpd(agent, config)) {
		agent_free(agent);
		return NULL;
	}
	configure_drain(agent);
	configure_reloadwatch(agent);
	parts = round_parts_of(agent);
	agent->round = round_new(loop, &parts);
	if (!agent->round) {
		agent_free(agent);
		return NULL;
	}
	log_info("started", log_str("version", WSB_VERSION),
		log_str("config", options->config_path),
		log_str("dry_run", options->dry_run ? "true" : "false"));
	return agent;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	ev_timer_stop(agent->loop, &agent->stop_deadline);
	round_free(agent->round);
	httpd_free(agent->httpd);
	drain_free(agent->drain);
	components_free(&agent->parts, &no_parts, agent->cluster);
	reloadwatch_free(agent->reloadwatch);
	readiness_free(agent->readiness);
	cluster_free(agent->cluster);
	free(agent);
}

static bool is_same_backends(const struct config *a, const struct config *b)
{
	if (a->n_backends != b->n_backends)
		return false;
	for (size_t i = 0; i < a->n_backends; i++) {
		if (strcmp(a->backends[i], b->backends[i]) != 0)
			return false;
	}
	return true;
}

/* Puts a configuration into force. False, logged, when it cannot be: the old one goes on. */
static bool apply(struct agent *agent, struct config *config)
{
	struct cluster_params old_params = cluster_params_of(&agent->parts);
	struct components made = {.config = config};
	struct components old = agent->parts;
	struct components_needs needs = parts_needs_of(agent);
	struct cluster_params params;
	struct round_parts parts;

	bool good = components_make(&needs, &old, &made);
	params = cluster_params_of(&made);
	if (!good || !cluster_configure(agent->cluster, &params)) {
		components_free(&made, &old, agent->cluster);
		return false;
	}
	if (!open_httpd(agent, config)) {
		if (!cluster_configure(agent->cluster, &old_params))
			log_error("out of memory", LOG_NONE);
		components_free(&made, &old, agent->cluster);
		return false;
	}
	/* What will be steered no more gets its configured weights. */
	if (made.runtime == old.runtime && !is_same_backends(config, old.config))
		round_restore(agent->round);
	agent->parts = made;
	configure_drain(agent);
	configure_reloadwatch(agent);
	parts = round_parts_of(agent);
	round_configure(agent->round, &parts);
	components_free(&old, &made, agent->cluster);
	log_configure(config->log_level, config->log_format);
	return true;
}

void agent_reload(struct agent *agent)
{
	struct config *config = calloc(1, sizeof(*config));
	struct configfile_why why = {.text = "out of memory"};

	if (agent->stopping) {
		free(config);
		return;
	}
	if (!config || !configfile_load(agent->options.config_path, config, &why)) {
		log_error("configuration refused, the old one goes on", log_str("error", why.text));
		agent->stats.config_reloads_failed++;
		free(config);
		return;
	}
	if (apply(agent, config)) {
		log_info("configuration read again", log_str("config", agent->options.config_path));
		agent->stats.config_reloads++;
	} else {
		log_error("configuration refused, the old one goes on",
			log_str("config", agent->options.config_path));
		agent->stats.config_reloads_failed++;
	}
}

static void on_round_stopped(void *arg)
{
	struct agent *agent = arg;

	/* With agent-check alone nobody could be told: checks that come until the deadline are. */
	if (agent->parts.runtime || !agent->parts.agentcheckd)
		ev_break(agent->loop, EVBREAK_ALL);
}

void agent_stop(struct agent *agent)
{
	if (agent->stopping) {
		ev_break(agent->loop, EVBREAK_ALL);
		return;
	}
	log_info("stopping: the configured weights go back", LOG_NONE);
	agent->stopping = true;
	ev_timer_start(agent->loop, &agent->stop_deadline);
	drain_stop(agent->drain);
	round_stop(agent->round, on_round_stopped, agent);
}
