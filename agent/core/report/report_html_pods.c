/* SPDX-License-Identifier: MIT */
#include "core/report/report_html_pods.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

static const struct {
	const char *key; /* c-key is the cells' class */
	const char *title;
} columns[] = {
	{"pod", "Pod"},
	{"node", "Node"},
	{"address", "Address"},
	{"connections", "Connections"},
	{"own", "Own"},
	{"weight", "Weight"},
	{"state", "State"},
	{"age", "Age"},
	{"error", "Last error"},
};

/* How a state looks; page.js has the same table. */
static const struct {
	const char *state;
	const char *look;
} looks[] = {
	{"heard", "good"},
	{"stale", "warn"},
	{"never_heard", "bad"},
	{"disbelieved", "bad"},
	{"down", "bad"},
	{"draining", "calm"},
	{"drain", "calm"},
	{"maint", "calm"},
};

static const char *look_of(const struct server *server)
{
	const char *state = report_state(server);

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		if (strcmp(looks[i].state, state) == 0)
			return looks[i].look;
	}
	return "idle";
}

void report_html_number(struct buf *to, uint64_t n)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_putc(to, ',');
		buf_putc(to, digits[i]);
	}
}

/* Widths are attributes of SVG: the page's policy allows no style attribute. All are percent. */
static void write_bar(struct buf *to, double own, double others, double level)
{
	buf_printf(to,
		"<svg class=\"bar\" aria-hidden=\"true\">"
		"<rect class=\"own\" height=\"100%%\" width=\"%.2f%%\"/>"
		"<rect class=\"others\" height=\"100%%\" x=\"%.2f%%\" width=\"%.2f%%\"/>",
		own, own, others);
	if (level >= 0.0) {
		buf_printf(to,
			"<line class=\"level\" y1=\"0\" y2=\"100%%\" x1=\"%.2f%%\" x2=\"%.2f%%\"/>",
			level, level);
	}
	buf_puts(to, "</svg>");
}

static void write_text_cell(struct buf *to, const char *key, const char *text)
{
	buf_printf(to, "<td class=\"c-%s\" title=\"", key);
	text_write_html(to, text);
	buf_puts(to, "\">");
	text_write_html(to, text);
	buf_puts(to, "</td>");
}

static void write_connections(struct buf *to, const struct report_row *row, double max)
{
	uint32_t own = row->server->sessions.own < row->connections ? row->server->sessions.own
								    : row->connections;

	buf_puts(to,
		"<td class=\"c-connections\" data-label=\"Connections\"><div class=\"gauge\"><span>");
	report_html_number(to, row->connections);
	buf_puts(to, "</span>");
	write_bar(to, 100.0 * own / max, 100.0 * (row->connections - own) / max,
		100.0 * row->level / max);
	buf_puts(to, "</div></td><td class=\"c-own\" data-label=\"Own\">");
	report_html_number(to, row->server->sessions.own);
	buf_puts(to, "</td>");
}

static void write_weight(struct buf *to, const struct report_row *row)
{
	const struct server *server = row->server;
	/* HAProxy's figure is of the reading before the plan: what was sent since is there too. */
	int there = server->sent.weight >= 0 ? server->sent.weight : server->haproxy.uweight;
	bool differs = row->planned && server->plan.weight != there;

	buf_puts(to, "<td class=\"c-weight\" data-label=\"Weight\"><div class=\"gauge\"><span>");
	buf_printf(to, "%d", there);
	if (differs)
		buf_printf(to, " &rarr; %d", server->plan.weight);
	buf_puts(to, "</span>");
	write_bar(to, 100.0 * there / PLANNER_WEIGHT_MAX, 0.0,
		differs ? 100.0 * server->plan.weight / PLANNER_WEIGHT_MAX : -1.0);
	buf_puts(to, "</div></td>");
}

static void write_row(
	struct buf *to, const struct report_view *view, const struct report_row *row, double max)
{
	const struct server *server = row->server;
	const struct pod *pod = server->pod;
	const char *name = pod_name(pod);
	char text[200];

	buf_puts(to, "<tr>");
	write_text_cell(to, "pod", name[0] ? name : server->name);
	write_text_cell(to, "node", pod_node(pod));
	write_text_cell(to, "address", pod->key);
	write_connections(to, row, max);
	write_weight(to, row);
	buf_puts(to, "<td class=\"c-state\">");
	buf_printf(to, "<span class=\"state %s\">", look_of(server));
	text_write_html(to, report_why(server, view->now_ms, text, sizeof(text)));
	buf_puts(to, "</span></td><td class=\"c-age\" data-label=\"Age\">");
	if (row->age_ms >= 0)
		buf_puts(to, report_age((double)row->age_ms / 1000.0, text, sizeof(text)));
	buf_puts(to, "</td>");
	write_text_cell(to, "error", pod->error);
	buf_puts(to, "</tr>\n");
}

/* What a full bar stands for. */
static double largest_of(const struct report_rows *rows, const struct report_service *service)
{
	double max = 1.0;

	for (size_t i = 0; i < service->n_rows; i++) {
		const struct report_row *row = &rows->rows[service->first + i];

		max = fmax(max, fmax(row->connections, row->level));
	}
	return max;
}

static void write_facts(
	struct buf *to, const struct report_rows *rows, const struct report_service *service)
{
	size_t n_known = 0;

	for (size_t i = 0; i < service->n_rows; i++)
		n_known += rows->rows[service->first + i].known;
	buf_puts(to, "<span class=\"facts\">");
	report_html_number(to, service->connections);
	buf_printf(to, " connection%s &middot; %zu of %zu pod%s known</span>",
		service->connections == 1 ? "" : "s", n_known, service->n_rows,
		service->n_rows == 1 ? "" : "s");
}

void report_html_service(struct buf *to, const struct report_view *view,
	const struct report_rows *rows, const struct report_service *service)
{
	double max = largest_of(rows, service);

	buf_puts(to, "<details class=\"service\" open><summary><h2>");
	text_write_html(to, service->url);
	buf_puts(to, "</h2>");
	write_facts(to, rows, service);
	buf_puts(to, "</summary>\n<table><caption class=\"unseen\">Pods of ");
	text_write_html(to, service->url);
	buf_puts(to, "</caption><thead><tr>");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		buf_printf(to, "<th scope=\"col\" class=\"c-%s\">%s</th>", columns[i].key,
			columns[i].title);
	buf_puts(to, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < service->n_rows; i++)
		write_row(to, view, &rows->rows[service->first + i], max);
	buf_puts(to, "</tbody></table></details>\n");
}
