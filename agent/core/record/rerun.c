/* SPDX-License-Identifier: MIT */
#include "core/record/rerun.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/planner.h"
#include "core/record/rerun_plan.h"
#include "core/steer/steer.h"

/* Rounds further apart than so many intervals do not follow on one another. */
enum { GAP_INTERVALS = 10 };

struct rerun_weight {
	char *name;
	int recorded;
	int weight; /* -1: not planned */
};

struct rerun {
	struct cluster_settings settings; /* its names are owned */
	struct rerun_backend *backends;
	size_t n_backends;
};

static void free_weights(struct rerun_weight *weights, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(weights[i].name);
	free(weights);
}

struct rerun *rerun_new(const struct cluster_settings *settings)
{
	struct rerun *rerun = calloc(1, sizeof(*rerun));

	if (!rerun)
		return NULL;
	if (!cluster_settings_copy(settings, &rerun->settings)) {
		free(rerun);
		return NULL;
	}
	return rerun;
}

void rerun_free(struct rerun *rerun)
{
	if (!rerun)
		return;
	for (size_t i = 0; i < rerun->n_backends; i++) {
		free_weights(rerun->backends[i].weights, rerun->backends[i].n_weights);
		free(rerun->backends[i].fullest);
		free(rerun->backends[i].name);
	}
	free(rerun->backends);
	cluster_settings_fini(&rerun->settings);
	free(rerun);
}

const struct rerun_backend *rerun_backends(const struct rerun *rerun, size_t *n)
{
	*n = rerun->n_backends;
	return rerun->backends;
}

/* Found or made; NULL when out of memory. */
static struct rerun_backend *find_or_add_backend(struct rerun *rerun, const char *name)
{
	struct rerun_backend *grown;

	for (size_t i = 0; i < rerun->n_backends; i++) {
		if (strcmp(rerun->backends[i].name, name) == 0)
			return &rerun->backends[i];
	}
	grown = reallocarray(rerun->backends, rerun->n_backends + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	rerun->backends = grown;
	grown[rerun->n_backends] = (struct rerun_backend){
		.name = strdup(name),
		.fullest = strdup(""),
	};
	if (!grown[rerun->n_backends].name || !grown[rerun->n_backends].fullest) {
		free(grown[rerun->n_backends].name);
		free(grown[rerun->n_backends].fullest);
		return NULL;
	}
	return &grown[rerun->n_backends++];
}

/* The server's weights in the round before, near place i as a rule; NULL where it was not there. */
static const struct rerun_weight *find_weight(
	const struct rerun_backend *to, size_t i, const char *name)
{
	for (size_t k = 0; k < to->n_weights; k++) {
		const struct rerun_weight *weight = &to->weights[(i + k) % to->n_weights];

		if (strcmp(weight->name, name) == 0)
			return weight;
	}
	return NULL;
}

/* What has changed since the round before, when this one follows on it. */
static void count_changes(struct rerun_backend *to, const struct record *record,
	const struct record_backend *backend, const struct rerun_plan *plan)
{
	int64_t span_ms = record->now_ms - to->at_ms;

	if (to->rounds == 0 || span_ms <= 0 || span_ms / GAP_INTERVALS > backend->interval_ms)
		return;
	to->seconds += (double)span_ms / 1000.0;
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct rerun_weight *before = find_weight(to, i, backend->servers[i].name);

		if (!before)
			continue;
		to->changes_recorded += before->recorded != backend->servers[i].weight;
		to->changes += before->weight >= 0 && plan->weights[i] >= 0 &&
			       before->weight != plan->weights[i];
	}
}

/* Keeps the weights for the next round; false when out of memory, with none kept. */
static bool keep_weights(struct rerun_backend *to, const struct record_backend *backend,
	const struct rerun_plan *plan)
{
	size_t n = backend->n_servers;

	free_weights(to->weights, to->n_weights);
	to->n_weights = 0;
	to->weights = calloc(n + 1, sizeof(*to->weights));
	while (to->weights && to->n_weights < n) {
		struct rerun_weight *weight = &to->weights[to->n_weights];
		const struct record_server *server = &backend->servers[to->n_weights];

		weight->name = strdup(server->name);
		if (!weight->name)
			return false;
		weight->recorded = server->weight;
		weight->weight = plan->weights[to->n_weights++];
	}
	return to->weights != NULL;
}

