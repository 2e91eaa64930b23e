/* SPDX-License-Identifier: MIT */
/* Holds the components together. */
#include "agent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "announce/announce_polls.h"
#include "announce/announce_turns.h"
#include "announce/announce_verdicts.h"
#include "build.h"
#include "components.h"
#include "core/report/report.h"
#include "core/settings.h"
#include "core/stats.h"
#include "core/terms.h"
#include "haproxy/certificates.h"
#include "haproxy/drain.h"
#include "haproxy/drainfile.h"
#include "haproxy/reloadwatch.h"
#include "http/httpd.h"
#include "io/clock.h"
#include "io/configfile.h"
#include "io/localaddr.h"
#include "io/log.h"
#include "io/logsink.h"
#include "io/loopwatch.h"
#include "io/notify.h"
#include "io/sandbox.h"
#include "preflight.h"
#include "round.h"

/* For putting weights back: so long HAProxy may say nothing, and so long they may take in all,
 * which is less than a container or systemd waits for an agent that stops. Thousands of weights
 * take HAProxy seconds. */
static const double STOP_S = 0.8;
static const double STOP_MAX_S = 9.0;

/* No turn of the loop is to take longer: so long a probe, HAProxy and all pods wait. */
static const double TURN_MAX_S = 0.1;

/* Between two looks at the verdicts, for the log. */
static const double VERDICT_S = 5.0;

struct agent {
	struct agent_options options;
	struct components components;
	struct stats stats;
	struct loopwatch loopwatch;
	struct announced_turns turns;
	struct announce_polls announced;
	struct httpd *httpd;
	struct round *round;
	struct reloadwatch *reloadwatch;
	struct certificates *certificates;
	struct drain *drain;
	struct drainfile *drainfile;
	struct notify *notify;
	struct said_table verdicts;
	ev_timer verdict_look;
	char unready[320]; /* why the agent is not, as asked last */
	ev_timer stop_deadline;
	int64_t stop_ms;       /* when the stop began */
	uint64_t stop_answers; /* of HAProxy's, when the deadline was set last */
	bool stopping;
};

static void on_answer(struct pod *pod, const struct poller_result *result, void *arg)
{
	struct agent *agent = arg;
	enum metric_outcome outcome = result->outcome;
	const char *detail = result->detail;
	bool lacked = pod_lacks_name(pod);

	if (outcome == METRIC_OK)
		outcome = pod_weigh(pod, result->metric);
	if (outcome == METRIC_NO_SAMPLE)
		detail = metric_outcome_name(outcome);
	stats_observe(&agent->stats.poll, (double)result->took_ms / 1000.0);
	agent->stats.polls[outcome]++;
	announce_poll(&agent->announced, pod, outcome, result->metric, detail);
	/* What a pod says first is news that is not kept waiting for the next round. */
	if (outcome == METRIC_OK && !pod->heard && agent->round)
		round_hurry(agent->round);
	pod_observe(pod, outcome, result->metric, detail, result->at_ms);
	if (pod_lacks_name(pod) && !lacked)
		announce_lack(&agent->announced, pod);
}

/* Why the agent is not ready, in the words of whoever knows; NULL when it is. */
static const char *why_unready(struct agent *agent)
{
	const struct components *components = &agent->components;
	const char *complaint = NULL;
	char *words = agent->unready;

	if (components->runtime && !agent->stats.haproxy_reached) {
		snprintf(words, sizeof(agent->unready), "HAProxy " TERM_NOT_ANSWERED "%s%s",
			agent->stats.haproxy_error[0] ? ": " : " yet", agent->stats.haproxy_error);
		return words;
	}
	if (agent->stats.push_denied)
		return "HAProxy takes no weights: its socket is not of level admin: write level admin "
		       "behind stats socket in haproxy.cfg";
	if (components->discovery)
		complaint =
			discovery_complaint(components->discovery, words, sizeof(agent->unready));
	if (!complaint && !cluster_is_first_round_done(components->cluster))
		complaint = "the pods " TERM_NOT_ALL_YET;
	return complaint;
}

static void fill_view(struct report_view *view, void *arg)
{
	struct agent *agent = arg;
	const struct components *components = &agent->components;
	const char *unready = why_unready(agent);

	*view = (struct report_view){
		.cluster = components->cluster,
		.stats = &agent->stats,
		.now_ms = clock_now_ms(),
		.wall_ms = clock_wall_ms(),
		.version = WSB_VERSION,
		.dry_run = components->dry_run,
		.draining = readiness_is_stopping(components->readiness),
		.ready = !unready,
		.unready = unready,
	};
	view->kubernetes = discovery_report(components->discovery, &view->n_kubernetes);
	view->certificates = certificates_report(agent->certificates, &view->n_certificates);
	view->n_certificates_given = certificates_given(agent->certificates);
}

