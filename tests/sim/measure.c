/* SPDX-License-Identifier: MIT */
/* Imbalance, shares and limits. */
#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { SHARE_MIN_ARRIVALS = 20 };
static const double SETTLED = 0.05;

bool measure_init(struct measure *measure, size_t n_pods, size_t n_servers, size_t n_instances)
{
	*measure = (struct measure){
		.n_pods = n_pods,
		.taken = calloc(n_pods, sizeof(*measure->taken)),
		.limits = calloc(n_servers * n_instances, sizeof(*measure->limits)),
		.arrived_at = calloc(n_instances, sizeof(*measure->arrived_at)),
		.last_over_ms = -1,
	};
	return measure->taken && measure->limits && measure->arrived_at;
}

void measure_fini(struct measure *measure)
{
	free(measure->taken);
	free(measure->limits);
	free(measure->arrived_at);
	memset(measure, 0, sizeof(*measure));
}

/* The part of new connections that the pod may take, as the settings say. */
static double limit_of(const struct world *world, const struct sim_pod *pod)
{
	const struct scenario_case *what = world->scenario->what;
	double limit = what->max_share > 0.0 ? what->max_share : 1.0;
	double age = (double)(world->now_ms - pod->since_ms) / 1000.0;

	return age < what->ramp_s ? limit * age / what->ramp_s : limit;
}

static void account_limits(struct world *world, unsigned instance, int taker)
{
	const struct scenario_case *what = world->scenario->what;
	int slot = taker < 0 ? -1 : taker % (int)world->n_slots;

	/* However many servers lead to a pod, it has one limit. */
	for (size_t i = 0; i < world->n_slots; i++) {
		const struct sim_pod *pod = &world->pods[world->servers[i].pod];
		double limit = limit_of(world, pod);
		struct measure_limit *account =
			&world->measure.limits[instance * world->n_slots + i];

		/* A pod that has no limit any more starts a new account. */
		if (!pod->in_service || (limit >= 1.0 && what->max_share <= 0.0)) {
			account->balance = account->least = 0.0;
			continue;
		}
		account->balance += ((int)i == slot) - limit;
		account->worst = fmax(account->worst, account->balance - account->least);
		account->least = fmin(account->least, account->balance);
	}
}

void measure_taken(struct world *world, unsigned instance, int server)
{
	struct measure *measure = &world->measure;

	if (server >= 0)
		measure->taken[world->servers[server].pod]++;
	measure->arrived++;
	if (++measure->arrived_at[instance] > measure->peak_arrivals)
		measure->peak_arrivals = measure->arrived_at[instance];
	if (world->scenario->what->ramp_s > 0 || world->scenario->what->max_share > 0.0)
		account_limits(world, instance, server);
}

static double imbalance(const struct world *world)
{
	double highest = 0.0;
	double counts = 0.0;
	double capacities = 0.0;

	for (size_t i = 0; i < world->n_pods; i++) {
		const struct sim_pod *pod = &world->pods[i];

		if (!pod->in_service)
			continue;
		highest = fmax(highest, pod->count / pod->capacity);
		counts += pod->count;
		capacities += pod->capacity;
	}
	return counts > 0.0 ? highest / (counts / capacities) - 1.0 : 0.0;
}

static void close_second(struct measure *measure, bool counts)
{
	if (measure->arrived < SHARE_MIN_ARRIVALS)
		return;
	for (size_t i = 0; i < measure->n_pods; i++) {
		if (counts)
			measure->peak_share = fmax(
				measure->peak_share, (double)measure->taken[i] / measure->arrived);
		measure->taken[i] = 0;
	}
	measure->arrived = 0;
}

void measure_sample(struct world *world)
{
	struct measure *measure = &world->measure;
	const struct scenario_case *what = world->scenario->what;
	bool counts = world->now_ms >= (int64_t)what->from_s * 1000;
	double now = imbalance(world);

	close_second(measure, counts);
	memset(measure->arrived_at, 0, world->n_instances * sizeof(*measure->arrived_at));
	if (!counts) {
		measure->writes = 0;
		return;
	}
	measure->sum += now;
	measure->samples++;
	measure->peak_imbalance = fmax(measure->peak_imbalance, now);
	if (now >= SETTLED)
		measure->last_over_ms = world->now_ms;
}

void measure_finish(const struct world *world, struct measure_result *result)
{
	const struct measure *measure = &world->measure;
	const struct scenario_case *what = world->scenario->what;
	int64_t event_ms = (int64_t)what->event_s * 1000;

	*result = (struct measure_result){
		.mean_imbalance = measure->sum / (double)measure->samples,
		.peak_imbalance = measure->peak_imbalance,
		.settle_s = measure->last_over_ms < event_ms
				    ? 0.0
				    : (double)(measure->last_over_ms + 1 - event_ms) / 1000.0,
		.peak_share = measure->peak_share,
		.peak_arrivals = measure->peak_arrivals,
		.writes_per_s = (double)measure->writes / world->n_instances /
				(what->length_s - what->from_s),
	};
	if (measure->last_over_ms >= world->end_ms - 1000)
		result->settle_s = -1.0;
	for (size_t i = 0; i < world->n_instances * world->n_slots; i++)
		result->excess = fmax(result->excess, measure->limits[i].worst);
}
