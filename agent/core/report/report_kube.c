/* SPDX-License-Identifier: MIT */
#include "core/report/report_kube.h"

static void add_service(
	struct jsonput *put, const struct report_view *view, const struct service_status *kube)
{
	const struct listwatch *watch = kube->watch;

	jsonput_object(put, NULL);
	jsonput_string(put, "namespace", kube->namespace);
	jsonput_string(put, "service", kube->service);
	jsonput_string(put, "proxy", kube->backend);
	jsonput_bool(put, "listed", watch->listed);
	jsonput_bool(put, "watching", kube->watching);
	jsonput_string_or_null(put, "error", kube->error);
	jsonput_bool(put, "misnamed", kube->misnamed);
	jsonput_string_or_null(put, "ports", kube->ports);
	jsonput_double_if(put, "heard_at", watch->listed, report_wall_s(view, watch->heard_ms));
	jsonput_number(put, "slices", (int64_t)kube->n_slices);
	jsonput_number(put, "endpoints_ready", (int64_t)kube->n_ready);
	jsonput_number(put, "endpoints_terminating", (int64_t)kube->n_terminating);
	jsonput_number(put, "endpoints_unready", (int64_t)kube->n_unready);
	jsonput_number(put, "servers_taken_over", (int64_t)kube->n_taken_over);
	jsonput_number(put, "slots_free", kube->free);
	jsonput_number(put, "slots_quarantined", kube->quarantined);
	jsonput_number(put, "servers_added", kube->added);
	jsonput_number(put, "pods_unplaced", kube->unplaced);
	jsonput_object_end(put);
}

void report_kube_json(struct jsonput *put, const struct report_view *view)
{
	if (view->n_kubernetes == 0)
		return;
	jsonput_array(put, "kubernetes");
	for (size_t i = 0; i < view->n_kubernetes; i++)
		add_service(put, view, &view->kubernetes[i]);
	jsonput_array_end(put);
}

static void labels(const struct promtext *text, const char *name, const struct service_status *kube)
{
	buf_printf(text->to, "%s{", name);
	promtext_label(text, "namespace", kube->namespace);
	buf_putc(text->to, ',');
	promtext_label(text, "service", kube->service);
	buf_putc(text->to, ',');
	promtext_label(text, "proxy", kube->backend);
}

/* One sample a Service; with a key, one more label of that value. */
static void sample(const struct promtext *text, const char *name, const struct service_status *kube,
	const char *key, const char *label, double value)
{
	labels(text, name, kube);
	if (key) {
		buf_putc(text->to, ',');
		promtext_label(text, key, label);
	}
	buf_puts(text->to, "} ");
	promtext_value(text, value);
}

static void write_endpoints(const struct promtext *text, const struct report_view *view)
{
	static const char name[] = "wsbalancer_kubernetes_endpoints";

	promtext_family(text, name, PROMTEXT_GAUGE, "Endpoints of the Service, by their state.");
	for (size_t i = 0; i < view->n_kubernetes; i++) {
		const struct service_status *kube = &view->kubernetes[i];

		sample(text, name, kube, "state", "ready", (double)kube->n_ready);
		sample(text, name, kube, "state", "terminating", (double)kube->n_terminating);
		sample(text, name, kube, "state", "unready", (double)kube->n_unready);
	}
	static const char unplaced[] = "wsbalancer_kubernetes_unplaced_pods";
	promtext_family(text, unplaced, PROMTEXT_GAUGE, "Ready pods without a server.");
	for (size_t i = 0; i < view->n_kubernetes; i++)
		sample(text, unplaced, &view->kubernetes[i], NULL, NULL,
			view->kubernetes[i].unplaced);
}

static void write_slots(const struct promtext *text, const struct report_view *view)
{
	static const char name[] = "wsbalancer_kubernetes_slots";

	promtext_family(text, name, PROMTEXT_GAUGE,
		"Server slots without a pod (free, or quarantined until empty), and servers added.");
	for (size_t i = 0; i < view->n_kubernetes; i++) {
		const struct service_status *kube = &view->kubernetes[i];

		sample(text, name, kube, "state", "free", kube->free);
		sample(text, name, kube, "state", "quarantined", kube->quarantined);
		sample(text, name, kube, "state", "added", kube->added);
	}
}

static void write_requests(const struct promtext *text, const struct report_view *view)
{
	static const char lists[] = "wsbalancer_kubernetes_lists_total";
	static const char ends[] = "wsbalancer_kubernetes_request_ends_total";

	promtext_family(text, "wsbalancer_kubernetes_lists", PROMTEXT_COUNTER,
		"Lists of the Service's endpoints that were taken.");
	for (size_t i = 0; i < view->n_kubernetes; i++)
		sample(text, lists, &view->kubernetes[i], NULL, NULL,
			(double)view->kubernetes[i].watch->lists);
	promtext_family(text, "wsbalancer_kubernetes_request_ends", PROMTEXT_COUNTER,
		"Ends of watches, and of lists that failed, by the reason.");
	for (size_t i = 0; i < view->n_kubernetes; i++) {
		for (size_t end = 0; end < LISTWATCH_ENDS; end++) {
			sample(text, ends, &view->kubernetes[i], "reason",
				listwatch_end_name((enum listwatch_end)end),
				(double)view->kubernetes[i].watch->ends[end]);
		}
	}
}

void report_kube_prom(const struct promtext *text, const struct report_view *view)
{
	static const char watching[] = "wsbalancer_kubernetes_watching";
	static const char misnamed[] = "wsbalancer_kubernetes_misnamed";
	static const char heard[] = "wsbalancer_kubernetes_last_heard_timestamp_seconds";

	if (view->n_kubernetes == 0)
		return;
	promtext_family(text, watching, PROMTEXT_GAUGE,
		"1 while a watch of the Service runs; else what was told last stands.");
	for (size_t i = 0; i < view->n_kubernetes; i++)
		sample(text, watching, &view->kubernetes[i], NULL, NULL,
			view->kubernetes[i].watching);
	promtext_family(text, misnamed, PROMTEXT_GAUGE,
		"1 where no pod can be found, by the Service's name or port.");
	for (size_t i = 0; i < view->n_kubernetes; i++)
		sample(text, misnamed, &view->kubernetes[i], NULL, NULL,
			view->kubernetes[i].misnamed);
	promtext_family(text, heard, PROMTEXT_GAUGE,
		"When the last list, event or bookmark came, since the epoch.");
	for (size_t i = 0; i < view->n_kubernetes; i++) {
		const struct listwatch *watch = view->kubernetes[i].watch;

		if (watch->listed)
			sample(text, heard, &view->kubernetes[i], NULL, NULL,
				(double)(view->wall_ms - view->now_ms + watch->heard_ms) / 1000.0);
	}
	write_endpoints(text, view);
	write_slots(text, view);
	write_requests(text, view);
}