/* Instances are as many as Kubernetes counts, once it has told; till then as configured. */
static bool settings_of_components(
	const struct components *components, struct cluster_settings *settings)
{
	unsigned counted = components->discovery ? discovery_replicas(components->discovery) : 0;

	if (!settings_for_cluster(components->config, counted, settings))
		return false;
	settings->selection.is_local = localaddr_is_own;
	return true;
}

/* False, logged, when out of memory, with nothing changed. */
static bool configure_cluster(const struct components *components)
{
	struct cluster_settings settings;
	bool ok = settings_of_components(components, &settings);

	if (ok) {
		ok = cluster_configure(components->cluster, &settings);
		cluster_settings_fini(&settings);
	}
	if (!ok)
		log_error("out of memory", LOG_NONE);
	return ok;
}

/* Kubernetes has news: of the pods, or of HAProxy's own instances. */
static void on_discovered(void *arg)
{
	struct agent *agent = arg;
	const struct cluster *cluster = agent->components.cluster;
	unsigned before = cluster_settings(cluster)->replicas;

	if (configure_cluster(&agent->components) && cluster_settings(cluster)->replicas != before)
		log_info("HAProxy's instances have changed",
			log_int("replicas", cluster_settings(cluster)->replicas));
	round_hurry(agent->round);
}

/* Another HAProxy process has taken over, and nobody has filled its slots yet. */
static void on_another_process(const struct hastate_info *info, void *arg)
{
	struct agent *agent = arg;

	if (!hastate_is_same_process(cluster_info(agent->components.cluster), info))
		round_restart(agent->round);
}

/* Only where slots are filled does a new process have to be seen at once. */
static void configure_reloadwatch(struct agent *agent)
{
	bool fills = !agent->components.dry_run && discovery_fills(agent->components.discovery);

	reloadwatch_configure(agent->reloadwatch, fills ? agent->components.runtime : NULL);
}

/* A dry run gives HAProxy nothing. */
static void configure_certificates(struct agent *agent)
{
	const struct components *components = &agent->components;

	certificates_configure(agent->certificates, components->runtime,
		components->config->reload_certificates && !components->dry_run);
}

/* A dry run tells HAProxy nothing. */
static void configure_drain(struct agent *agent)
{
	struct drain_options options = {
		.delay_ms = agent->components.config->drain_delay_ms,
		.close_over_ms = agent->components.config->close_over_ms,
		.close_rate = agent->components.config->close_rate,
		.has_haproxy = agent->components.runtime,
		.dry_run = agent->components.dry_run,
	};

	drain_configure(agent->drain, &options);
	drain_connect(agent->drain, agent->components.dry_run ? NULL : agent->components.runtime);
	drainfile_configure(agent->drainfile, agent->components.config->drain_file);
	readiness_configure(agent->components.readiness,
		agent->components.dry_run ? NULL : agent->components.runtime);
}

static struct httpd_options make_httpd_options(struct agent *agent, const struct config *config)
{
	struct httpd_options options = httpd_options_of(config);

	options.stats = &agent->stats;
	options.drain = agent->drain;
	options.view = fill_view;
	options.arg = agent;
	return options;
}

static struct components_callbacks callbacks_of(struct agent *agent)
{
	return (struct components_callbacks){
		.answer = on_answer,
		.discovered = on_discovered,
		.arg = agent,
	};
}

/* Opens the HTTP endpoint, or moves it to where the configuration wants it. */
static bool open_httpd(struct agent *agent, const struct config *config)
{
	struct httpd_options options = make_httpd_options(agent, config);
	struct why why;
	bool opened;

	if (agent->httpd) {
		opened = httpd_configure(agent->httpd, &options, &why);
	} else {
		agent->httpd = httpd_new(agent->components.loop, &options, &why);
		opened = agent->httpd != NULL;
	}
	if (!opened)
		log_error("listen cannot be opened", log_str("error", why.text));
	return opened;
}

static void on_verdict_look(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agent *agent = timer->data;
	struct report_view view;

	(void)loop;
	(void)events;
	if (agent->stopping)
		return;
	fill_view(&view, agent);
	announce_verdicts(&agent->verdicts, &view);
}

static uint64_t count_answers(const struct stats *stats)
{
	return stats->pushes[STATS_PUSH_OK] + stats->pushes[STATS_PUSH_REFUSED];
}

