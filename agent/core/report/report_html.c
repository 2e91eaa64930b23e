/* SPDX-License-Identifier: MIT */
#include "core/report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/report/page_data.h"
#include "core/report/report_html_pods.h"
#include "core/report/report_kube.h"
#include "core/report/report_rows.h"

/*
 * page.html has {{name}} where one of the writers below is called. page.js fetches the JSON and
 * overwrites what they wrote, with the same words.
 */
struct page {
	struct buf *to;
	const struct report_view *view;
	const struct report_rows *rows;
};

static void write_style(const struct page *page)
{
	buf_puts(page->to, page_css);
}

static void write_script(const struct page *page)
{
	buf_puts(page->to, page_js);
}

static void write_refresh(const struct page *page)
{
	buf_printf(page->to, "%u", page->view->refresh_s);
}

static void write_version(const struct page *page)
{
	text_write_html(page->to, page->view->version);
}

static void write_time(const struct page *page)
{
	char text[TEXT_TIME_SIZE];

	buf_printf(page->to, "%s UTC",
		text_format_time_plain(page->view->wall_ms, text, sizeof(text)));
}

/* before and after are markup of our own, name is foreign. */
static void write_notice(
	struct buf *to, const char *look, const char *before, const char *name, const char *after)
{
	buf_printf(to, "<p class=\"notice %s\">%s", look, before);
	text_write_html(to, name);
	buf_printf(to, "%s</p>", after);
}

static void write_kubernetes_notices(const struct page *page)
{
	const struct report_view *view = page->view;

	for (size_t i = 0; i < view->n_kubernetes; i++) {
		const struct service_status *kube = &view->kubernetes[i];

		if (!kube->error[0])
			continue;
		buf_puts(page->to,
			"<p class=\"notice warn\">Kubernetes does not tell of the Service ");
		text_write_html(page->to, kube->service);
		buf_puts(page->to, ": ");
		text_write_html(page->to, kube->error);
		buf_puts(page->to, ". Below are the pods that were known last.</p>");
	}
}

static void write_notices(const struct page *page)
{
	const struct report_view *view = page->view;
	const char *error = view->stats->haproxy_error;
	size_t n;
	struct backend *const *backends = cluster_backends(view->cluster, &n);

	if (!view->stats->haproxy_reached && !cluster_settings(view->cluster)->agent_check_only) {
		write_notice(page->to, "bad",
			error[0] ? "HAProxy does not answer: " : "HAProxy does not answer", error,
			".");
	} else if (!view->ready) {
		write_notice(page->to, "warn", "Not ready: the first round of polls is not done.",
			"", "");
	}
	if (view->dry_run) {
		write_notice(page->to, "calm",
			"Dry run: weights are planned and shown, and none is sent to HAProxy.", "",
			"");
	}
	for (size_t i = 0; i < n; i++) {
		if (report_is_planned(backends[i]) && backends[i]->summary.fallback) {
			write_notice(page->to, "warn", "Backend ", backends[i]->name,
				": fewer than half of its pods are known. All weights are as "
				"configured.");
		}
	}
	write_kubernetes_notices(page);
}

static void write_connections(const struct page *page)
{
	report_html_number(page->to, page->rows->totals.connections);
}

static void write_connections_note(const struct page *page)
{
	size_t n = page->rows->n_services;

	report_html_number(page->to, page->rows->totals.own_sessions);
	buf_printf(page->to, " own, in %zu service%s", n, n == 1 ? "" : "s");
}

static void write_imbalance(const struct page *page)
{
	if (page->rows->totals.planned)
		buf_printf(page->to, "%.1f %%", 100.0 * page->rows->totals.imbalance);
	else
		buf_puts(page->to, "&ndash;");
}

static void write_pods(const struct page *page)
{
	report_html_number(page->to, page->rows->totals.n_known);
	buf_puts(page->to, " of ");
	report_html_number(page->to, page->rows->totals.n_pods);
}

