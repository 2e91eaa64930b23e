/* SPDX-License-Identifier: MIT */
#include "core/report/report_backends.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/report/report_age.h"
#include "core/report/report_pod.h"
#include "core/steer/steer.h"

enum { EVENTS_TOLD = 2, EVENT_TOLD_MS = 600000 };

static bool is_planned(const struct report_view *view, const struct server *server)
{
	return server->state == SERVER_STEERED && server->plan.made && report_is_reached(view);
}

bool report_is_known(const struct report_view *view, const struct server *server)
{
	const struct pod *pod = server->pod;

	return pod && pod->heard &&
	       view->now_ms - pod->heard_ms <= cluster_settings(view->cluster)->cache_ttl_ms &&
	       !(server->plan.made && server->plan.result.basis == PLANNER_DISBELIEVED);
}

double report_connections(const struct report_view *view, const struct server *server)
{
	if (report_is_known(view, server))
		return server->pod->metric.count;
	if (server->state == SERVER_STEERED && server->plan.made)
		return server->plan.result.count;
	return (double)server->sessions.own * cluster_settings(view->cluster)->replicas;
}

double report_capacity(const struct server *server)
{
	const struct pod *pod = server->pod;
	double capacity = pod && pod->heard ? pod->metric.capacity : 0.0;

	return capacity > 0.0 ? fmin(capacity, server->backend->capacity_most)
			      : fmax(server->haproxy.iweight, 1.0);
}

static bool participates(const struct report_view *view, const struct server *server)
{
	return server->pod && is_planned(view, server) && plan_participates(&server->plan.result);
}

double report_level(const struct report_view *view, const struct report_backend *backend,
	const struct server *server)
{
	if (backend->mean < 0.0 || !participates(view, server))
		return -1.0;
	return backend->mean * report_capacity(server);
}

static double mean_of(const struct report_view *view, const struct backend *backend)
{
	double connections = 0.0;
	double capacity = 0.0;

	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];

		if (!participates(view, server) || !report_is_known(view, server))
			continue;
		connections += report_connections(view, server);
		capacity += report_capacity(server);
	}
	return capacity > 0.0 ? connections / capacity : -1.0;
}

/* False when out of memory; to->shares stays NULL where nothing can be said. */
static bool find_shares(const struct report_view *view, struct report_backend *to)
{
	const struct backend *backend = to->backend;
	struct shares_server *shares = calloc(backend->n_servers + 1, sizeof(*shares));

	if (!shares)
		return false;
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];
		bool used = server->state == SERVER_STEERED || server->state == SERVER_NOT_STEERED;

		shares[i].weight = used ? server->haproxy.uweight : 0;
		shares[i].own = server->sessions.own;
	}
	if (report_is_reached(view) && !cluster_settings(view->cluster)->agent_check_only &&
		shares_next(backend->algo, shares, backend->n_servers))
		to->shares = shares;
	else
		free(shares);
	return true;
}

/* ---- the verdict's input ---- */

static bool has_refused(const struct report_view *view, const struct backend *backend)
{
	for (size_t i = 0; i < backend->n_servers; i++) {
		if (report_state_of(view, backend->servers[i]) == REPORT_REFUSED)
			return true;
	}
	return false;
}

static size_t count_used(const struct backend *backend)
{
	size_t n = 0;

	for (size_t i = 0; i < backend->n_servers; i++)
		n += backend->servers[i]->state == SERVER_STEERED && backend->servers[i]->pod;
	return n;
}

static void find_cause(
	const struct report_view *view, const struct backend *backend, struct verdict_input *input)
{
	bool no_socket = cluster_settings(view->cluster)->agent_check_only;

	if (backend->mode == BACKEND_NOT_STEERED) {
		input->cause = VERDICT_ALGORITHM;
		input->detail = backend->algo;
	} else if (!report_is_reached(view)) {
		input->cause = view->draining ? VERDICT_STOPPING : VERDICT_SILENT;
		input->detail = view->stats->haproxy_error;
	} else if (!no_socket && has_refused(view, backend)) {
		input->cause = VERDICT_REFUSED;
		input->detail = view->stats->push_complaint;
	} else if (view->dry_run) {
		input->cause = VERDICT_DRY_RUN;
	} else if (count_used(backend) == 0) {
		input->cause = VERDICT_NO_PODS;
	} else if (backend->planned && backend->summary.fallback) {
		input->cause = VERDICT_FEW_KNOWN;
	}
}

static void add_pod(const struct report_view *view, const struct report_backend *backend, size_t i,
	struct verdict_input *input)
{
	const struct server *server = backend->backend->servers[i];
	double level = report_level(view, backend, server);
	double has = report_connections(view, server);
	double tolerance = outlook_tolerance(level);

