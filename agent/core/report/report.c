/* SPDX-License-Identifier: MIT */
#include "core/report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/report/report_age.h"

char *report_service_url(const struct server *server, char *buf, size_t size)
{
	if (server->fqdn[0] && server->pod)
		snprintf(buf, size, "http://%s:%u", server->fqdn, (unsigned)server->pod->port);
	else if (server->fqdn[0])
		snprintf(buf, size, "http://%s", server->fqdn);
	else
		snprintf(buf, size, "%s", server->backend->name);
	return buf;
}

static int64_t age_s(const struct server *server, int64_t now_ms)
{
	return (now_ms - server->pod->heard_ms) / 1000;
}

static void why_fallback(const struct planner_summary *summary, char *buf, size_t size)
{
	size_t n = summary->n_known + summary->n_never_heard + summary->n_disbelieved;

	snprintf(buf, size, "fallback: %zu of %zu known", summary->n_known, n);
}

/* Where the count of the plan is from. */
static void why_basis(const struct server *server, int64_t now_ms, char *buf, size_t size)
{
	const struct pod *pod = server->pod;

	switch (server->plan.result.basis) {
	case PLANNER_HEARD:
		snprintf(buf, size, "steered");
		return;
	case PLANNER_STALE:
		snprintf(buf, size, "stale %" PRId64 " s", age_s(server, now_ms));
		return;
	case PLANNER_NEVER_HEARD:
		if (pod->heard)
			snprintf(buf, size, "count too old: %" PRId64 " s", age_s(server, now_ms));
		else
			snprintf(buf, size, "never heard");
		return;
	case PLANNER_DISBELIEVED:
		snprintf(buf, size, "disbelieved: says %" PRIu32 ", HAProxy holds %" PRIu32,
			pod->metric.count, server->sessions.own);
		return;
	case PLANNER_DRAINING:
		snprintf(buf, size, "draining");
		return;
	}
}

static void why_planned(const struct server *server, int64_t now_ms, char *buf, size_t size)
{
	const struct planner_result *plan = &server->plan.result;
	double ramp = 100.0 * plan->ramp;
	size_t len;

	if (plan->basis == PLANNER_DRAINING) {
		why_basis(server, now_ms, buf, size);
	} else if (server->backend->summary.fallback) {
		why_fallback(&server->backend->summary, buf, size);
	} else if (plan->ramp < 1.0 && plan->basis == PLANNER_HEARD) {
		snprintf(buf, size, "ramping %.0f %%", ramp);
	} else {
		why_basis(server, now_ms, buf, size);
		len = strlen(buf);
		if (plan->ramp < 1.0)
			snprintf(buf + len, size - len, ", ramping %.0f %%", ramp);
	}
}

static void why_not_steered(const struct backend *backend, char *buf, size_t size)
{
	if (backend->mode != BACKEND_NOT_STEERED)
		snprintf(buf, size, "not steered");
	else if (!backend->algo[0])
		snprintf(buf, size, "not steered: algorithm unknown");
	else
		snprintf(buf, size, "not steered: balance %s", backend->algo);
}

char *report_why(const struct server *server, int64_t now_ms, char *buf, size_t size)
{
	switch (server->state) {
	case SERVER_STEERED:
		if (server->plan.made && server->pod)
			why_planned(server, now_ms, buf, size);
		else
			snprintf(buf, size, "no plan yet");
		break;
	case SERVER_DOWN:
		snprintf(buf, size, "down: %s", server->haproxy.status);
		break;
	case SERVER_MAINT:
		snprintf(buf, size, "in maintenance: %s", server->haproxy.status);
		break;
	case SERVER_DRAIN:
		snprintf(buf, size, "drained in HAProxy");
		break;
	case SERVER_BACKUP:
		snprintf(buf, size, "backup server");
		break;
	case SERVER_WEIGHT_ZERO:
		snprintf(buf, size, "weight 0 in the configuration");
		break;
	case SERVER_NO_ADDRESS:
		snprintf(buf, size, "no address");
		break;
	case SERVER_NOT_STEERED:
		why_not_steered(server->backend, buf, size);
		break;
	}
	return buf;
}

char *report_backend_why(const struct backend *backend, char *buf, size_t size)
{
	const struct outlook *outlook = &backend->outlook;
	char age[40];

	if (backend->mode == BACKEND_NOT_STEERED)
		why_not_steered(backend, buf, size);
	else if (!backend->planned)
		snprintf(buf, size, "no plan yet");
	else if (backend->summary.fallback)
		why_fallback(&backend->summary, buf, size);
	else if (outlook->verdict == OUTLOOK_FILLING) {
		snprintf(buf, size, "filling: %.0f lacking, %s at this rate", outlook->deficit,
			report_age(outlook->seconds, age, sizeof(age)));
	} else {
		snprintf(buf, size, "%s", outlook_verdict_name(outlook->verdict));
	}
	return buf;
}
