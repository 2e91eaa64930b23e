/* SPDX-License-Identifier: MIT */
#include "core/record/rerun_plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/plan/capacity.h"
#include "core/plan/planner.h"
#include "core/steer/steer.h"

/* The settings, with what they leave open as recorded. */
static struct cluster_settings complete(
	const struct cluster_settings *open, const struct record *record)
{
	struct cluster_settings settings = *open;

	if (settings.replicas == 0)
		settings.replicas = record->settings.replicas;
	/* What HAProxy held on each server was not seen: nothing can be planned by it. */
	settings.agent_check_only |= record->settings.agent_check_only;
	return settings;
}

static enum backend_mode mode_of(
	const struct cluster_settings *settings, const struct record_backend *backend)
{
	if (!settings->agent_check_only && !selection_has(&settings->selection, backend->name))
		return BACKEND_NOT_STEERED;
	return settings->agent_check_only ? BACKEND_FLOW : backend_mode_of(backend->algo);
}

/* Between two plans. What auto would have chosen is taken to be what was chosen. */
static int64_t interval_of(
	const struct cluster_settings *settings, const struct record_backend *backend)
{
	return settings->poll_interval_ms > 0 ? settings->poll_interval_ms : backend->interval_ms;
}

static struct planner_pod input_of(const struct cluster_settings *settings,
	const struct record *record, const struct record_backend *backend,
	const struct record_server *server)
{
	const struct cluster_settings *recorded = &record->settings;
	struct planner_pod pod = server->input;

	if (settings->agent_check_only && !recorded->agent_check_only) {
		pod.own = 0;
		pod.own_then = 0;
		pod.has_others = false;
		pod.credit = 0.0;
		pod.leaving = 0.0;
	}
	/* It is for as long as a plan lasts, over all instances. */
	pod.leaving *= (double)settings->replicas / (double)recorded->replicas *
		       (double)interval_of(settings, backend) / (double)backend->interval_ms;
	return pod;
}

static double arrivals_of(const struct cluster_settings *settings, const struct record *record,
	const struct record_backend *backend)
{
	struct cluster_settings source = *settings;

	source.agent_check_only = record->settings.agent_check_only;
	return steer_arrivals(&source, backend->arrivals_per_s);
}

bool rerun_plan_make(const struct cluster_settings *open, const struct record *record,
	const struct record_backend *backend, struct rerun_plan *plan)
{
	struct cluster_settings settings = complete(open, record);
	enum backend_mode mode = mode_of(&settings, backend);
	struct steer_rates rates = {
		.arrivals_per_s = arrivals_of(&settings, record, backend),
		.growth_per_s = backend->growth_per_s,
	};
	struct planner_params params =
		steer_params(&settings, mode, interval_of(&settings, backend), &rates);
	size_t n = backend->n_servers;
	double most;

	*plan = (struct rerun_plan){
		.mode = mode,
		.arrivals_per_s = rates.arrivals_per_s,
		.pods = calloc(n + 1, sizeof(*plan->pods)),
		.results = calloc(n + 1, sizeof(*plan->results)),
		.weights = calloc(n + 1, sizeof(*plan->weights)),
	};
	if (!plan->pods || !plan->results || !plan->weights)
		return false;
	for (size_t i = 0; i < n; i++)
		plan->pods[i] = input_of(&settings, record, backend, &backend->servers[i]);
	if (!capacity_settle(plan->pods, n, settings.capacity_max, &most) ||
		!planner_plan(&params, plan->pods, n, plan->results, &plan->summary))
		return false;
	for (size_t i = 0; i < n; i++) {
		plan->weights[i] =
			mode == BACKEND_NOT_STEERED
				? -1
				: steer_weight(&settings, &plan->pods[i], &plan->results[i]);
	}
	return true;
}

void rerun_plan_fini(struct rerun_plan *plan)
{
	free(plan->pods);
	free(plan->results);
	free(plan->weights);
	*plan = (struct rerun_plan){.pods = NULL};
}