	if (!participates(view, server))
		return;
	input->n_pods++;
	if (!report_is_known(view, server) || level < 0.0)
		return;
	input->n_known++;
	if (input->n_known == 1 || has * input->fullest_level > input->fullest * level) {
		input->fullest = has;
		input->fullest_level = level;
	}
	input->n_above += has > level + tolerance;
	if (has >= level - tolerance)
		return;
	if (input->n_missing++ == 0)
		input->lowest = report_pod_name(server);
	input->missing += level - has;
	if (backend->shares)
		input->share_missing += backend->shares[i].share;
}

/* The newest of each kind that explains where connections are. */
static void tell_events(const struct report_view *view, char *buf, size_t size)
{
	const struct events *events = &view->stats->events;
	bool told[EVENT_N_KINDS] = {[EVENT_HEARD] = true, [EVENT_SILENT] = true};
	size_t n = 0;
	size_t len = 0;

	for (size_t i = events->len; i-- > 0 && n < EVENTS_TOLD;) {
		const struct event *event = events_at(events, i);
		int64_t age_ms = view->wall_ms - event->last_wall_ms;
		char text[EVENTS_NAME_SIZE + 64];
		char age[40];

		if (told[event->kind] || age_ms < 0 || age_ms > EVENT_TOLD_MS)
			continue;
		told[event->kind] = true;
		snprintf(buf + len, size - len, "%s%s %s ago", n++ > 0 ? "; " : "",
			event_text(event, text, sizeof(text)),
			report_age_whole((double)age_ms / 1000.0, age, sizeof(age)));
		len = strlen(buf);
	}
}

static void judge(const struct report_view *view, struct report_backend *to)
{
	const struct backend *backend = to->backend;
	const struct cluster_settings *settings = cluster_settings(view->cluster);
	int64_t updated_ms = cluster_updated_ms(view->cluster);
	char events[2 * EVENTS_NAME_SIZE + 128] = "";
	struct verdict_input input = {
		.backend = backend->name,
		.asked = view->ready && backend->planned,
		.detail = "",
		.silent_s = updated_ms > 0 ? (double)(view->now_ms - updated_ms) / 1000.0 : -1.0,
		.outlook = report_outlook(view, backend),
		.arrivals_per_s = backend->arrivals.rated
					  ? steer_arrivals(settings, backend->arrivals.per_second)
					  : -1.0,
		.share_missing = to->shares ? 0.0 : -1.0,
		.lowest = "",
		.events = events,
	};

	find_cause(view, backend, &input);
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct server *server = backend->servers[i];

		add_pod(view, to, i, &input);
		input.n_needs += server->pod &&
				 report_trouble(view, server, report_state_of(view, server)) > 0;
	}
	tell_events(view, events, sizeof(events));
	to->verdict = verdict_of(&input);
}

/* ---- the list ---- */

static bool is_selected(const struct report_view *view, const struct backend *backend)
{
	char url[REPORT_URL_SIZE];

	if (!view->service || strcmp(view->service, backend->name) == 0)
		return true;
	for (size_t i = 0; i < backend->n_servers; i++) {
		if (strcmp(report_service_url(backend->servers[i], url, sizeof(url)),
			    view->service) == 0)
			return true;
	}
	return false;
}

bool report_backends_init(struct report_backends *out, const struct report_view *view)
{
	struct report_backends backends = {.n = 0};
	size_t n;
	const struct backend *const *all = cluster_backends(view->cluster, &n);

	backends.list = calloc(n + 1, sizeof(*backends.list));
	if (!backends.list)
		return false;
	for (; backends.n < n; backends.n++) {
		struct report_backend *to = &backends.list[backends.n];

		to->backend = all[backends.n];
		to->mean = mean_of(view, to->backend);
		if (!find_shares(view, to)) {
			report_backends_fini(&backends);
			return false;
		}
		judge(view, to);
		to->selected = is_selected(view, to->backend);
		if (to->selected &&
			(!backends.worst || to->verdict.state > backends.worst->verdict.state))
			backends.worst = to;
	}
	*out = backends;
	return true;
}

size_t report_n_not_asked(const struct report_view *view)
{
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(view->cluster, &n_backends);
	size_t n = 0;

	for (size_t b = 0; b < n_backends; b++) {
		for (size_t s = 0; s < backends[b]->n_servers; s++)
			n += backends[b]->servers[s]->unasked != SERVER_ASKED;
	}
	return n;
}

void report_backends_fini(struct report_backends *backends)
{
	for (size_t i = 0; i < backends->n; i++)
		free(backends->list[i].shares);
	free(backends->list);
	*backends = (struct report_backends){.n = 0};
}
