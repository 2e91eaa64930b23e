/* SPDX-License-Identifier: MIT */
#include "core/metric/metric_query.h"

#include <math.h>
#include <string.h>

void metric_query_fini(struct metric_query *query)
{
	for (size_t role = 0; role < METRIC_N_ROLES; role++)
		metric_key_fini(&query->keys[role]);
}

bool metric_query_parse(const struct metric_words *words, struct metric_query *query,
	enum metric_role *bad, struct why *why)
{
	struct metric_query out = {.format = words->format, .max_bytes = (size_t)words->max_bytes};

	if (out.max_bytes == 0)
		out.max_bytes = words->format == METRIC_PROMETHEUS ? METRIC_PROMETHEUS_MAX
								   : METRIC_JSON_MAX;
	for (unsigned role = 0; role < METRIC_N_ROLES; role++) {
		const char *text = words->keys[role];

		if (!text || (role != METRIC_ROLE_COUNT && !*text))
			continue;
		if (!metric_key_parse(text, words->format, &out.keys[role], why)) {
			*bad = (enum metric_role)role;
			metric_query_fini(&out);
			return false;
		}
	}
	*query = out;
	return true;
}

size_t metric_query_n_terms(const struct metric_query *query)
{
	size_t n = 0;

	for (size_t role = 0; role < METRIC_N_ROLES; role++)
		n += query->keys[role].n_terms;
	return n;
}

static bool as_count(double sum, uint32_t *count)
{
	if (!(sum >= 0.0 && sum <= (double)INT32_MAX) || sum != floor(sum))
		return false;
	*count = (uint32_t)sum;
	return true;
}

/* The value at a key that a pod may leave out. False: something stands there that is no number. */
static bool read_optional(const struct metric_key *key, const struct metric_found *found,
	bool *is_there, double *value)
{
	struct metric_total total;
	enum metric_outcome outcome;

	*is_there = false;
	if (key->n_terms == 0)
		return true;
	outcome = metric_key_total(key, found, &total);
	if (outcome == METRIC_NO_KEY || (outcome == METRIC_OK && total.unsampled != 0))
		return true;
	if (outcome != METRIC_OK)
		return false;
	*is_there = true;
	*value = total.sum;
	return true;
}

static void answer_draining(
	const struct metric_key *key, const struct metric_found *found, struct metric *metric)
{
	bool is_there;
	double value;

	metric->odd_draining = !read_optional(key, found, &is_there, &value) ||
			       (is_there && value != 0.0 && value != 1.0);
	if (is_there && !metric->odd_draining)
		metric->draining = value != 0.0;
}

static void answer_capacity(
	const struct metric_key *key, const struct metric_found *found, struct metric *metric)
{
	bool is_there;
	double value;

	/* Bounds that keep every sum of 10,000 capacities an ordinary number. */
	metric->odd_capacity = !read_optional(key, found, &is_there, &value) ||
			       (is_there && !(value >= 1e-3 && value <= 1e9));
	if (is_there && !metric->odd_capacity)
		metric->capacity = value;
}

enum metric_outcome metric_query_answer(
	const struct metric_query *query, const struct metric_found *found, struct metric *out)
{
	const struct metric_key *keys = query->keys;
	struct metric metric = {.count = 0};
	struct metric_total total;
	enum metric_outcome outcome = metric_key_total(&keys[METRIC_ROLE_COUNT], found, &total);

	if (outcome != METRIC_OK)
		return outcome;
	if (!as_count(total.sum, &metric.count))
		return METRIC_NOT_A_COUNT;
	metric.sampled = total.sampled;
	metric.unsampled = total.unsampled;
	found += keys[METRIC_ROLE_COUNT].n_terms;
	answer_draining(&keys[METRIC_ROLE_DRAINING], found, &metric);
	found += keys[METRIC_ROLE_DRAINING].n_terms;
	answer_capacity(&keys[METRIC_ROLE_CAPACITY], found, &metric);
	*out = metric;
	return METRIC_OK;
}
