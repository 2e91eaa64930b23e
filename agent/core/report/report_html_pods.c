/* SPDX-License-Identifier: MIT */
#include "core/report/report_html_pods.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/report/report_age.h"
#include "core/terms.h"

static const struct {
	const char *key; /* c-key is the cells' class */
	const char *title;
} columns[] = {
	{"pod", "Pod"},
	{"connections", "Connections"},
	{"deviation", "To level"},
	{"bar", "<span class=\"unseen\">Bar</span>"},
	{"share", "Of the next 100"},
	{"why", "State"},
	{"since", "Since"},
};

/* A shape for each look, so that colour is not all that tells; page.js has the same. */
static const struct {
	const char *look;
	const char *path;
} shapes[] = {
	{"good", "M6 1a5 5 0 1 0 .01 0z"},
	{"warn", "M6 .5l5.8 11H.2z"},
	{"bad", "M1 1h10v10H1z"},
	{"calm", "M6 0l6 6-6 6-6-6z"},
	{"idle", "M6 3a3 3 0 1 0 .01 0z"},
};

/* Trouble first, then the farthest from its level; whole tenths, so that rows do not change places
 * with each connection. */
static int compare_rows(const struct report_row *x, const struct report_row *y)
{
	double far_x = isnan(x->deviation) ? 0.0 : floor(10.0 * fabs(x->deviation));
	double far_y = isnan(y->deviation) ? 0.0 : floor(10.0 * fabs(y->deviation));

	if (x->trouble != y->trouble)
		return x->trouble < y->trouble ? 1 : -1;
	if (far_x < far_y || far_x > far_y)
		return far_x < far_y ? 1 : -1;
	return strverscmp(report_pod_name(x->server), report_pod_name(y->server));
}

static void write_shape(struct buf *to, const char *look)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (strcmp(shapes[i].look, look) == 0) {
			buf_printf(to,
				"<svg class=\"shape %s\" viewBox=\"0 0 12 12\" "
				"aria-hidden=\"true\"><path d=\"%s\"/></svg>",
				look, shapes[i].path);
		}
	}
}

static void write_name(struct buf *to, const struct report_row *row)
{
	const struct server *server = row->server;

	buf_puts(to, "<td class=\"c-pod\"><div class=\"pod\">");
	write_shape(to, report_state_look(row->state));
	buf_puts(to, "<span class=\"name\">");
	text_write_html(to, report_pod_name(server));
	buf_puts(to, "</span><span class=\"more-of-pod\">");
	if (pod_node(server->pod)[0]) {
		text_write_html(to, pod_node(server->pod));
		buf_puts(to, " \xc2\xb7 ");
	}
	text_write_html(to, server->pod->key);
	buf_printf(to, " \xc2\xb7 weight %d</span></div></td>", server->haproxy.uweight);
}

/* An attribute in percent of max. */
static void write_part(struct buf *to, const char *name, double n, double max)
{
	buf_putc(to, ' ');
	buf_puts(to, name);
	buf_puts(to, "=\"");
	text_write_decimal(to, round(10000.0 * n / max) / 100.0, 0);
	buf_puts(to, "%\"");
}

/* Widths are attributes of SVG: the page's policy allows no style attribute. */
static void write_bar(struct buf *to, const struct report_row *row, double max)
{
	static const char *const lines[] = {"halo", "level"};
	uint32_t own = row->server->sessions.own < row->connections ? row->server->sessions.own
								    : row->connections;

	buf_puts(to, "<td class=\"c-bar\"><svg class=\"bar");
	buf_puts(to, row->known ? "" : " reckoned");
	buf_puts(to, "\" aria-hidden=\"true\"><rect class=\"own\" height=\"100%\"");
	write_part(to, "width", own, max);
	buf_puts(to, "/><rect class=\"others\" height=\"100%\"");
	write_part(to, "x", own, max);
	write_part(to, "width", row->connections - own, max);
	buf_puts(to, "/>");
	for (size_t i = 0; row->level >= 0.0 && i < sizeof(lines) / sizeof(lines[0]); i++) {
		buf_puts(to, "<line class=\"");
		buf_puts(to, lines[i]);
		buf_puts(to, "\" y1=\"0\" y2=\"100%\"");
		write_part(to, "x1", row->level, max);
		write_part(to, "x2", row->level, max);
		buf_puts(to, "/>");
	}
	buf_puts(to, "</svg></td>");
}

