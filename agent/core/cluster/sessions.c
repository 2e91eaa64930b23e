/* SPDX-License-Identifier: MIT */
/* Readings into what the planner is told. */
#include "core/cluster/sessions.h"

#include <math.h>

#include "core/plan/limits.h"

/* A pod that was caught is believed again when its word has fitted for so long. */
static const int64_t DOUBT_MS = 60000;

/* Of what old workers hold on a pod nobody tells: it is taken to close as fast as it did before,
 * and as if lives were of so many seconds at most. */
static const double LEFT_LIVES_MAX_S = 300.0;

/* That one or two have closed says nothing of old workers' sessions. */
static const double LEFT_CHANCE = 2.0;

void sessions_init(struct sessions *sessions)
{
	/*
	 * Whether what a server holds is all of its address nobody knows at first sight. Taking it
	 * to be so errs on the mild side: an honest pod in a slot that still counts another's
	 * sessions is planned as leastconn would by itself, while a believed liar would draw
	 * everything.
	 */
	*sessions = (struct sessions){.own_exact = true};
	sessions->closings.tau_s = RATE_TAU_SERVER_S;
}

void sessions_new_pod(struct sessions *sessions, uint32_t own)
{
	if (sessions->known) {
		sessions->own_exact = own == 0;
		others_new_pod(&sessions->others, own);
	}
	sessions->own = own;
	sessions->own_then_ms = 0;
	sessions->credit = 0.0;
	sessions->doubted = false;
	sessions->left = 0.0;
	sessions->target_stands = false;
}

/* The old worker's sessions go on as the pod's: by them a pod that was caught is measured on. */
static void leave_behind(struct sessions *sessions)
{
	double own = (double)sessions->own;

	if (!sessions->own_exact || own <= 0.0)
		return;
	/* The worker that has held more knows better how long they live. */
	if (own >= sessions->left)
		sessions->left_per_s =
			fmax(sessions->closings.per_second / own, 1.0 / LEFT_LIVES_MAX_S);
	sessions->left += own;
}

/* A new worker does not count the old one's sessions, though the pods have them: the difference is
 * no move. What it counts it has begun itself, with the pod that the server has now. */
static void start_worker(struct sessions *sessions, const struct sessions_reading *reading)
{
	others_reload(&sessions->others, sessions->own);
	leave_behind(sessions);
	sessions->own = reading->own;
	sessions->own_then = reading->own;
	sessions->own_exact = true;
	sessions->target_stands = false;
}

/* What this HAProxy had on the server when the pod was heard, between the two readings in which so
 * many sessions began. */
static void reckon_own_then(
	struct sessions *sessions, const struct sessions_reading *reading, uint64_t began)
{
	double moved = (double)sessions->own - (double)sessions->own_before;
	double span = (double)(reading->now_ms - sessions->read_ms);
	struct others_reading between = {
		.replicas = reading->replicas,
		.stock = reading->stock,
		.count = reading->count,
		.own_before = sessions->own_before,
		.own = sessions->own,
		.part = 1.0,
		.turnover = fmax(0.0, 2.0 * (double)began - moved),
	};

	sessions->turnover = between.turnover;
	if (!reading->heard || sessions->own_then_ms == reading->counted_ms ||
		reading->counted_ms <= sessions->away_ms)
		return;
	if (span > 0.0)
		between.part = fmin(
			fmax((double)(reading->counted_ms - sessions->read_ms) / span, 0.0), 1.0);
	sessions->part_then = between.part;
	sessions->own_then = (uint32_t)((double)sessions->own_before + between.part * moved + 0.5);
	sessions->own_then_ms = reading->counted_ms;
	between.own_then = sessions->own_then;
	others_update(&sessions->others, &between);
}

void sessions_away(struct sessions *sessions, unsigned replicas, int64_t now_ms)
{
	if (sessions->own > 0)
		return;
	sessions->left = 0.0;
	if (replicas == 1)
		return;
	sessions->away_ms = now_ms;
	sessions->own_then_ms = 0;
	others_empty(&sessions->others);
}

/*
 * By the rate, which bounds it. But with a pod that begins anew, before a health check has seen it
 * away, most of what is held here closes at once, and so does what old workers hold. seen: sessions
 * of the last reading of which it is known what became; since then so many began.
 */
static void fade_left(struct sessions *sessions, const struct sessions_reading *reading,
	double seen, double began)
{
	double span_s = (double)(reading->now_ms - sessions->read_ms) / 1000.0;
	double stayed = fmax(0.0, fmin(seen, (double)reading->own - began));
	double part = (stayed + LEFT_CHANCE) / (seen + LEFT_CHANCE);

	sessions->left *= part < 0.5 ? part : exp(-sessions->left_per_s * span_s);
}

void sessions_update(struct sessions *sessions, const struct sessions_reading *reading)
{
	bool reloaded = sessions->known && sessions->worker != reading->worker;
	bool goes_on = sessions->known && !reloaded && reading->total >= sessions->total;
	uint64_t began = goes_on ? reading->total - sessions->total : 0;

	fade_left(sessions, reading, goes_on ? (double)sessions->own : 0.0, (double)began);
	if (reloaded)
		start_worker(sessions, reading);
	if (!goes_on)
		sessions->started = 0;
	sessions->started += began;
	sessions->total = reading->total;
	sessions->own_before = sessions->known ? sessions->own : reading->own;
	sessions->own = reading->own;
	if (reading->own == 0)
		sessions->own_exact = true;
	if (reading->total >= reading->own)
		rate_update(&sessions->closings, reading->total - reading->own, reading->now_ms);
	reckon_own_then(sessions, reading, began);
	sessions->known = true;
	sessions->worker = reading->worker;
	sessions->read_ms = reading->now_ms;
}

double sessions_grown(const struct sessions *sessions)
{
	return (double)sessions->own - (double)sessions->own_before;
}

double sessions_closed(const struct sessions *sessions)
{
	return fmax(0.0, sessions->turnover - sessions_grown(sessions)) / 2.0;
}

void sessions_account(struct sessions *sessions, double limit, uint64_t arrived)
{
	sessions->credit = limits_credit(sessions->credit, limit, arrived, sessions->started);
	sessions->started = 0;
}

void sessions_judge(struct sessions *sessions, const struct planner_pod *pod,
	enum planner_basis basis, int64_t now_ms)
{
	double least = fmin((double)pod->own, (double)pod->own_then) + (double)pod->own_beside;

	if (basis == PLANNER_HEARD)
		sessions->doubted = false;
	/* Several workers are found out by other means, and let go by these. */
	if (basis != PLANNER_DISBELIEVED || pod->several)
		return;
	if (!sessions->doubted || (double)pod->count < least)
		sessions->caught_ms = now_ms;
	sessions->doubted = now_ms - sessions->caught_ms < DOUBT_MS;
}

void sessions_describe(const struct sessions *sessions, unsigned replicas, int64_t interval_ms,
	struct planner_pod *pod)
{
	pod->own = sessions->own;
	pod->own_then = sessions->own_then;
	pod->own_exact = sessions->own_exact;
	pod->doubted = sessions->doubted;
	pod->held = (double)sessions->own + sessions->left;
	pod->own_beside = sessions->doubted ? (uint32_t)sessions->left : 0;
	pod->has_others = sessions->others.known;
	pod->others = sessions->others.count;
	pod->leaving =
		sessions->closings.per_second * (double)replicas * (double)interval_ms / 1000.0;
	pod->credit = sessions->credit;
}
