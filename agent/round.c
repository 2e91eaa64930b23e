/* SPDX-License-Identifier: MIT */
/* The states of a round. */
#include "round.h"

#include <assert.h>
#include <stdlib.h>

#include "announce/announce.h"
#include "core/haproxy/haquery.h"
#include "core/haproxy/hareply.h"
#include "core/haproxy/hastate.h"
#include "core/settings.h"
#include "core/steer/reconcile.h"
#include "core/steer/steer.h"
#include "core/steer/tempo.h"
#include "core/terms.h"
#include "haproxy/backoff.h"
#include "haproxy/push.h"
#include "io/clock.h"
#include "io/log.h"
#include "watcher.h"

enum {
	HURRY_MS = 100,         /* between the beginnings of rounds, however much news there is */
	NEAR_RETRY_MS = 1000,   /* HAProxy did not answer on a socket of this host */
	START_MS = 30000,       /* HAProxy, which may start beside the agent, has so long for it */
	NARROW_MAX = 30,        /* rounds in a row that ask for the backends named alone */
	STOPPING_RETRY_MS = 30, /* an old worker answered; measured, it does so for up to 30 ms */
};

/* See round.h for the chart. */
enum state { WAITING, READING, FILLING, PUSHING, STOPPING, STOPPED };

/* What is sent of the slots in the round under way. */
struct filling {
	bool tried;                 /* it is done once in a round */
	bool whole;                 /* of all Services, and every line has got there so far */
	struct hastate_info filled; /* the process that it was sent to */
};

struct round {
	const struct components *components;
	enum state state;
	struct announce announce;
	ev_timer tick;
	int64_t made_ms;
	int64_t began_ms;  /* the last round */
	int64_t every_ms;  /* from one tick to the next */
	bool hurry;        /* another round is to follow at once */
	bool all;          /* every backend is planned, whether it is its turn or not */
	bool narrow;       /* the last question was for the backends named alone */
	unsigned n_narrow; /* such questions in a row */
	bool put_off;      /* the last round asked the pods again and planned nothing */
	struct filling filling;
	struct push push; /* commands on their way */
	struct watcher watcher;
	struct backoff backoff;
	size_t n_restored; /* weights that were to be put back at the end */
	bool tried_again;  /* to put them back */
	void (*stopped)(void *arg);
	void *stopped_arg;
};

/* The one place where the state changes. */
static void enter(struct round *round, enum state state)
{
	static const bool allowed[STOPPED + 1][STOPPED + 1] = {
		[WAITING] =
			{[WAITING] = true, [READING] = true, [PUSHING] = true, [STOPPING] = true},
		[READING] = {[READING] = true,
			[WAITING] = true,
			[FILLING] = true,
			[PUSHING] = true,
			[STOPPING] = true},
		[FILLING] = {[READING] = true, [WAITING] = true, [STOPPING] = true},
		[PUSHING] = {[WAITING] = true, [STOPPING] = true},
		[STOPPING] = {[STOPPED] = true},
	};

	(void)allowed; /* with NDEBUG */
	assert(allowed[round->state][state]);
	round->state = state;
	if (state == WAITING)
		watcher_start(&round->watcher);
	else
		watcher_stop(&round->watcher);
}

/* The next round is in so long, and from then on one each interval. */
static void tick_in(struct round *round, double wait_s)
{
	round->every_ms = tempo_round_ms(round->components->cluster);
	ev_timer_stop(round->components->loop, &round->tick);
	ev_timer_set(&round->tick, wait_s, (double)round->every_ms / 1000.0);
	ev_timer_start(round->components->loop, &round->tick);
}

/* The plans may have made the interval another. */
static void keep_time(struct round *round)
{
	int64_t every_ms = tempo_round_ms(round->components->cluster);
	int64_t wait_ms = round->began_ms + every_ms - clock_now_ms();

	if (every_ms != round->every_ms)
		tick_in(round, wait_ms > 0 ? (double)wait_ms / 1000.0 : 0.0);
}

static void skip(struct round *round)
{
	round->components->stats->rounds_skipped++;
}

/* ---- the end of a round ---- */

/* The round is over; the next one begins early when there has been news meanwhile. */
static void end(struct round *round)
{
	enter(round, WAITING);
	if (round->hurry)
		round_hurry(round);
}

/* Nothing is to be done with HAProxy's answer: another round is in so long. */
static void end_and_retry(struct round *round, double wait_s)
{
	enter(round, WAITING);
	tick_in(round, wait_s);
}

static void stop(struct round *round)
{
	enter(round, STOPPED);
	round->stopped(round->stopped_arg);
}

static void read_haproxy(struct round *round);
static bool restore_again(struct round *round);