static void write_numbers(struct buf *to, const struct report_row *row, double max)
{
	char text[REPORT_NEXT_SIZE];

	buf_printf(to, "<td class=\"c-connections\">%s", row->known ? "" : "\xe2\x89\x88 ");
	buf_puts(to, text_format_grouped(row->connections, text, sizeof(text)));
	buf_puts(to, "</td><td class=\"c-deviation\">");
	if (!isnan(row->deviation)) {
		buf_printf(to, "%s%.0f %%",
			row->deviation < -0.005  ? "\xe2\x88\x92"
			: row->deviation > 0.005 ? "+"
						 : "",
			100.0 * fabs(row->deviation));
	}
	buf_puts(to, "</td>");
	write_bar(to, row, max);
	buf_printf(to, "<td class=\"c-share\">%s", report_row_next(row, text, sizeof(text)));
	buf_puts(to, "</td>");
}

static void write_row(
	struct buf *to, const struct report_view *view, const struct report_row *row, double max)
{
	const char *remedy = report_remedy(view, row->server);
	const char *error = row->server->pod->error;
	char text[REPORT_WHY_SIZE];

	buf_printf(to, "<tr class=\"%s\">", report_state_look(row->state));
	write_name(to, row);
	write_numbers(to, row, max);
	buf_puts(to, "<td class=\"c-why\"><span class=\"why\">");
	text_write_html(to, report_why(view, row->server, text, sizeof(text)));
	buf_puts(to, "</span>");
	if (remedy[0]) {
		buf_puts(to, "<span class=\"remedy\">");
		text_write_html(to, remedy);
		buf_puts(to, "</span>");
	}
	/* A reason names the error that it rests on. */
	if (error[0] && row->trouble == 0) {
		buf_puts(to, "<span class=\"error\">" TERM_LAST_ERROR);
		text_write_html(to, error);
		buf_puts(to, "</span>");
	}
	buf_puts(to, "</td><td class=\"c-since\">");
	if (row->since_ms > 0)
		buf_puts(to, report_age_whole((double)(view->now_ms - row->since_ms) / 1000.0, text,
				     sizeof(text)));
	buf_puts(to, "</td></tr>\n");
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

/* A row at its place in the table. */
struct place {
	const struct report_row *row;
	double max; /* what a full bar stands for, in its service */
};

static int compare_places(const void *a, const void *b)
{
	return compare_rows(((const struct place *)a)->row, ((const struct place *)b)->row);
}

void *report_html_order(const struct report_rows *rows)
{
	struct place *places = calloc(rows->n_rows + 1, sizeof(*places));

	for (size_t i = 0; places && i < rows->n_services; i++) {
		const struct report_service *service = &rows->services[i];
		double max = largest_of(rows, service);

		for (size_t j = service->first; j < service->first + service->n_rows; j++)
			places[j] = (struct place){&rows->rows[j], max};
		qsort(&places[service->first], service->n_rows, sizeof(*places), compare_places);
	}
	return places;
}

static void begin_service(
	struct buf *to, const struct report_rows *rows, const struct report_service *service)
{
	char number[TEXT_GROUPED_SIZE];

	buf_puts(to, "<tbody>");
	if (rows->n_services < 2)
		return;
	buf_puts(to, "<tr class=\"service\"><th colspan=\"7\" scope=\"rowgroup\">");
	text_write_html(to, service->url);
	buf_puts(to, "<small>");
	buf_puts(to, text_format_grouped(service->connections, number, sizeof(number)));
	buf_printf(to, " connection%s on %zu pod%s</small></th></tr>",
		service->connections == 1 ? "" : "s", service->n_rows,
		service->n_rows == 1 ? "" : "s");
}

void report_html_row(struct buf *to, const struct report_view *view, const struct report_rows *rows,
	const void *order, size_t i)
{
	const struct place *place = (const struct place *)order + i;
	const struct report_service *service = place->row->service;

	if (i == service->first)
		begin_service(to, rows, service);
	write_row(to, view, place->row, place->max);
	if (i == service->first + service->n_rows - 1)
		buf_puts(to, "</tbody>");
}

void report_html_table(struct buf *to)
{
	buf_puts(to, "<table><caption class=\"unseen\">Pods, those that need you first</caption>"
		     "<thead><tr>");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		buf_printf(to, "<th scope=\"col\" class=\"c-%s\">%s</th>", columns[i].key,
			columns[i].title);
	buf_puts(to, "</tr></thead>\n");
}

void report_html_table_end(struct buf *to)
{
	buf_puts(to, "</table>");
}
