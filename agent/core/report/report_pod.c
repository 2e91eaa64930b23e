/* SPDX-License-Identifier: MIT */
#include "core/report/report_pod.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/report/report_age.h"
#include "core/terms.h"

enum {
	MISSED_MAX = 3,  /* readings of HAProxy without a weight that was sent, and no complaint */
	GRACE_MS = 3000, /* that a pod may be silent before it is told */
};

/* The one table of what states are called, how they look and what to do about them. */
static const struct {
	const char *label;
	const char *look;
	unsigned trouble;
	const char *remedy;
} states[REPORT_N_STATES] = {
	[REPORT_HEARD] = {"heard", "good", 0, ""},
	[REPORT_STALE] = {"stale", "warn", 1, ""}, /* by the poll's outcome, as the next two */
	[REPORT_SILENT] = {"silent", "bad", 2, ""},
	[REPORT_NEVER_HEARD] = {"never_heard", "bad", 2, ""},
	[REPORT_DISBELIEVED] = {"disbelieved", "bad", 2,
		"its /metric must count all connections, and those of this pod alone"},
	[REPORT_REFUSED] = {"refused", "bad", 2, "see what HAProxy complains of"},
	[REPORT_DRAINING] = {"draining", "calm", 0, ""},
	[REPORT_UNPLANNED] = {"unplanned", "idle", 0, ""},
	[REPORT_UNREACHED] = {"unreached", "idle", 0, ""},
	[REPORT_DOWN] = {"down", "bad", 2, "look at the pod and at HAProxy's health check"},
	[REPORT_MAINT] = {"maint", "calm", 0, ""},
	[REPORT_DRAIN] = {"drain", "calm", 0, ""},
	[REPORT_BACKUP] = {"backup", "idle", 0, ""},
	[REPORT_WEIGHT_ZERO] = {"weight_zero", "idle", 0, ""},
	[REPORT_NO_ADDRESS] = {"no_address", "idle", 0, ""},
	[REPORT_NOT_STEERED] = {"not_steered", "idle", 0, ""},
};

/* What to do about a poll that failed. Each outcome has its words: the compiler looks after that.
 */
static const char *poll_remedy(enum metric_outcome outcome)
{
	switch (outcome) {
	case METRIC_OK:
		return "see whether its /metric is slow";
	case METRIC_CONNECT_FAILED:
		return "is metricPort right, and does the pod listen there?";
	case METRIC_TIMED_OUT:
		return "its /metric must answer within pollTimeout, under full load too";
	case METRIC_TLS_FAILED:
		return "see metricScheme and tlsCA: whose certificate does it have?";
	case METRIC_BROKEN:
		return "see the pod's own log: its answer broke off";
	case METRIC_TOO_LARGE:
		return "is metricPath right? The answer is larger than metricMaxSize";
	case METRIC_COMPRESSED:
		return "it must not compress its answer to /metric";
	case METRIC_REDIRECT:
		return "set metricPath or metricScheme to where it redirects";
	case METRIC_BAD_STATUS:
		return "is metricPath right, and is metricHeaders what it asks for?";
	case METRIC_NOT_JSON:
		return "is metricPath right, and metricFormat what it answers in?";
	case METRIC_DUPLICATE_KEY:
		return "mend its /metric: one name stands twice";
	case METRIC_NOT_PROMETHEUS:
		return "mend its /metric: a line of the wanted series cannot be read";
	case METRIC_NO_KEY:
		return "set metricKey to where the count stands in its answer";
	case METRIC_NO_SAMPLE:
		return "mend its /metric: the series has no sample";
	case METRIC_NOT_A_COUNT:
		return "mend its /metric: the count must be a whole number";
	case METRIC_OUT_OF_MEMORY:
		return "give the agent more memory";
	case METRIC_NOT_HTTP:
		return "is metricPort right? What answers there speaks no HTTP";
	case METRIC_SERVER_ERROR:
		return "see the pod's own log: it answers that it has failed";
	case METRIC_TOO_COSTLY:
		return "is metricPath right? The answer has more values than are read";
	case METRIC_N_OUTCOMES:
		break;
	}
	return "";
}

const char *report_state_label(enum report_state state)
{
	return states[state].label;
}