/* No command is on its way any more. */
static void on_pushed(bool arrived, void *arg)
{
	struct round *round = arg;

	switch (round->state) {
	case FILLING:
		/* What HAProxy refuses of one pod leaves the others in their places. */
		round->filling.whole = round->filling.whole && arrived;
		/* The slots have changed: weights are planned on what they are now. */
		read_haproxy(round);
		break;
	case PUSHING:
		end(round);
		break;
	case STOPPING:
		if (round->push.trouble != PUSH_LOST || !restore_again(round))
			stop(round);
		break;
	case READING: /* round_restore sent them: the round goes on by itself */
	case WAITING:
	case STOPPED:
		break;
	}
}

/* Sends the difference between the plans and HAProxy's weights. True when it is on its way. */
static bool push_weights(struct round *round)
{
	const struct components *components = round->components;
	const struct config *config = components->config;
	uint16_t port = config->has_agent_check ? config->agent_check.port : 0;
	struct commands lines = {.n_lines = 0};

	if (!components->runtime || components->dry_run)
		return false;
	if (!reconcile_plan(components->cluster, port, &lines))
		skip(round);
	return push_lines(&round->push, components->runtime, &lines);
}

/* Plans from what is known and sends the difference. */
static void plan(struct round *round)
{
	const struct components *components = round->components;
	struct stats *stats = components->stats;
	int64_t now_ms = clock_now_ms();

	if (!(round->all ? steer_plan(components->cluster, now_ms)
			 : steer_plan_due(components->cluster, now_ms))) {
		skip(round);
		log_error("a round is skipped: out of memory", LOG_NONE);
		end(round);
		return;
	}
	keep_time(round);
	stats->rounds++;
	/* Before all pods were asked once, what is known of a few says nothing of all. */
	if (cluster_is_first_round_done(components->cluster))
		stats_add_point(stats, clock_wall_ms(), steer_imbalance(components->cluster));
	announce_plan(&round->announce, components->cluster, &stats->events);
	recorder_add(components->recorder, components->cluster);
	if (push_weights(round))
		enter(round, PUSHING);
	else
		end(round);
}

/* The watcher looks only while the round waits. */
static void on_overtaken(struct backend *backend, void *arg)
{
	struct round *round = arg;
	const struct components *components = round->components;
	struct commands lines = {.n_lines = 0};

	if (!reconcile_overtaken(backend, &lines))
		skip(round);
	/* Several backends may be overtaken at one look. */
	if (push_lines(&round->push, components->runtime, &lines) && round->state == WAITING)
		enter(round, PUSHING);
}

/* ---- HAProxy has been read ---- */

static void on_pod_gone(struct pod *pod, void *arg)
{
	struct round *round = arg;

	log_debug("pod is gone", log_str("pod", pod->key));
	poller_drop(round->components->poller, pod);
}

/* Nothing is planned: the pods are asked again. */
static void put_off(struct round *round)
{
	const struct components *components = round->components;

	components->stats->rounds_put_off++;
	log_info("many connections closed while pods were asked: they are asked again", LOG_NONE);
	end_and_retry(round, poller_needs_s(components->poller));
}

/* Tells the poller which pods to ask, and when the next round is. */
static void ask_pods(struct round *round)
{
	const struct components *components = round->components;
	double next_s = ev_timer_remaining(components->loop, &round->tick);

	if (!poller_sync(components->poller, components->cluster, next_s,
		    (double)round->every_ms / 1000.0))
		log_error("some pods are not asked: out of memory", LOG_NONE);
}

/* Updates the cluster and plans. */
static void update(struct round *round, const struct hastate_snapshot *snapshot)
{
	const struct components *components = round->components;
	struct filling *filling = &round->filling;

	if (!cluster_update(components->cluster, snapshot, clock_now_ms(), on_pod_gone, round)) {
		/* Half of the servers as they are and half as they were make no plan. */
		skip(round);
		end(round);
		return;
	}
	if (filling->whole && hastate_is_same_process(&filling->filled, &snapshot->info))
		readiness_fill(components->readiness, &snapshot->info);
	filling->whole = false;
	discovery_describe(components->discovery, components->cluster);
	/* Once, then it is planned with what there is. */
	round->put_off = !round->put_off && steer_is_torn(components->cluster);
	if (round->put_off)
		put_off(round);
	else
		plan(round);
	ask_pods(round);
}

/* Sends what pods need of HAProxy's slots, once a round: what HAProxy refuses is tried again in the
 * next. True when there is an answer to wait for before HAProxy is read again. */
static bool fill(struct round *round, const struct hastate_snapshot *snapshot)
{
	const struct components *components = round->components;
	struct filling *filling = &round->filling;
	struct commands lines = {.n_lines = 0};

	if (!components->discovery || components->dry_run || filling->tried)
		return false;
	filling->tried = true;
	filling->filled = snapshot->info;
	filling->whole = discovery_plan(components->discovery, snapshot, &lines);
	if (!filling->whole)
		skip(round);
	/* The plan has seen what the Services are like now. */
	filling->whole = filling->whole && discovery_fills(components->discovery) &&
			 discovery_is_whole(components->discovery);
	if (push_lines(&round->push, components->runtime, &lines))
		return true;
	filling->whole = filling->whole && round->push.arrived;
	return false;
}

