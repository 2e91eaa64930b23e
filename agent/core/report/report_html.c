/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/report/page_data.h"
#include "core/report/report_facts.h"
#include "core/report/report_html_pods.h"
#include "core/report/report_parts.h"

/*
 * page.html has {{name}} where one of the writers below is called: a whole page without JavaScript.
 * page.js fetches the JSON and overwrites what they wrote, with the same words.
 */
struct page {
	struct buf *to;
	const struct report_view *view;
	const struct report_rows *rows;
};

enum { NEEDS_MAX = 3 }; /* pods that are named; more are counted */

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

/* Each by its host and port: what tells them apart. */
static void write_peers(const struct page *page)
{
	const struct cluster_settings *settings = cluster_settings(page->view->cluster);

	for (size_t i = 0; i < settings->n_peers; i++) {
		const char *host = strstr(settings->peers[i], "://") + 3;
		char name[REPORT_URL_SIZE];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, "/?#"), host);
		buf_puts(page->to, "\n\t\t<a class=\"peer\" href=\"");
		text_write_html(page->to, settings->peers[i]);
		buf_puts(page->to, "\" title=\"The page of another HAProxy\">");
		text_write_html(page->to, name);
		buf_puts(page->to, "</a>");
	}
}

static void write_time(const struct page *page)
{
	char text[TEXT_TIME_SIZE];

	buf_printf(page->to, "%s UTC",
		text_format_time_plain(page->view->wall_ms, text, sizeof(text)));
}

static void write_title(const struct page *page)
{
	const struct report_backend *worst = page->rows->backends.worst;

	if (worst) {
		text_write_html(page->to, worst->verdict.text);
		buf_puts(page->to, " \xc2\xb7 ");
	}
	buf_puts(page->to, "wsbalancer");
}

/* ---- the verdict ---- */

static void write_term(struct buf *to, const char *name, const char *text)
{
	if (!text[0])
		return;
	buf_printf(to, "<dt>%s</dt><dd>", name);
	text_write_html(to, text);
	buf_puts(to, "</dd>");
}

static void write_verdict(struct buf *to, const struct verdict *verdict)
{
	buf_printf(to, "<article class=\"card verdict %s%s\"><h2>",
		verdict_state_label(verdict->state),
		verdict->state == VERDICT_LEFT_ALONE ? " minor" : "");
	text_write_html(to, verdict->text);
	buf_puts(to, "</h2>");
	if (verdict->state != VERDICT_LEFT_ALONE) {
		buf_puts(to, "<dl>");
		write_term(to, "Now", verdict->now);
		write_term(to, "Why", verdict->why);
		write_term(to, "How", verdict->how);
		write_term(to, "You", verdict->you);
		buf_puts(to, "</dl>");
	}
	buf_puts(to, "</article>");
}

/* A backend that is left alone is worth a word only where there is no other. */
static void write_verdicts(const struct page *page)
{
	const struct report_backends *backends = &page->rows->backends;
	bool all_alone = !backends->worst || backends->worst->verdict.state == VERDICT_LEFT_ALONE;

	for (size_t i = 0; i < backends->n; i++) {
		if (backends->list[i].selected &&
			(all_alone || backends->list[i].verdict.state != VERDICT_LEFT_ALONE))
			write_verdict(page->to, &backends->list[i].verdict);
	}
}

/* ---- pods that need somebody ---- */

static void write_needs_look(const struct page *page)
{
	if (report_rows_n_needs(page->rows) > 0)
		buf_puts(page->to, " bad");
}

static void write_need(const struct page *page, const struct report_row *row)
{
	const char *remedy = report_remedy(page->view, row->server);
	char why[REPORT_WHY_SIZE];

	buf_puts(page->to, "<li><span class=\"name\">");
	text_write_html(page->to, report_pod_name(row->server));
	buf_puts(page->to, "</span><span>");
	text_write_html(page->to, report_why(page->view, row->server, why, sizeof(why)));
	if (remedy[0]) {
		buf_puts(page->to, ": ");
		text_write_html(page->to, remedy);
	}
	buf_puts(page->to, "</span></li>");
}

static void write_needs(const struct page *page)
{
	size_t n = report_rows_n_needs(page->rows);
	size_t n_most = n > NEEDS_MAX ? NEEDS_MAX - 1 : NEEDS_MAX;
	size_t n_told = 0;
	char title[80];

	buf_printf(page->to, "<h2 id=\"needs-title\">%s</h2><ul aria-labelledby=\"needs-title\">",
		report_needs_title(n, title, sizeof(title)));
	for (unsigned trouble = 2; trouble > 0; trouble--) {
		for (size_t i = 0; i < page->rows->n_rows && n_told < n_most; i++) {
			if (page->rows->rows[i].trouble != trouble)
				continue;
			write_need(page, &page->rows->rows[i]);
			n_told++;
		}
	}
	if (n > n_told) {
		buf_printf(
			page->to, "<li><span class=\"rest\">and %zu more</span></li>", n - n_told);
	}
	buf_puts(page->to, "</ul>");
}

