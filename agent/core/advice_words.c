/* SPDX-License-Identifier: MIT */
#include "core/advice_words.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

static const double POINTS_MIN = 1.0;   /* less is not worth a program */
static const double LACKING_MIN = 0.02; /* of the standing connections: less is level */

struct speaker {
	const struct advice *advice;
	void (*say)(const char *line, void *arg);
	void *arg;
};

__attribute__((format(printf, 2, 3))) static void tell(
	const struct speaker *speaker, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	speaker->say(text, speaker->arg);
}

/* In words of one unit: "40 s", "12 min", "3.5 h", "2.1 days". */
static const char *words_of(double seconds, char *text, size_t size)
{
	if (seconds < 100.0)
		snprintf(text, size, "%.0f s", seconds);
	else if (seconds < 6000.0)
		snprintf(text, size, "%.0f min", seconds / 60.0);
	else if (seconds < 172800.0)
		snprintf(text, size, "%.1f h", seconds / 3600.0);
	else
		snprintf(text, size, "%.1f days", seconds / 86400.0);
	return text;
}

static double mean(const struct advice_backend *backend, double sum)
{
	return backend->n_readings > 0 ? 100.0 * sum / backend->n_readings : 0.0;
}

static bool is_leastconn(const struct advice_backend *backend)
{
	return strcmp(backend->algo, "leastconn") == 0;
}

enum advice_result advice_judge(const struct advice_backend *backend, double *points)
{
	double alone = mean(backend, backend->reckoned[HINDSIGHT_LEASTCONN]);
	double agent = alone - mean(backend, backend->reckoned[HINDSIGHT_TOLD]);
	double another = mean(backend, backend->seen) - alone;
	double lacking = hindsight_lacking(backend->pods, backend->n_servers);

	*points = 0.0;
	if (backend->n_used < 2)
		return ADVICE_NOTHING;
	if (agent >= POINTS_MIN) {
		*points = agent;
		return ADVICE_AGENT;
	}
	if (lacking > fmax(backend->arrived, LACKING_MIN * backend->standing))
		return ADVICE_UNCERTAIN;
	if (!is_leastconn(backend) && another >= POINTS_MIN) {
		*points = another;
		return ADVICE_ANOTHER;
	}
	return ADVICE_LEASTCONN;
}

static void tell_process(const struct speaker *speaker)
{
	const struct advice *advice = speaker->advice;
	char up[32];
	char watched[32];

	tell(speaker, "HAProxy %s, pid %lld, up for %s", advice->info.version,
		(long long)advice->info.pid,
		words_of((double)advice->info.uptime_s, up, sizeof(up)));
	tell(speaker, "watched for %s, %u readings; reloads or restarts in that time: %u",
		words_of((double)(advice->last_ms - advice->first_ms) / 1000.0, watched,
			sizeof(watched)),
		advice->n_readings, advice->n_reloads);
}

static void tell_old(const struct speaker *speaker)
{
	const struct advice *advice = speaker->advice;

	if (advice->sight == ADVICE_READ) {
		tell(speaker,
			"old workers that are alive: %zu; what they hold is read over the master "
			"socket and counts as the pods'",
			advice->n_old);
		return;
	}
	if (advice->sight == ADVICE_COUNTED)
		tell(speaker, "old workers that are alive: %zu, by the processes of this host",
			advice->n_old);
	else
		tell(speaker, "old workers: cannot be seen from here: name the master socket (-S) "
			      "with --master");
	if (advice->old_unread)
		tell(speaker, "what those of before hold cannot be seen, and is not in the figures "
			      "below: name the master socket (-S) with --master");
	if (advice->old_reckoned)
		tell(speaker, "what the reload left behind is reckoned: as it stood, ending as "
			      "often as connections here end");
}

static void tell_connections(const struct speaker *speaker, const struct advice_backend *backend)
{
	char life[32];

	tell(speaker, "backend %s: balance %s, %u servers in use, %u free slots", backend->name,
		backend->algo, backend->n_used, backend->n_free);
	if (backend->ended > 0.0) {
		tell(speaker, "  %.0f connections stand, %.0f came; each lives about %s",
			backend->standing, backend->arrived,
			words_of(backend->held_ms / backend->ended / 1000.0, life, sizeof(life)));
	} else {
		tell(speaker, "  %.0f connections stand, %.0f came, none ended", backend->standing,
			backend->arrived);
	}
	if (backend->n_moved > 0) {
		tell(speaker,
			"  %u servers got another pod's address while connections of the one before "
			"stood, which leastconn takes for the new one's",
			backend->n_moved);
	}
}