/* Nobody listens there yet: in Kubernetes HAProxy starts after the agent. */
static bool is_starting(const struct round *round)
{
	return cluster_updated_ms(round->components->cluster) == 0 &&
	       clock_now_ms() - round->made_ms < START_MS;
}

/* A socket of this host costs nothing to try, and a HAProxy that starts again has empty slots: then
 * it is looked at each second, or in each interval if that is shorter. */
static void fail(struct round *round, const char *why, const char *detail, bool is_gone)
{
	const struct components *components = round->components;
	const struct config *config = components->config;
	bool is_near = config->socket.path || components->discovery;
	int64_t interval_ms = tempo_round_ms(components->cluster);
	const struct backoff_manner manner = {
		.interval_ms = is_near && interval_ms > NEAR_RETRY_MS ? NEAR_RETRY_MS : interval_ms,
		.backs_off = !is_near,
		/* One that stops closes its socket first. */
		.is_expected = readiness_is_stopping(components->readiness) ||
			       (is_gone && is_starting(round)),
	};

	backoff_fail(&round->backoff, components->stats, &manner, why, detail);
	if (manner.interval_ms < interval_ms)
		end_and_retry(round, (double)manner.interval_ms / 1000.0);
	else
		end(round);
}

static void go_on(struct round *round, const struct hastate_snapshot *snapshot)
{
	if (snapshot->info.stopping) {
		/* A worker on its way out: the new one answers in a moment. */
		end_and_retry(round, STOPPING_RETRY_MS / 1000.0);
		return;
	}
	backoff_succeed(&round->backoff, round->components->stats);
	readiness_see(round->components->readiness, &snapshot->info);
	if (fill(round, snapshot))
		enter(round, FILLING);
	else
		update(round, snapshot);
}

static void on_read(const struct runtime_reply *reply, void *arg)
{
	struct round *round = arg;
	struct hastate_snapshot snapshot = {.n_backends = 0};
	enum hareply_outcome outcome;
	struct why why;

	/* Since it was asked, the agent has begun to stop. */
	if (round->state != READING)
		return;
	stats_observe(&round->components->stats->read, reply->seconds);
	if (reply->outcome != RUNTIME_OK) {
		fail(round, runtime_outcome_name(reply->outcome), reply->detail, reply->is_gone);
		return;
	}
	outcome = hareply_parse(reply->bytes, reply->len, &snapshot, &why);
	if (outcome != HAREPLY_OK) {
		fail(round, hareply_outcome_name(outcome), why.text, false);
		return;
	}
	if (round->narrow && !snapshot.info.stopping &&
		!hastate_is_same_process(
			cluster_info(round->components->cluster), &snapshot.info)) {
		/* Its numbers are other ones. */
		round->n_narrow = NARROW_MAX;
		read_haproxy(round);
	} else {
		go_on(round, &snapshot);
	}
	hastate_fini(&snapshot);
}

/* ---- the beginning of a round ---- */

/* The backends that are named alone can be asked for: all are known, and by their numbers. */
static bool can_be_narrow(const struct cluster *cluster)
{
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);

	for (size_t i = 0; i < n; i++) {
		if (backends[i]->id == 0)
			return false;
	}
	return cluster_settings(cluster)->selection.n_backends > 0 && cluster_has_selected(cluster);
}

/* A pattern may fit a backend that comes while HAProxy runs, so all are asked for now and then.
 * NULL when out of memory. */
static char *write_question(struct round *round)
{
	const struct cluster *cluster = round->components->cluster;
	struct haquery_backend *named;
	size_t n;
	const struct backend *const *backends = cluster_backends(cluster, &n);
	char *line;

	round->narrow = round->n_narrow < NARROW_MAX && can_be_narrow(cluster);
	round->n_narrow = round->narrow ? round->n_narrow + 1 : 0;
	if (!round->narrow)
		return haquery_write(NULL, 0);
	named = calloc(n + 1, sizeof(*named));
	if (!named)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		named[i].name = backends[i]->name;
		named[i].id = backends[i]->id;
	}
	line = haquery_write(named, n);
	free(named);
	return line;
}

static void read_haproxy(struct round *round)
{
	const struct components *components = round->components;
	char *line = write_question(round);

	if (line && runtime_send(components->runtime, line, on_read, round)) {
		enter(round, READING);
	} else {
		skip(round);
		end(round);
	}
	free(line);
}