/* It goes on as long as HAProxy takes one line after the other. */
static void on_stop_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct agent *agent = timer->data;
	uint64_t answers = count_answers(&agent->stats);
	double left_s = STOP_MAX_S - (double)(clock_now_ms() - agent->stop_ms) / 1000.0;

	(void)events;
	if (answers == agent->stop_answers || left_s <= 0.0) {
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	agent->stop_answers = answers;
	ev_timer_set(timer, left_s < STOP_S ? left_s : STOP_S, 0.0);
	ev_timer_start(loop, timer);
}

static const struct components none = {.config = NULL};

static void on_turn(double seconds, double busy_s, void *arg)
{
	struct agent *agent = arg;

	stats_observe(&agent->stats.turn, seconds);
	agent->stats.longest_turn_s = fmax(agent->stats.longest_turn_s, seconds);
	agent->stats.busiest_turn_s = fmax(agent->stats.busiest_turn_s, busy_s);
	if (seconds > TURN_MAX_S)
		announce_turn(&agent->turns, seconds, busy_s);
}

/* What lives as long as the agent. False when out of memory. */
static bool make_own(struct agent *agent, struct ev_loop *loop, const struct config *config)
{
	struct cluster_settings settings;
	struct components *components = &agent->components;

	components->loop = loop;
	components->stats = &agent->stats;
	components->dry_run = agent->options.dry_run;
	if (!settings_for_cluster(config, 0, &settings))
		return false;
	settings.selection.is_local = localaddr_is_own;
	components->cluster = cluster_new(&settings);
	cluster_settings_fini(&settings);
	components->readiness = readiness_new(loop);
	agent->reloadwatch = reloadwatch_new(loop, on_another_process, agent);
	agent->certificates = certificates_new(loop);
	agent->drain = drain_new(loop, components->readiness);
	if (agent->drain)
		agent->drainfile = drainfile_new(loop, agent->drain);
	return components->cluster && components->readiness && agent->reloadwatch &&
	       agent->certificates && agent->drainfile;
}

/* What the configuration, which is taken over, wants. */
static bool make_configured(struct agent *agent, struct config *config)
{
	struct components_callbacks callbacks = callbacks_of(agent);
	struct components own = agent->components;

	if (!components_make(&own, config, &callbacks, &agent->components) ||
		!open_httpd(agent, config))
		return false;
	configure_drain(agent);
	configure_reloadwatch(agent);
	configure_certificates(agent);
	agent->round = round_new(&agent->components);
	return agent->round != NULL;
}

static bool holds_secrets(const struct config *config)
{
	bool holds =
		config->listen_token_file || config->listen_tls_key || config->reload_certificates;

	for (unsigned i = 0; i < settings_n_sources(config); i++) {
		const struct config_metric *metric = settings_metric(config, i);

		holds = holds || metric->tls_key || metric->n_headers > 0;
	}
	return holds;
}

/* Files, sockets and the child that writes the record are still opened in it, and it lasts: a new
 * configuration cannot leave it. */
static void enter_sandbox(const struct config *config)
{
	if (holds_secrets(config))
		sandbox_hide_memory();
	if (config->sandbox && !sandbox_enter())
		log_warn("no sandbox: the kernel refuses it; see sandbox in wsbalancer.yaml(5)",
			LOG_NONE);
}

struct agent *agent_new(
	struct ev_loop *loop, struct config *config, const struct agent_options *options)
{
	struct agent *agent = calloc(1, sizeof(*agent));

	if (!agent) {
		log_error("out of memory", LOG_NONE);
		config_fini(config);
		free(config);
		return NULL;
	}
	agent->options = *options;
	agent->stats.start_wall_ms = clock_wall_ms();
	agent->announced.events = &agent->stats.events;
	events_add(&agent->stats.events, agent->stats.start_wall_ms, EVENT_AGENT_STARTED, "");
	ev_timer_init(&agent->verdict_look, on_verdict_look, VERDICT_S, VERDICT_S);
	agent->verdict_look.data = agent;
	ev_timer_init(&agent->stop_deadline, on_stop_deadline, STOP_S, 0.0);
	agent->stop_deadline.data = agent;
	log_configure(config->log_level, config->log_format);
	logsink_watch(loop);
	loopwatch_start(&agent->loopwatch, loop, on_turn, agent);
	if (!make_own(agent, loop, config)) {
		log_error("out of memory", LOG_NONE);
		agent->components.config = config;
		agent_free(agent);
		return NULL;
	}
	if (!make_configured(agent, config)) {
		agent_free(agent);
		return NULL;
	}
	enter_sandbox(config);
	agent->notify = notify_new(loop);
	notify_send(agent->notify, "READY=1");
	ev_timer_start(loop, &agent->verdict_look);
	log_info("started", log_str("version", WSB_VERSION),
		log_str("config", options->config_path),
		log_str("dry_run", options->dry_run ? "true" : "false"));
	return agent;
}