const char *report_state_look(enum report_state state)
{
	return states[state].look;
}

const char *report_pod_name(const struct server *server)
{
	const char *name = server->pod ? pod_name(server->pod) : "";

	return name[0] ? name : server->name;
}

/* HAProxy was read after the weight was sent, and has another. One such reading may be of a line
 * that got lost; where HAProxy complained it is none. */
static bool is_refused(const struct report_view *view, const struct server *server)
{
	unsigned missed = server->sent.missed;

	return missed >= MISSED_MAX || (missed > 0 && view->stats->push_complaint[0]);
}

static enum report_state planned_state(const struct report_view *view, const struct server *server)
{
	switch (server->plan.result.basis) {
	case PLANNER_STALE:
		return REPORT_STALE;
	case PLANNER_NEVER_HEARD:
		return server->pod->heard ? REPORT_SILENT : REPORT_NEVER_HEARD;
	case PLANNER_DISBELIEVED:
		return REPORT_DISBELIEVED;
	case PLANNER_DRAINING:
		return REPORT_DRAINING;
	case PLANNER_HEARD:
		break;
	}
	return is_refused(view, server) ? REPORT_REFUSED : REPORT_HEARD;
}

enum report_state report_state_of(const struct report_view *view, const struct server *server)
{
	static const enum report_state of[] = {
		[SERVER_DOWN] = REPORT_DOWN,
		[SERVER_MAINT] = REPORT_MAINT,
		[SERVER_DRAIN] = REPORT_DRAIN,
		[SERVER_BACKUP] = REPORT_BACKUP,
		[SERVER_WEIGHT_ZERO] = REPORT_WEIGHT_ZERO,
		[SERVER_NO_ADDRESS] = REPORT_NO_ADDRESS,
		[SERVER_NOT_STEERED] = REPORT_NOT_STEERED,
	};

	if (server->state != SERVER_STEERED)
		return of[server->state];
	if (!report_is_reached(view))
		return REPORT_UNREACHED;
	return server->plan.made && server->pod ? planned_state(view, server) : REPORT_UNPLANNED;
}

/* Adds to what buf says. */
__attribute__((format(printf, 3, 4))) static void add(
	char *buf, size_t size, const char *format, ...)
{
	size_t len = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + len, size - len, format, args);
	va_end(args);
}

unsigned report_trouble(
	const struct report_view *view, const struct server *server, enum report_state state)
{
	if (state == REPORT_STALE && view->now_ms - server->pod->heard_ms < GRACE_MS)
		return 0;
	return states[state].trouble;
}

static void why_silent(const struct report_view *view, const struct server *server,
	const char *what, char *buf, size_t size)
{
	const struct pod *pod = server->pod;
	int64_t silent_ms = view->now_ms - (pod->heard ? pod->heard_ms : pod->since_ms);
	char age[40];
	char error[120];

	snprintf(buf, size, "%s", what);
	if (silent_ms >= 1000)
		add(buf, size, " for %s",
			report_age_whole((double)silent_ms / 1000.0, age, sizeof(age)));
	if (pod->error[0])
		add(buf, size, " (%s)", text_show(pod->error, error, sizeof(error)));
}

static void why_stale(
	const struct report_view *view, const struct server *server, char *buf, size_t size)
{
	int64_t ttl_ms = cluster_settings(view->cluster)->cache_ttl_ms;
	char age[40];

	why_silent(view, server, "silent", buf, size);
	add(buf, size, ": its last count stands until %s",
		report_age_whole((double)ttl_ms / 1000.0, age, sizeof(age)));
}

static void why_heard(const struct server *server, char *buf, size_t size)
{
	const struct planner_summary *summary = &server->backend->summary;
	double ramp = server->plan.result.ramp;

	if (summary->fallback) {
		snprintf(buf, size, "weight as configured: %zu of %zu pods are known",
			summary->n_known,
			summary->n_known + summary->n_never_heard + summary->n_disbelieved);
	} else {
		snprintf(buf, size, "%s", ramp < 1.0 ? "" : "steered");
	}
}