static void plan_configured(struct round *round)
{
	struct hastate_snapshot snapshot;

	if (!settings_snapshot(round->components->config, &snapshot)) {
		skip(round);
		return;
	}
	update(round, &snapshot);
	hastate_fini(&snapshot);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct round *round = timer->data;

	(void)loop;
	(void)events;
	if (round->state != WAITING) {
		skip(round);
		return;
	}
	round->began_ms = clock_now_ms();
	round->filling.tried = false;
	round->all = round->hurry;
	round->hurry = false;
	if (!round->components->runtime)
		plan_configured(round);
	else if (backoff_is_due(&round->backoff))
		read_haproxy(round);
}

/* ---- from outside ---- */

void round_hurry(struct round *round)
{
	int64_t wait_ms = round->began_ms + HURRY_MS - clock_now_ms();

	round->hurry = true;
	/* A round under way does it at its end; HAProxy that does not answer is not pressed. */
	if (round->state != WAITING || round->backoff.n_failures > 0)
		return;
	tick_in(round, wait_ms > 0 ? (double)wait_ms / 1000.0 : 0.0);
}

void round_restart(struct round *round)
{
	backoff_forget(&round->backoff);
	round_hurry(round);
}

struct round *round_new(const struct components *components)
{
	struct round *round = calloc(1, sizeof(*round));

	if (!round)
		return NULL;
	round->components = components;
	round->made_ms = clock_now_ms();
	push_init(&round->push, components->cluster, components->stats, on_pushed, round);
	watcher_init(&round->watcher, components, on_overtaken, round);
	ev_init(&round->tick, on_tick);
	round->tick.data = round;
	tick_in(round, 0.0);
	return round;
}

void round_free(struct round *round)
{
	if (!round)
		return;
	ev_timer_stop(round->components->loop, &round->tick);
	watcher_stop(&round->watcher);
	announce_fini(&round->announce);
	free(round);
}

void round_configure(struct round *round, bool other_runtime)
{
	if (other_runtime) {
		/* Whatever was under way went with the old one. */
		push_forget(&round->push);
		watcher_forget(&round->watcher);
		backoff_forget(&round->backoff);
		enter(round, WAITING);
	}
	round->hurry = true;
	tick_in(round, round->state == WAITING
			       ? 0.0
			       : (double)tempo_round_ms(round->components->cluster) / 1000.0);
}

/* Sends what puts the configured weights back. True when it is on its way. */
static bool restore(struct round *round)
{
	const struct components *components = round->components;
	struct commands lines = {.n_lines = 0};

	steer_release(components->cluster);
	if (!components->runtime || components->dry_run)
		return false;
	if (!reconcile_restore(components->cluster, &lines))
		log_error("not all weights can be put back: out of memory", LOG_NONE);
	round->n_restored = lines.n_weights;
	return push_lines(&round->push, components->runtime, &lines);
}

void round_restore(struct round *round)
{
	if (restore(round) && round->state == WAITING)
		enter(round, PUSHING);
}

void round_stop(struct round *round, void (*done)(void *arg), void *arg)
{
	ev_timer_stop(round->components->loop, &round->tick);
	round->stopped = done;
	round->stopped_arg = arg;
	enter(round, STOPPING);
	round->push.trouble = PUSH_FINE;
	round->push.may_be_gone = true;
	if (!restore(round))
		stop(round);
}

/* An answer that broke off may be of a HAProxy that stops too: whether it is gone shows in a
 * moment. */
static bool restore_again(struct round *round)
{
	if (round->tried_again)
		return false;
	round->tried_again = true;
	round->push.trouble = PUSH_FINE;
	return restore(round);
}

bool round_is_restored(const struct round *round)
{
	static const char *const reasons[] = {
		[PUSH_FINE] = "HAProxy " TERM_NOT_ANSWERED " in time",
		[PUSH_REFUSED] = "HAProxy refused them",
		[PUSH_LOST] = "HAProxy " TERM_NOT_ANSWERED ", or not to the end",
	};
	enum push_trouble trouble = round->push.trouble;
	bool answered = round->state == STOPPED;

	if (round->n_restored == 0)
		return true;
	/* It has refused all that was ever sent, too. */
	if (trouble == PUSH_REFUSED && reconcile_count_changed(round->components->cluster) == 0)
		return true;
	if (answered && trouble == PUSH_FINE) {
		log_info("the configured weights are back",
			log_int("servers", (int64_t)round->n_restored));
	} else if (trouble == PUSH_GONE) {
		log_info("HAProxy is gone, and its weights with it", LOG_NONE);
	} else {
		log_error("the configured weights did not go back: set them, or reload HAProxy",
			log_str("because", reasons[trouble]),
			log_int("servers", (int64_t)round->n_restored));
	}
	return (answered && trouble == PUSH_FINE) || trouble == PUSH_GONE;
}