void agent_free(struct agent *agent)
{
	struct components *components;

	if (!agent)
		return;
	components = &agent->components;
	logsink_watch(NULL);
	notify_free(agent->notify);
	ev_timer_stop(components->loop, &agent->stop_deadline);
	ev_timer_stop(components->loop, &agent->verdict_look);
	said_fini(&agent->verdicts);
	round_free(agent->round);
	httpd_free(agent->httpd);
	drainfile_free(agent->drainfile);
	drain_free(agent->drain);
	components_free(components, &none);
	reloadwatch_free(agent->reloadwatch);
	certificates_free(agent->certificates);
	readiness_free(components->readiness);
	cluster_free(components->cluster);
	free(agent);
}

static bool is_same_backends(const struct config *a, const struct config *b)
{
	if (a->n_backends != b->n_backends)
		return false;
	for (size_t i = 0; i < a->n_backends; i++) {
		if (strcmp(a->backends[i].name, b->backends[i].name) != 0)
			return false;
	}
	return true;
}

static bool open_configured(struct agent *agent, const struct components *made)
{
	if (!configure_cluster(made))
		return false;
	if (open_httpd(agent, made->config))
		return true;
	configure_cluster(&agent->components);
	return false;
}

/* Puts a configuration, which is taken over, into force. False, logged, when it cannot be: the
 * previous one is kept. */
static bool apply(struct agent *agent, struct config *config)
{
	struct components_callbacks callbacks = callbacks_of(agent);
	struct components old = agent->components;
	struct components made;
	bool other_runtime;

	if (!components_make(&old, config, &callbacks, &made) || !open_configured(agent, &made)) {
		components_free(&made, &old);
		return false;
	}
	other_runtime = made.runtime != old.runtime;
	/* What will be steered no more gets its configured weights. */
	if (!other_runtime && !is_same_backends(config, old.config))
		round_restore(agent->round);
	agent->components = made;
	configure_drain(agent);
	configure_reloadwatch(agent);
	configure_certificates(agent);
	round_configure(agent->round, other_runtime);
	components_free(&old, &made);
	log_configure(config->log_level, config->log_format);
	return true;
}

static void log_refused(const char *error)
{
	log_error("configuration refused, keeping the previous one", log_str("error", error));
}

static void log_mistakes(const char *path, const struct config_mistakes *mistakes)
{
	char line[CONFIGFILE_LINE_MAX];

	for (size_t i = 0; i < mistakes->n; i++)
		log_refused(configfile_format(path, &mistakes->list[i], line, sizeof(line)));
}

/* Or it is given up. */
static bool passes(struct config *config, struct config_mistakes *mistakes)
{
	if (preflight_check(config, mistakes))
		return true;
	config_fini(config);
	return false;
}

void agent_reload(struct agent *agent)
{
	struct config *config = calloc(1, sizeof(*config));
	struct config_mistakes mistakes;

	if (agent->stopping) {
		free(config);
		return;
	}
	if (!config) {
		log_refused("out of memory");
		agent->stats.config_reloads_failed++;
		return;
	}
	if (!configfile_load(agent->options.config_path, config, &mistakes) ||
		!passes(config, &mistakes)) {
		log_mistakes(agent->options.config_path, &mistakes);
		agent->stats.config_reloads_failed++;
		free(config);
		return;
	}
	if (apply(agent, config)) {
		log_info("configuration read again", log_str("config", agent->options.config_path));
		agent->stats.config_reloads++;
		events_add(&agent->stats.events, clock_wall_ms(), EVENT_CONFIGURED, "");
	} else {
		log_error("configuration refused, keeping the previous one",
			log_str("config", agent->options.config_path));
		agent->stats.config_reloads_failed++;
	}
}

static void on_round_stopped(void *arg)
{
	struct agent *agent = arg;

	/* With agent-check alone nobody could be told: checks that come until the deadline are. */
	if (agent->components.runtime || !agent->components.agentcheckd)
		ev_break(agent->components.loop, EVBREAK_ALL);
}

void agent_stop(struct agent *agent)
{
	if (agent->stopping) {
		ev_break(agent->components.loop, EVBREAK_ALL);
		return;
	}
	log_info("stopping", LOG_NONE);
	notify_send(agent->notify, "STOPPING=1");
	agent->stopping = true;
	agent->stop_ms = clock_now_ms();
	agent->stop_answers = count_answers(&agent->stats);
	ev_timer_start(agent->components.loop, &agent->stop_deadline);
	drain_stop(agent->drain);
	round_stop(agent->round, on_round_stopped, agent);
}

bool agent_is_restored(const struct agent *agent)
{
	return round_is_restored(agent->round);
}
