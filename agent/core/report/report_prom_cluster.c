/* SPDX-License-Identifier: MIT */
#include "core/report/report_prom_cluster.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static double connections_of(const struct report_view *view, const struct report_row *row)
{
	(void)view;
	return row->connections;
}

static double own_of(const struct report_view *view, const struct report_row *row)
{
	(void)view;
	return row->server->sessions.own;
}

static double level_of(const struct report_view *view, const struct report_row *row)
{
	(void)view;
	return row->level >= 0.0 ? row->level : (double)NAN;
}

static double target_of(const struct report_view *view, const struct report_row *row)
{
	(void)view;
	return row->planned ? row->server->plan.result.target : (double)NAN;
}

static double weight_of(const struct report_view *view, const struct report_row *row)
{
	(void)view;
	return row->planned ? row->server->plan.weight : (double)NAN;
}

static double haproxy_weight_of(const struct report_view *view, const struct report_row *row)
{
	(void)view;
	return row->server->haproxy.uweight;
}

static double last_success_of(const struct report_view *view, const struct report_row *row)
{
	const struct pod *pod = row->server->pod;

	return pod->heard ? report_wall_s(view, pod->heard_ms) : (double)NAN;
}

static double poll_success_of(const struct report_view *view, const struct report_row *row)
{
	const struct pod *pod = row->server->pod;

	(void)view;
	return pod->polled_ms > 0 ? pod->outcome == METRIC_OK : (double)NAN;
}

/* Families with a sample for each server; NaN: none. */
static const struct {
	const char *name;
	const char *help;
	double (*value)(const struct report_view *view, const struct report_row *row);
} server_families[] = {
	{"wsbalancer_server_connections",
		"Connections of the server's pod: its own word, else what the plan reckons.",
		connections_of},
	{"wsbalancer_server_own_sessions", "Sessions that this HAProxy holds on the server.",
		own_of},
	{"wsbalancer_server_level_connections", "Connections that the server's pod should come to.",
		level_of},
	{"wsbalancer_server_target_sessions",
		"By stock, sessions that this HAProxy should hold on the server; by flow, its part "
		"of "
		"the new ones.",
		target_of},
	{"wsbalancer_server_weight", "Weight that the plan wants.", weight_of},
	{"wsbalancer_server_haproxy_weight", "Weight in HAProxy now.", haproxy_weight_of},
	{"wsbalancer_server_last_success_timestamp_seconds",
		"When the pod last answered well, since the epoch.", last_success_of},
	{"wsbalancer_server_last_poll_success",
		"1 when the last poll of the pod went well, else 0.", poll_success_of},
};

enum { N_FAMILIES = sizeof(server_families) / sizeof(server_families[0]) };

static const char state_name[] = "wsbalancer_server_state";

/* Behind the families above, which have numbers, one whose value is a label. */
static void write_family(const struct promtext *text, size_t i)
{
	if (i < N_FAMILIES) {
		promtext_family(
			text, server_families[i].name, PROMTEXT_GAUGE, server_families[i].help);
	} else {
		promtext_family(text, state_name, PROMTEXT_GAUGE,
			"1 for what the server's weight rests on, or why it is not steered.");
	}
}

size_t report_prom_n_server_lines(const struct report_rows *rows)
{
	return (N_FAMILIES + 1) * rows->n_rows;
}

void report_prom_no_servers(const struct promtext *text)
{
	for (size_t i = 0; i <= N_FAMILIES; i++)
		write_family(text, i);
}

/* The braces stay open for a further label. */
static void write_row_labels(const struct promtext *text, const struct report_row *row)
{
	const struct pod *pod = row->server->pod;
	const char *name = pod_name(pod);

	buf_putc(text->to, '{');
	promtext_label(text, "proxy", row->backend->name);
	buf_putc(text->to, ',');
	promtext_label(text, "server", row->server->name);
	buf_putc(text->to, ',');
	/* A pod without a name is known by its address. */
	promtext_label(text, "pod", name[0] ? name : pod->key);
	buf_putc(text->to, ',');
	promtext_label(text, "node", pod_node(pod));
}