static void write_pods_note(const struct page *page)
{
	const struct report_totals *totals = &page->rows->totals;
	const struct {
		size_t n;
		const char *word;
	} notes[] = {
		{totals->n_stale, "stale"},
		{totals->n_never_heard, "never heard"},
		{totals->n_disbelieved, "disbelieved"},
		{totals->n_draining, "draining"},
	};
	const char *comma = "";

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		if (notes[i].n == 0)
			continue;
		buf_printf(page->to, "%s%zu %s", comma, notes[i].n, notes[i].word);
		comma = ", ";
	}
	if (!comma[0]) {
		report_html_number(page->to, totals->n_ready);
		buf_puts(page->to, " take new connections");
	}
}

static void write_plan(const struct page *page)
{
	const struct report_totals *totals = &page->rows->totals;
	char text[40];

	if (totals->planned) {
		buf_printf(page->to, "%s ago",
			report_age((double)(page->view->now_ms - totals->planned_ms) / 1000.0, text,
				sizeof(text)));
	} else {
		buf_puts(page->to, "&ndash;");
	}
}

static void write_plan_note(const struct page *page)
{
	unsigned replicas = cluster_settings(page->view->cluster)->replicas;

	buf_puts(page->to, page->view->dry_run ? "dry run: nothing is sent" : "weights are sent");
	if (replicas > 1)
		buf_printf(page->to, ", %u HAProxies", replicas);
}

/* The version without the distribution's suffix. */
static void write_haproxy(const struct page *page)
{
	char version[64];

	snprintf(version, sizeof(version), "%s", cluster_info(page->view->cluster)->version);
	version[strcspn(version, "-")] = '\0';
	if (version[0])
		text_write_html(page->to, version);
	else
		buf_puts(page->to, "&ndash;");
}

static void write_haproxy_note(const struct page *page)
{
	const struct report_view *view = page->view;
	uint64_t reloads = cluster_counters(view->cluster)->reloads;
	double age_s = (double)(view->now_ms - cluster_updated_ms(view->cluster)) / 1000.0;
	char text[40];

	if (cluster_settings(view->cluster)->agent_check_only) {
		buf_puts(page->to, "agent-check alone");
		return;
	}
	if (!view->stats->haproxy_reached) {
		buf_puts(page->to, "does not answer");
		return;
	}
	age_s += (double)cluster_info(view->cluster)->uptime_s;
	buf_printf(page->to, "up %s, %" PRIu64 " reload%s seen",
		report_age(age_s, text, sizeof(text)), reloads, reloads == 1 ? "" : "s");
}

static void write_services(const struct page *page)
{
	for (size_t i = 0; i < page->rows->n_services; i++)
		report_html_service(page->to, page->view, page->rows, &page->rows->services[i]);
}

static const struct {
	const char *name;
	void (*write)(const struct page *page);
} writers[] = {
	{"style", write_style},
	{"script", write_script},
	{"refresh", write_refresh},
	{"version", write_version},
	{"time", write_time},
	{"notices", write_notices},
	{"connections", write_connections},
	{"connections_note", write_connections_note},
	{"imbalance", write_imbalance},
	{"pods", write_pods},
	{"pods_note", write_pods_note},
	{"plan", write_plan},
	{"plan_note", write_plan_note},
	{"haproxy", write_haproxy},
	{"haproxy_note", write_haproxy_note},
	{"services", write_services},
};

static void write_named(const struct page *page, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (strlen(writers[i].name) == len && memcmp(writers[i].name, name, len) == 0) {
			writers[i].write(page);
			return;
		}
	}
}

static void write_page(const struct page *page)
{
	const char *at = page_html;

	for (const char *open; (open = strstr(at, "{{"));) {
		const char *close = strstr(open, "}}");

		if (!close)
			break;
		buf_append(page->to, at, (size_t)(open - at));
		write_named(page, open + 2, (size_t)(close - open - 2));
		at = close + 2;
	}
	buf_puts(page->to, at);
}

struct buf report_html_write(const struct report_view *view)
{
	struct buf text = {0};
	struct report_rows rows;

	if (report_rows_init(&rows, view)) {
		struct page page = {&text, view, &rows};

		write_page(&page);
		report_rows_fini(&rows);
	}
	if (text.failed)
		buf_fini(&text);
	return text;
}

char *report_html_policy(char *buf, size_t size)
{
	snprintf(buf, size,
		"default-src 'none'; script-src '%s'; style-src '%s'; connect-src 'self'; "
		"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		page_js_hash, page_css_hash);
	return buf;
}
