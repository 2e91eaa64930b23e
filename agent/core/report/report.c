/* SPDX-License-Identifier: MIT */
#include "core/report/report.h"

#include <math.h>
#include <stdio.h>

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

bool report_is_reached(const struct report_view *view)
{
	return view->stats->haproxy_reached || cluster_settings(view->cluster)->agent_check_only;
}

bool report_is_planned(const struct report_view *view, const struct backend *backend)
{
	return backend->planned && backend->mode != BACKEND_NOT_STEERED && report_is_reached(view);
}

struct outlook report_outlook(const struct report_view *view, const struct backend *backend)
{
	struct outlook outlook = backend->outlook;

	if (view->dry_run) {
		outlook.verdict = OUTLOOK_NOT_SENT;
		outlook.seconds = INFINITY;
	}
	return outlook;
}

double report_wall_s(const struct report_view *view, int64_t then_ms)
{
	return (double)(view->wall_ms - (view->now_ms - then_ms)) / 1000.0;
}