/*
 * One block: where each row's labels end, and behind that all labels. Each is written once and
 * copied into every series, so that a pod whose name comes or goes meanwhile has one name.
 */
bool report_prom_server_labels(const struct report_rows *rows, void **own)
{
	size_t head = (rows->n_rows + 1) * sizeof(size_t);
	struct buf block = {.bytes = NULL};
	struct promtext text = {.to = &block};
	char *at = buf_reserve(&block, head);

	if (!at)
		return false;
	block.len = head;
	for (size_t i = 0; i < rows->n_rows; i++) {
		memcpy(block.bytes + i * sizeof(size_t), &block.len, sizeof(size_t));
		write_row_labels(&text, &rows->rows[i]);
		if (block.failed)
			break;
	}
	if (!block.failed)
		memcpy(block.bytes + rows->n_rows * sizeof(size_t), &block.len, sizeof(size_t));
	*own = buf_finish(&block, NULL);
	return *own != NULL;
}

static void write_labels(const struct promtext *text, const void *own, size_t row)
{
	const size_t *ends = own;

	buf_append(text->to, (const char *)own + ends[row], ends[row + 1] - ends[row]);
}

void report_prom_server_line(const struct promtext *text, const struct report_view *view,
	const struct report_rows *rows, const void *own, size_t i)
{
	size_t family = i / rows->n_rows;
	const struct report_row *row = &rows->rows[i % rows->n_rows];
	double value;

	if (row == rows->rows)
		write_family(text, family);
	if (family == N_FAMILIES) {
		buf_append(text->to, state_name, sizeof(state_name) - 1);
		write_labels(text, own, i % rows->n_rows);
		buf_puts(text->to, ",state=\"");
		buf_puts(text->to, report_state_label(row->state));
		buf_puts(text->to, "\"} 1\n");
		return;
	}
	value = server_families[family].value(view, row);
	if (isnan(value))
		return;
	buf_puts(text->to, server_families[family].name);
	write_labels(text, own, i % rows->n_rows);
	buf_append(text->to, "} ", 2);
	promtext_decimal(text, value);
}

void report_prom_not_asked(const struct promtext *text, const struct report_view *view)
{
	size_t n;
	const struct backend *const *backends = cluster_backends(view->cluster, &n);

	promtext_family(text, "wsbalancer_server_not_asked", PROMTEXT_GAUGE,
		"1 for a server that nobody can ask, which is left alone, with the reason.");
	for (size_t b = 0; b < n; b++) {
		for (size_t s = 0; s < backends[b]->n_servers; s++) {
			const struct server *server = backends[b]->servers[s];

			if (server->unasked == SERVER_ASKED)
				continue;
			buf_puts(text->to, "wsbalancer_server_not_asked{");
			promtext_label(text, "proxy", backends[b]->name);
			buf_putc(text->to, ',');
			promtext_label(text, "server", server->name);
			buf_printf(text->to, ",reason=\"%s\"} 1\n",
				server_unasked_label(server->unasked));
		}
	}
}

static double imbalance_of(const struct report_view *view, const struct backend *backend)
{
	(void)view;
	return backend->summary.imbalance;
}

static double backend_level_of(const struct report_view *view, const struct backend *backend)
{
	(void)view;
	return backend->summary.level;
}

static double missing_of(const struct report_view *view, const struct backend *backend)
{
	(void)view;
	return backend->outlook.deficit;
}

static double arrivals_of(const struct report_view *view, const struct backend *backend)
{
	(void)view;
	return backend->arrivals.rated ? backend->arrivals.per_second : (double)NAN;
}

static double fallback_of(const struct report_view *view, const struct backend *backend)
{
	(void)view;
	return backend->summary.fallback;
}