/* ---- servers that nobody can ask ---- */

/* Writes the first `most` of them. */
static void write_each_not_asked(const struct page *page, size_t most)
{
	size_t n_backends;
	const struct backend *const *backends = cluster_backends(page->view->cluster, &n_backends);
	size_t n = 0;

	for (size_t b = 0; b < n_backends; b++) {
		for (size_t s = 0; s < backends[b]->n_servers && n < most; s++) {
			const struct server *server = backends[b]->servers[s];

			if (server->unasked == SERVER_ASKED)
				continue;
			n++;
			buf_puts(page->to, "<li><span class=\"name\">");
			text_write_html(page->to, server->id);
			buf_puts(page->to, "</span><span>");
			text_write_html(page->to, server_unasked_reason(server->unasked));
			buf_puts(page->to, "</span></li>");
		}
	}
}

static void write_not_asked_hidden(const struct page *page)
{
	if (report_n_not_asked(page->view) == 0)
		buf_puts(page->to, " hidden");
}

static void write_not_asked(const struct page *page)
{
	size_t n = report_n_not_asked(page->view);
	size_t most = n > NEEDS_MAX ? NEEDS_MAX - 1 : NEEDS_MAX;
	char title[80];

	buf_printf(page->to,
		"<h2 id=\"not-asked-title\">%s</h2><ul aria-labelledby=\"not-asked-title\">",
		report_not_asked_title(n, title, sizeof(title)));
	write_each_not_asked(page, most);
	if (n > most)
		buf_printf(page->to, "<li><span class=\"rest\">and %zu more</span></li>", n - most);
	buf_puts(page->to, "</ul>");
}

/* ---- facts ---- */

static void write_fact(const struct page *page, const struct report_fact *fact)
{
	char age[40];

	buf_printf(page->to, "<span%s>", fact->look[0] ? " class=\"bad\"" : "");
	text_write_html(page->to, fact->before);
	buf_puts(page->to, "<b>");
	text_write_html(page->to, fact->strong);
	buf_puts(page->to, "</b>");
	text_write_html(page->to, fact->after);
	text_write_html(page->to, report_fact_age(page->view, fact, age, sizeof(age)));
	buf_puts(page->to, "</span> ");
}

static void write_facts(const struct page *page)
{
	struct report_fact *facts;
	size_t n;

	if (!report_facts_init(&facts, &n, page->view, page->rows)) {
		page->to->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		write_fact(page, &facts[i]);
	free(facts);
}

/* The table's rows come between what is before and what is after. */
static void write_pods(struct page *page, struct buf *after)
{
	report_html_table(page->to);
	page->to = after;
	report_html_table_end(page->to);
}

static const struct {
	const char *name;
	void (*write)(const struct page *page);
} writers[] = {
	{"style", write_style},
	{"script", write_script},
	{"refresh", write_refresh},
	{"version", write_version},
	{"peers", write_peers},
	{"time", write_time},
	{"title", write_title},
	{"verdicts", write_verdicts},
	{"needs_look", write_needs_look},
	{"needs", write_needs},
	{"not_asked_hidden", write_not_asked_hidden},
	{"not_asked", write_not_asked},
	{"facts", write_facts},
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

static bool is_named(const char *name, const char *open, const char *close)
{
	return strlen(name) == (size_t)(close - open) &&
	       memcmp(name, open, (size_t)(close - open)) == 0;
}

static bool begin(struct report_writer *writer)
{
	struct page page = {&writer->before, &writer->view, &writer->rows};
	const char *at = page_html;

	for (const char *open; (open = strstr(at, "{{"));) {
		const char *close = strstr(open, "}}");

		if (!close)
			break;
		buf_append(page.to, at, (size_t)(open - at));
		if (is_named("pods", open + 2, close))
			write_pods(&page, &writer->after);
		else
			write_named(&page, open + 2, (size_t)(close - open - 2));
		at = close + 2;
	}
	buf_puts(page.to, at);
	writer->own = report_html_order(&writer->rows);
	return writer->own != NULL;
}

static void write_line(const struct report_writer *writer, struct buf *to, size_t i)
{
	report_html_row(to, &writer->view, &writer->rows, writer->own, i);
}

const struct report_parts report_html_parts = {begin, write_line};

char *report_html_policy(char *buf, size_t size)
{
	snprintf(buf, size,
		"default-src 'none'; script-src '%s'; style-src '%s'; connect-src 'self'; "
		"img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		page_js_hash, page_css_hash);
	return buf;
}
