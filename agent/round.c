/* SPDX-License-Identifier: MIT */
/* Rounds. */
#include "round.h"

#include <stdlib.h>

#include "announce.h"
#include "core/haproxy/haquery.h"
#include "core/haproxy/hareply.h"
#include "core/steer/reconcile.h"
#include "core/steer/steer.h"
#include "haproxy/backoff.h"
#include "haproxy/push.h"
#include "io/clock.h"
#include "io/log.h"

enum {
	HURRY_MS = 100,         /* between the beginnings of rounds, however much news there is */
	STOPPING_RETRY_MS = 30, /* an old worker answered; measured, it does so for up to 30 ms */
};

struct round {
	struct ev_loop *loop;
	struct round_parts parts;
	struct announce announce;
	ev_timer tick;
	int64_t began_ms;           /* the last round */
	bool hurry;                 /* another round is to follow at once */
	bool put_off;               /* the last round asked the pods again and planned nothing */
	bool placed;                /* this round has sent what pods need of slots */
	bool filling;               /* of all Services, and every line has got there so far */
	struct hareply_info filled; /* the process that it was sent to */
	bool reading;
	struct push push; /* commands on their way */
	struct backoff backoff;
	void (*stopped)(void *arg); /* set: no more rounds; called when nothing is under way */
	void *stopped_arg;
};

static double interval_s(const struct round *round)
{
	return (double)round->parts.config->poll_interval_ms / 1000.0;
}

/* The next round is in so long, and from then on one each interval. */
static void tick_in(struct round *round, double wait_s)
{
	ev_timer_stop(round->loop, &round->tick);
	ev_timer_set(&round->tick, wait_s, interval_s(round));
	ev_timer_start(round->loop, &round->tick);
}

/* ---- the end of a round ---- */

/* When everything that was to be sent has been answered, a stop is complete. */
static void check_stopped(struct round *round)
{
	if (round->stopped && !round->reading && round->push.n_flying == 0)
		round->stopped(round->stopped_arg);
}

/* Begins the next round early when there has been news meanwhile. */
static void end_round(struct round *round)
{
	if (round->hurry && !round->stopped && round->push.n_flying == 0)
		round_hurry(round);
}

static void on_pushed(bool arrived, void *arg)
{
	struct round *round = arg;

	(void)arrived;
	check_stopped(round);
	end_round(round);
}

static void on_placed(bool arrived, void *arg);

/* Plans from what is known and sends the difference. */
static void plan(struct round *round)
{
	struct reconcile lines = {.n_lines = 0};
	uint16_t port =
		round->parts.config->has_agent_check ? round->parts.config->agent_check.port : 0;

	if (!steer_plan(round->parts.cluster, clock_now_ms())) {
		round->parts.stats->rounds_skipped++;
		log_error("a round is skipped: out of memory", LOG_NONE);
		return;
	}
	round->parts.stats->rounds++;
	stats_add_point(round->parts.stats, clock_wall_ms(), steer_imbalance(round->parts.cluster));
	announce_plan(&round->announce, round->parts.cluster);
	recorder_add(round->parts.recorder, round->parts.cluster);
	if (!round->parts.runtime || round->parts.dry_run)
		return;
	if (!reconcile_plan(round->parts.cluster, port, &lines))
		round->parts.stats->rounds_skipped++;
	push_lines(&round->push, &lines, on_pushed, round);
	end_round(round);
}

/* ---- the beginning of a round ---- */

static void on_pod_gone(struct pod *pod, void *arg)
{
	struct round *round = arg;

	log_debug("pod is gone", log_str("pod", pod->key));
	poller_drop(round->parts.poller, pod);
}

/* Whether the pods are to be asked again before anything is planned: once, then it is planned with
 * what there is. */
static bool put_off(struct round *round)
{
	double next_s = interval_s(round);

	round->put_off = !round->put_off && steer_is_torn(round->parts.cluster);
	if (round->put_off) {
		next_s = poller_needs_s(round->parts.poller);
		round->parts.stats->rounds_put_off++;
		log_info("many connections closed while pods were asked: they are asked again",
			LOG_NONE);
		tick_in(round, next_s);
	}
	if (!poller_sync(round->parts.poller, round->parts.cluster, next_s))
		log_error("some pods are not asked: out of memory", LOG_NONE);
	return round->put_off;
}

static void take(struct round *round, const struct hareply_snapshot *snapshot)
{
	if (!cluster_update(round->parts.cluster, snapshot, clock_now_ms(), on_pod_gone, round)) {
		/* Half of the servers as they are and half as they were make no plan. */
		round->parts.stats->rounds_skipped++;
		return;
	}
	if (round->filling && hareply_is_same_process(&round->filled, &snapshot->info))
		readiness_fill(round->parts.readiness, &snapshot->info);
	round->filling = false;
	discovery_describe(round->parts.discovery, round->parts.cluster);
	if (!put_off(round))
		plan(round);
}

/* Sends what pods need of HAProxy's slots, once a round: what HAProxy refuses is tried again in the
 * next. True when there is an answer to wait for before HAProxy is read again. */
static bool place(struct round *round, const struct hareply_snapshot *snapshot)
{
	struct reconcile lines = {.n_lines = 0};

	if (!round->parts.discovery || round->parts.dry_run || round->placed)
		return false;
	round->filling = discovery_fills(round->parts.discovery) &&
			 discovery_is_listed(round->parts.discovery);
	round->filled = snapshot->info;
	if (!discovery_plan(round->parts.discovery, snapshot, &lines)) {
		round->parts.stats->rounds_skipped++;
		round->filling = false;
	}
	round->placed = true;
	if (push_lines(&round->push, &lines, on_placed, round))
		return true;
	round->filling = round->filling && round->push.arrived;
	return false;
}