static double plan_time_of(const struct report_view *view, const struct backend *backend)
{
	return report_wall_s(view, backend->planned_ms);
}

/* Families with a sample for each backend that is planned; NaN: none. */
static const struct {
	const char *name;
	const char *help;
	double (*value)(const struct report_view *view, const struct backend *backend);
} backend_families[] = {
	{"wsbalancer_backend_imbalance_ratio",
		"How far the fullest pod is above the mean: max/mean - 1.", imbalance_of},
	{"wsbalancer_backend_level_connections",
		"Connections for each unit of capacity that all pods should come to.",
		backend_level_of},
	{"wsbalancer_backend_missing_connections",
		"Connections that pods below the level lack to it.", missing_of},
	{"wsbalancer_backend_arrivals_per_second",
		"New connections a second through this HAProxy, smoothed.", arrivals_of},
	{"wsbalancer_backend_fallback",
		"1 while fewer than half of the pods are known and all weights are as configured.",
		fallback_of},
	{"wsbalancer_backend_last_plan_timestamp_seconds",
		"When the backend was last planned, since the epoch.", plan_time_of},
};

/* How many servers are in each state: what alerts ask, without a series a pod. */
static void write_server_counts(const struct promtext *text, const struct report_view *view,
	const struct backend *const *backends, size_t n)
{
	promtext_family(text, "wsbalancer_backend_servers", PROMTEXT_GAUGE,
		"Servers of the backend by what their weight rests on.");
	for (size_t i = 0; i < n; i++) {
		size_t sums[REPORT_N_STATES] = {0};

		for (size_t j = 0; j < backends[i]->n_servers; j++)
			sums[report_state_of(view, backends[i]->servers[j])]++;
		for (int k = 0; k < REPORT_N_STATES; k++) {
			buf_puts(text->to, "wsbalancer_backend_servers{");
			promtext_label(text, "proxy", backends[i]->name);
			buf_printf(text->to, ",state=\"%s\"} %zu\n",
				report_state_label((enum report_state)k), sums[k]);
		}
	}
}

/* A sample of the histogram: its name's end, and the bound's label or NULL. */
static void write_weight_sample(const struct promtext *text, const struct backend *backend,
	const char *end, const char *bound, uint64_t value)
{
	buf_printf(text->to, "wsbalancer_backend_planned_weight_%s{", end);
	promtext_label(text, "proxy", backend->name);
	if (bound)
		buf_printf(text->to, ",le=\"%s\"", bound);
	buf_printf(text->to, "} %" PRIu64 "\n", value);
}

static void write_weights(const struct promtext *text, const struct backend *backend)
{
	const struct backend_tally *tally = &backend->tally;
	uint64_t sum = 0;
	char bound[16];

	for (size_t i = 0; i < BACKEND_N_WEIGHT_BOUNDS; i++) {
		sum += tally->by_size[i];
		snprintf(bound, sizeof(bound), "%d.0", backend_weight_bounds[i]);
		write_weight_sample(text, backend, "bucket", bound, sum);
	}
	write_weight_sample(text, backend, "bucket", "+Inf", tally->weights);
	write_weight_sample(text, backend, "sum", NULL, tally->weights_sum);
	write_weight_sample(text, backend, "count", NULL, tally->weights);
}