static void count_differences(struct rerun_backend *to, const struct record_backend *backend,
	const struct rerun_plan *plan)
{
	double sum = 0.0;

	if (plan->mode == BACKEND_NOT_STEERED)
		return;
	to->planned++;
	to->fallbacks += plan->summary.fallback;
	for (size_t i = 0; i < backend->n_servers; i++) {
		int difference = abs(plan->weights[i] - backend->servers[i].weight);

		sum += difference;
		if (difference > to->largest_difference)
			to->largest_difference = difference;
	}
	if (backend->n_servers > 0)
		to->difference += sum / (double)backend->n_servers;
}

/* How the round stands, as it was recorded and whatever the settings make of it: what a record ends
 * with is what an operator asks. False when out of memory. */
static bool set_outlook(struct rerun_backend *to, const struct record *record,
	const struct record_backend *backend, struct rerun_plan *plan)
{
	const struct outlook_params foreseen =
		steer_outlook_params(&record->settings, backend->arrivals_per_s, backend->closing);
	const char *fullest = "";
	double highest = -1.0;
	double capacities = 0.0;
	size_t at = 0;

	to->arrivals_per_s = foreseen.arrivals_per_s;
	to->imbalance = backend->imbalance;
	to->n_pods = 0;
	to->connections = 0.0;
	for (size_t i = 0; i < backend->n_servers; i++) {
		const struct record_server *server = &backend->servers[i];
		double height = server->plan.count / server->input.capacity;

		plan->pods[i] = server->input;
		plan->results[i] = server->plan;
		if (server->plan.basis == PLANNER_DRAINING)
			continue;
		to->n_pods++;
		to->connections += server->plan.count;
		capacities += server->input.capacity;
		if (height > highest) {
			highest = height;
			at = i;
			fullest = server->name;
		}
	}
	to->surplus = to->n_pods > 0 ? backend->servers[at].plan.count -
					       to->connections / capacities *
						       backend->servers[at].input.capacity
				     : 0.0;
	to->outlook = outlook_of(&foreseen, plan->pods, plan->results, backend->n_servers);
	free(to->fullest);
	to->fullest = strdup(fullest);
	return to->fullest != NULL;
}

/* An agent that has just started knows few pods, and what they hold is no imbalance: rounds count
 * once all were heard, or were given the time in which a count is used. */
static bool is_settled(
	struct rerun_backend *to, const struct record *record, const struct record_backend *backend)
{
	bool restarted = to->rounds == 0 || record->now_ms < to->at_ms ||
			 (record->now_ms - to->at_ms) / GAP_INTERVALS > backend->interval_ms;
	bool all_heard = true;

	if (restarted) {
		to->settled = false;
		to->since_ms = record->now_ms;
	}
	for (size_t i = 0; i < backend->n_servers; i++)
		all_heard = all_heard && backend->servers[i].plan.basis != PLANNER_NEVER_HEARD;
	to->settled = to->settled || all_heard ||
		      record->now_ms - to->since_ms > record->settings.cache_ttl_ms;
	return to->settled && !backend->fallback;
}

static void count_imbalance(
	struct rerun_backend *to, const struct record *record, const struct record_backend *backend)
{
	if (!is_settled(to, record, backend))
		return;
	to->imbalance_rounds++;
	to->imbalance_sum += backend->imbalance;
	to->imbalance_peak = fmax(to->imbalance_peak, backend->imbalance);
}

static bool add_backend(
	struct rerun *rerun, const struct record *record, const struct record_backend *backend)
{
	struct rerun_backend *to = find_or_add_backend(rerun, backend->name);
	struct rerun_plan plan = {.pods = NULL};
	bool ok = to && rerun_plan_make(&rerun->settings, record, backend, &plan);

	if (ok) {
		count_changes(to, record, backend, &plan);
		count_differences(to, backend, &plan);
		to->mode = plan.mode;
		snprintf(to->algo, sizeof(to->algo), "%s", backend->algo);
		count_imbalance(to, record, backend);
		to->rounds++;
		to->fallbacks_recorded += backend->fallback;
		to->at_ms = record->now_ms;
		ok = keep_weights(to, backend, &plan) && set_outlook(to, record, backend, &plan);
	}
	rerun_plan_fini(&plan);
	return ok;
}

bool rerun_add(struct rerun *rerun, const struct record *record)
{
	for (size_t i = 0; i < record->n_backends; i++) {
		if (!add_backend(rerun, record, &record->backends[i]))
			return false;
	}
	return true;
}