static void fail(struct round *round, const char *why, const char *detail)
{
	const struct backoff_manner manner = {
		.interval_ms = round->parts.config->poll_interval_ms,
		/* A HAProxy that starts again has empty slots: it must not wait for them. */
		.backs_off = !round->parts.discovery,
		/* One that stops closes its socket first. */
		.is_expected = readiness_is_stopping(round->parts.readiness),
	};

	backoff_fail(&round->backoff, round->parts.stats, &manner, why, detail);
}

static void on_read(const struct runtime_reply *reply, void *arg)
{
	struct round *round = arg;
	struct hareply_snapshot snapshot = {.n_backends = 0};
	enum hareply_outcome outcome;
	const char *why = "";

	round->reading = false;
	if (round->stopped) {
		check_stopped(round);
		return;
	}
	stats_observe(&round->parts.stats->read, reply->seconds);
	if (reply->outcome != RUNTIME_OK) {
		fail(round, runtime_outcome_name(reply->outcome), reply->detail);
		return;
	}
	outcome = hareply_parse(reply->bytes, reply->len, &snapshot, &why);
	if (outcome != HAREPLY_OK) {
		fail(round, hareply_outcome_text(outcome), why);
		return;
	}
	if (snapshot.info.stopping) {
		/* A worker on its way out: the new one answers in a moment. */
		tick_in(round, STOPPING_RETRY_MS / 1000.0);
	} else {
		backoff_succeed(&round->backoff, round->parts.stats);
		readiness_see(round->parts.readiness, &snapshot.info);
		if (!place(round, &snapshot))
			take(round, &snapshot);
	}
	hareply_fini(&snapshot);
}

static void read_haproxy(struct round *round)
{
	const struct config *config = round->parts.config;
	char *line = haquery_write(config->backends, config->n_backends);

	round->reading = line && runtime_send(round->parts.runtime, line, on_read, round);
	if (!round->reading)
		round->parts.stats->rounds_skipped++;
	free(line);
}

/* The slots have changed: weights are planned on what they are now. */
static void on_placed(bool arrived, void *arg)
{
	struct round *round = arg;

	/* What HAProxy refuses of one pod leaves the others in their places. */
	round->filling = round->filling && arrived;
	check_stopped(round);
	if (!round->stopped)
		read_haproxy(round);
}

static void take_configured(struct round *round)
{
	struct hareply_snapshot snapshot;

	if (!ask_configured(round->parts.config, &snapshot)) {
		round->parts.stats->rounds_skipped++;
		return;
	}
	take(round, &snapshot);
	hareply_fini(&snapshot);
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct round *round = timer->data;

	(void)loop;
	(void)events;
	if (!round->reading && round->push.n_flying == 0) {
		round->began_ms = clock_now_ms();
		round->placed = false;
		round->hurry = false;
	}
	if (!round->parts.runtime)
		take_configured(round);
	else if (round->reading || round->push.n_flying > 0)
		round->parts.stats->rounds_skipped++;
	else if (backoff_is_due(&round->backoff))
		read_haproxy(round);
}

void round_hurry(struct round *round)
{
	int64_t wait_ms = round->began_ms + HURRY_MS - clock_now_ms();

	round->hurry = true;
	/* A round under way does it at its end; HAProxy that does not answer is not pressed. */
	if (round->stopped || round->reading || round->push.n_flying > 0 ||
		round->backoff.n_failures > 0)
		return;
	tick_in(round, wait_ms > 0 ? (double)wait_ms / 1000.0 : 0.0);
}

void round_restart(struct round *round)
{
	backoff_forget(&round->backoff);
	round_hurry(round);
}

static void take_parts(struct round *round, const struct round_parts *parts)
{
	round->parts = *parts;
	push_configure(&round->push, parts->runtime, parts->cluster, parts->stats);
}

struct round *round_new(struct ev_loop *loop, const struct round_parts *parts)
{
	struct round *round = calloc(1, sizeof(*round));

	if (!round)
		return NULL;
	round->loop = loop;
	take_parts(round, parts);
	ev_init(&round->tick, on_tick);
	round->tick.data = round;
	tick_in(round, 0.0);
	return round;
}

void round_free(struct round *round)
{
	if (!round)
		return;
	ev_timer_stop(round->loop, &round->tick);
	free(round);
}

void round_configure(struct round *round, const struct round_parts *parts)
{
	if (parts->runtime != round->parts.runtime) {
		/* Whatever was under way went with the old one. */
		round->reading = false;
		backoff_forget(&round->backoff);
	}
	take_parts(round, parts);
	tick_in(round, 0.0);
}

void round_restore(struct round *round)
{
	struct reconcile lines = {.n_lines = 0};

	steer_release(round->parts.cluster);
	if (!round->parts.runtime || round->parts.dry_run)
		return;
	if (!reconcile_restore(round->parts.cluster, &lines))
		log_error("not all weights can be put back: out of memory", LOG_NONE);
	push_lines(&round->push, &lines, on_pushed, round);
}

void round_stop(struct round *round, void (*done)(void *arg), void *arg)
{
	ev_timer_stop(round->loop, &round->tick);
	round->stopped = done;
	round->stopped_arg = arg;
	round_restore(round);
	check_stopped(round);
}