/* The weights that plans gave, and what they rested on, since each backend is known. */
static void write_tallies(
	const struct promtext *text, const struct backend *const *backends, size_t n)
{
	static const enum report_state states[] = {
		[PLANNER_HEARD] = REPORT_HEARD,
		[PLANNER_STALE] = REPORT_STALE,
		[PLANNER_NEVER_HEARD] = REPORT_NEVER_HEARD,
		[PLANNER_DISBELIEVED] = REPORT_DISBELIEVED,
		[PLANNER_DRAINING] = REPORT_DRAINING,
	};

	promtext_family(text, "wsbalancer_backend_planned_weight", PROMTEXT_HISTOGRAM,
		"Weights that plans gave to servers.");
	for (size_t i = 0; i < n; i++)
		write_weights(text, backends[i]);
	promtext_family(text, "wsbalancer_backend_server_plans", PROMTEXT_COUNTER,
		"Plans of a server's weight, by what they rested on.");
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof(states) / sizeof(states[0]); k++) {
			buf_puts(text->to, "wsbalancer_backend_server_plans_total{");
			promtext_label(text, "proxy", backends[i]->name);
			buf_printf(text->to, ",state=\"%s\"} %" PRIu64 "\n",
				report_state_label(states[k]), backends[i]->tally.by_basis[k]);
		}
	}
	promtext_family(text, "wsbalancer_backend_fallback_plans", PROMTEXT_COUNTER,
		"Plans that gave the configured weights, for want of known pods.");
	for (size_t i = 0; i < n; i++) {
		buf_puts(text->to, "wsbalancer_backend_fallback_plans_total{");
		promtext_label(text, "proxy", backends[i]->name);
		buf_printf(text->to, "} %" PRIu64 "\n", backends[i]->tally.fallbacks);
	}
}

/* One sample a backend, with the verdict's label; and how long until balance, where that is known.
 */
static void write_verdicts(
	const struct promtext *text, const struct report_view *view, const struct report_rows *rows)
{
	const struct report_backends *backends = &rows->backends;

	promtext_family(text, "wsbalancer_backend_verdict", PROMTEXT_GAUGE,
		"1 for how the backend stands.");
	for (size_t i = 0; i < backends->n; i++) {
		buf_puts(text->to, "wsbalancer_backend_verdict{");
		promtext_label(text, "proxy", backends->list[i].backend->name);
		buf_printf(text->to, ",state=\"%s\"} 1\n",
			verdict_state_label(backends->list[i].verdict.state));
	}
	promtext_family(text, "wsbalancer_backend_balance_seconds", PROMTEXT_GAUGE,
		"Time until every pod is near its level, as far as it can be foreseen.");
	for (size_t i = 0; i < backends->n; i++) {
		const struct backend *backend = backends->list[i].backend;

		double seconds = report_outlook(view, backend).seconds;

		if (!report_is_planned(view, backend) || isinf(seconds))
			continue;
		buf_puts(text->to, "wsbalancer_backend_balance_seconds{");
		promtext_label(text, "proxy", backend->name);
		buf_puts(text->to, "} ");
		promtext_value(text, seconds);
	}
}

void report_prom_backends(
	const struct promtext *text, const struct report_view *view, const struct report_rows *rows)
{
	size_t n;
	const struct backend *const *backends = cluster_backends(view->cluster, &n);

	promtext_family(text, "wsbalancer_backend", PROMTEXT_INFO,
		"The backend's algorithm and how its weights are planned.");
	for (size_t i = 0; i < n; i++) {
		buf_puts(text->to, "wsbalancer_backend_info{");
		promtext_label(text, "proxy", backends[i]->name);
		buf_putc(text->to, ',');
		promtext_label(text, "algo", backends[i]->algo);
		buf_printf(text->to, ",mode=\"%s\"} 1\n", backend_mode_name(backends[i]->mode));
	}
	write_verdicts(text, view, rows);
	write_server_counts(text, view, backends, n);
	write_tallies(text, backends, n);
	for (size_t i = 0; i < sizeof(backend_families) / sizeof(backend_families[0]); i++) {
		promtext_family(
			text, backend_families[i].name, PROMTEXT_GAUGE, backend_families[i].help);
		for (size_t j = 0; j < n; j++) {
			double value = report_is_planned(view, backends[j])
					       ? backend_families[i].value(view, backends[j])
					       : (double)NAN;

			if (isnan(value))
				continue;
			buf_printf(text->to, "%s{", backend_families[i].name);
			promtext_label(text, "proxy", backends[j]->name);
			buf_puts(text->to, "} ");
			promtext_value(text, value);
		}
	}
}