static void tell_result(const struct speaker *speaker, const struct advice_backend *backend)
{
	double points;

	switch (advice_judge(backend, &points)) {
	case ADVICE_AGENT:
		tell(speaker, "  the agent would gain you %.0f points here", points);
		break;
	case ADVICE_ANOTHER:
		tell(speaker,
			"  leastconn is all you need here: in haproxy.cfg, write balance leastconn, "
			"which would gain you %.0f points",
			points);
		break;
	case ADVICE_UNCERTAIN:
		tell(speaker,
			"  it would take %.0f connections to even it out, and fewer came: look for "
			"longer (--for)",
			hindsight_lacking(backend->pods, backend->n_servers));
		break;
	case ADVICE_LEASTCONN:
		tell(speaker, "  leastconn is all you need here");
		break;
	case ADVICE_NOTHING:
		break;
	}
}

static void tell_backend(const struct speaker *speaker, const struct advice_backend *backend)
{
	if (backend->n_servers == 0)
		return;
	if (backend->n_used < 2) {
		tell(speaker, "backend %s: balance %s, servers in use: %u: nothing to balance",
			backend->name, backend->algo, backend->n_used);
		return;
	}
	tell_connections(speaker, backend);
	tell(speaker,
		"  the fullest pod above the mean: %.1f %% in the mean, %.1f %% at the end; in the "
		"counts of the process that answers %.1f %%",
		mean(backend, backend->seen),
		100.0 * hindsight_seen(backend->pods, backend->n_servers),
		mean(backend, backend->counted));
	tell(speaker,
		"  reckoned for the same connections: leastconn alone %.1f %%, by all that the pods "
		"hold %.1f %%",
		mean(backend, backend->reckoned[HINDSIGHT_LEASTCONN]),
		mean(backend, backend->reckoned[HINDSIGHT_TOLD]));
	tell_result(speaker, backend);
}

static void tell_unseen(const struct speaker *speaker)
{
	tell(speaker,
		"reckoned: each connection that came is placed anew, on the pod with the fewest by "
		"HAProxy's own count (leastconn) or by all that is known of the pods (what the agent "
		"aims at), and as large a part of each pod's ends as did end. Without delays: the "
		"agent's rounds cost it some tenths of a point");
	tell(speaker, "not seen: other HAProxies of the same pods, and clients that reach them by "
		      "another way. Where there are any, only the pods know: try the agent with "
		      "--dry-run, and its imbalance is the true one");
	tell(speaker, "not told by the Runtime API: timeout tunnel, which must be longer than the "
		      "interval of the application's pings, and hard-stop-after, without which "
		      "each reload leaves a worker for as long as the longest connection lives: "
		      "see haproxy.cfg");
}

struct best {
	const struct advice_backend *backend;
	double points;
};

/* The backend that the verdict goes by: what needs most comes first. */
static enum advice_result find_worst(const struct advice *advice, struct best *best)
{
	static const int order[] = {
		[ADVICE_NOTHING] = 0,
		[ADVICE_LEASTCONN] = 1,
		[ADVICE_ANOTHER] = 2,
		[ADVICE_UNCERTAIN] = 3,
		[ADVICE_AGENT] = 4,
	};
	enum advice_result worst = ADVICE_NOTHING;

	for (size_t i = 0; i < advice->n_backends; i++) {
		double points;
		enum advice_result result = advice_judge(&advice->backends[i], &points);

		if (order[result] > order[worst] || (result == worst && points > best->points)) {
			worst = result;
			*best = (struct best){.backend = &advice->backends[i], .points = points};
		}
	}
	return worst;
}

static void tell_verdict(const struct speaker *speaker)
{
	const char *but = speaker->advice->old_unread
				  ? ", but for what old workers hold, which was not seen"
				  : ", as far as this HAProxy shows";
	struct best best = {.backend = NULL};

	switch (find_worst(speaker->advice, &best)) {
	case ADVICE_AGENT:
		tell(speaker,
			"verdict: the agent would gain you %.0f points of imbalance in "
			"backend %s%s",
			best.points, best.backend->name, but);
		break;
	case ADVICE_UNCERTAIN:
		tell(speaker,
			"verdict: backend %s is uneven, and too few connections came to tell what "
			"would help: look for longer",
			best.backend->name);
		break;
	case ADVICE_ANOTHER:
		tell(speaker,
			"verdict: leastconn is all you need; backend %s has another "
			"algorithm, and would gain %.0f points by it%s",
			best.backend->name, best.points, but);
		break;
	case ADVICE_LEASTCONN:
		tell(speaker, "verdict: leastconn is all you need%s", but);
		break;
	case ADVICE_NOTHING:
		tell(speaker, "verdict: there is nothing to balance: no backend has two servers in "
			      "use");
		break;
	}
}

void advice_tell(const struct advice *advice, void (*say)(const char *line, void *arg), void *arg)
{
	const struct speaker speaker = {.advice = advice, .say = say, .arg = arg};

	tell_process(&speaker);
	tell_old(&speaker);
	for (size_t i = 0; i < advice->n_backends; i++)
		tell_backend(&speaker, &advice->backends[i]);
	tell_unseen(&speaker);
	tell_verdict(&speaker);
}