static void why_not_steered(const struct backend *backend, char *buf, size_t size)
{
	if (backend->mode != BACKEND_NOT_STEERED)
		snprintf(buf, size, "%s", TERM_LEFT_ALONE);
	else if (!backend->algo[0])
		snprintf(buf, size, TERM_LEFT_ALONE ": algorithm unknown");
	else
		snprintf(buf, size, TERM_LEFT_ALONE ": balance %s", backend->algo);
}

static void add_ramp(enum report_state state, const struct server *server, char *buf, size_t size)
{
	bool counts = state == REPORT_HEARD || state == REPORT_STALE || state == REPORT_SILENT ||
		      state == REPORT_NEVER_HEARD;

	if (counts && server->plan.result.ramp < 1.0)
		add(buf, size, "%sramping %.0f %%", buf[0] ? ", " : "",
			100.0 * server->plan.result.ramp);
}

/* Its own word is bounded: what it says stands beside what it counts as. */
static void add_capacity(const struct server *server, char *buf, size_t size)
{
	double told = server->plan.made ? server->plan.input.told : 0.0;

	if (told > server->plan.input.capacity)
		add(buf, size, "%stells a capacity of %g, counts as %g", buf[0] ? ", " : "", told,
			server->plan.input.capacity);
}

static void why_disbelieved(const struct server *server, char *buf, size_t size)
{
	const struct pod *pod = server->pod;

	if (pod->workers.several) {
		snprintf(buf, size, "%s", TERM_SEVERAL);
	} else if (server->sessions.doubted && pod->metric.count >= server->sessions.own) {
		snprintf(buf, size,
			TERM_DISBELIEVED ": told too few connections, and holds too few to tell "
					 "whether it still does");
	} else {
		snprintf(buf, size,
			TERM_DISBELIEVED ": says %" PRIu32 " connections, HAProxy holds %" PRIu32,
			pod->metric.count, server->sessions.own);
	}
}

static void say_why(const struct report_view *view, const struct server *server,
	enum report_state state, char *buf, size_t size)
{
	switch (state) {
	case REPORT_HEARD:
		why_heard(server, buf, size);
		break;
	case REPORT_STALE:
		why_stale(view, server, buf, size);
		break;
	case REPORT_SILENT:
		why_silent(view, server, "silent", buf, size);
		break;
	case REPORT_NEVER_HEARD:
		why_silent(view, server, "never heard", buf, size);
		break;
	case REPORT_DISBELIEVED:
		why_disbelieved(server, buf, size);
		break;
	case REPORT_REFUSED:
		snprintf(buf, size, "weight %d in HAProxy, which does not take %d",
			server->haproxy.uweight, server->plan.weight);
		break;
	case REPORT_DRAINING:
		snprintf(buf, size, TERM_DRAINING);
		break;
	case REPORT_UNPLANNED:
		snprintf(buf, size, "no plan yet");
		break;
	case REPORT_UNREACHED:
		snprintf(buf, size, "not steered: " TERM_HAPROXY_SILENT);
		break;
	case REPORT_DOWN:
		snprintf(buf, size, "down: %s", server->haproxy.status);
		break;
	case REPORT_MAINT:
		snprintf(buf, size, "in maintenance: %s", server->haproxy.status);
		break;
	case REPORT_DRAIN:
		snprintf(buf, size, "drained in HAProxy");
		break;
	case REPORT_BACKUP:
		snprintf(buf, size, "backup server");
		break;
	case REPORT_WEIGHT_ZERO:
		snprintf(buf, size, "weight 0 in the configuration");
		break;
	case REPORT_NO_ADDRESS:
		snprintf(buf, size, "no address");
		break;
	case REPORT_NOT_STEERED:
		why_not_steered(server->backend, buf, size);
		break;
	case REPORT_N_STATES:
		break;
	}
}

char *report_why(
	const struct report_view *view, const struct server *server, char *buf, size_t size)
{
	enum report_state state = report_state_of(view, server);

	say_why(view, server, state, buf, size);
	add_ramp(state, server, buf, size);
	add_capacity(server, buf, size);
	return buf;
}

const char *report_remedy(const struct report_view *view, const struct server *server)
{
	enum report_state state = report_state_of(view, server);

	if (state == REPORT_STALE || state == REPORT_SILENT || state == REPORT_NEVER_HEARD)
		return poll_remedy(server->pod->outcome);
	return states[state].remedy;
}
