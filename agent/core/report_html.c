/* SPDX-License-Identifier: MIT */
/* The report as a page for people. */
#include "core/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/report_rows.h"
#include "core/text.h"

static void cell(FILE *to, const char *text)
{
	fputs("<td>", to);
	text_write_html(to, text);
	fputs("</td>", to);
}

static void write_row(FILE *to, const struct report_view *view, const struct report_row *row)
{
	const struct server *server = row->server;
	const struct pod *pod = server->pod;
	const char *name = pod_name(pod);
	char why[200];

	fputs("<tr>", to);
	cell(to, name[0] ? name : server->name);
	cell(to, pod_node(pod));
	cell(to, pod->key);
	fprintf(to, "<td>%" PRIu32 "</td><td>%" PRIu32 "</td>", row->connections, server->own);
	if (server->planned)
		fprintf(to, "<td>%d</td>", server->weight);
	else
		fputs("<td></td>", to);
	fprintf(to, "<td>%d</td>", server->uweight);
	cell(to, report_why(server, view->now_ms, why, sizeof(why)));
	if (row->age_ms >= 0)
		fprintf(to, "<td>%.1f s</td>", (double)row->age_ms / 1000.0);
	else
		fputs("<td></td>", to);
	cell(to, pod->error);
	fputs("</tr>\n", to);
}

static void write_service(FILE *to, const struct report_view *view, const struct report_rows *rows,
	const struct report_service *service)
{
	fputs("<h2>", to);
	text_write_html(to, service->url);
	fprintf(to, "</h2>\n<p>%" PRIu64 " connections</p>\n", service->connections);
	fputs("<table>\n<tr><th>Pod<th>Node<th>Address<th>Connections<th>Own<th>Weight"
	      "<th>In HAProxy<th>Why<th>Age<th>Last error</tr>\n",
		to);
	for (size_t i = 0; i < service->n_rows; i++)
		write_row(to, view, &rows->rows[service->first + i]);
	fputs("</table>\n", to);
}

static void write_page(FILE *to, const struct report_view *view, const struct report_rows *rows)
{
	const struct report_totals *totals = &rows->totals;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<title>wsbalancer</title>\n</head>\n<body>\n<h1>wsbalancer</h1>\n",
		to);
	fprintf(to, "<p>%" PRIu64 " connections, %zu services, %zu of %zu pods known", 
		totals->connections, rows->n_services, totals->n_known, totals->n_pods);
	if (totals->planned)
		fprintf(to, ", imbalance %.1f %%", 100.0 * totals->imbalance);
	fputs("</p>\n", to);
	if (!view->stats->haproxy_reached) {
		fputs("<p>HAProxy is not reached: ", to);
		text_write_html(to, view->stats->haproxy_error);
		fputs("</p>\n", to);
	}
	for (size_t i = 0; i < rows->n_services; i++)
		write_service(to, view, rows, &rows->services[i]);
	fputs("<p><a href=\"?format=json\">View as JSON</a></p>\n</body>\n</html>\n", to);
}

struct report_text report_html_write(const struct report_view *view)
{
	struct report_text text = {0};
	struct report_rows rows;
	FILE *to;

	if (!report_rows_init(&rows, view))
		return text;
	to = open_memstream(&text.bytes, &text.len);
	if (to) {
		write_page(to, view, &rows);
		bool failed = ferror(to);

		if (fclose(to) != 0 || failed) {
			free(text.bytes);
			text = (struct report_text){0};
		}
	}
	report_rows_fini(&rows);
	return text;
}
