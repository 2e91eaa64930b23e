/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/report/report_parts.h"

static const struct report_parts *const formats[REPORT_N_FORMATS] = {
	[REPORT_JSON] = &report_json_parts,
	[REPORT_PROMETHEUS] = &report_prom_parts,
	[REPORT_OPENMETRICS] = &report_prom_parts,
	[REPORT_PAGE] = &report_html_parts,
};

struct report_writer *report_writer_new(enum report_format format, const struct report_view *view)
{
	struct report_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->parts = formats[format];
	writer->openmetrics = format == REPORT_OPENMETRICS;
	writer->view = *view;
	writer->edition = cluster_edition(view->cluster);
	if (!report_rows_init(&writer->rows, view)) {
		free(writer);
		return NULL;
	}
	writer->n_lines = writer->rows.n_rows;
	if (!writer->parts->begin(writer) || writer->before.failed || writer->after.failed) {
		report_writer_free(writer);
		return NULL;
	}
	writer->view.service = writer->view.pod = NULL;
	return writer;
}

/* Appends from, and frees it. */
static void move(struct buf *to, struct buf *from)
{
	buf_append(to, buf_text(from), from->len);
	buf_fini(from);
}

enum report_progress report_writer_go_on(struct report_writer *writer, struct buf *to, size_t n)
{
	size_t end = n < writer->n_lines - writer->line ? writer->line + n : writer->n_lines;

	if (writer->edition != cluster_edition(writer->view.cluster))
		return REPORT_OVERTAKEN;
	if (writer->line == 0)
		move(to, &writer->before);
	while (writer->line < end)
		writer->parts->line(writer, to, writer->line++);
	if (writer->line == writer->n_lines)
		move(to, &writer->after);
	if (to->failed)
		return REPORT_OUT_OF_MEMORY;
	return writer->line < writer->n_lines ? REPORT_GOES_ON : REPORT_WRITTEN;
}

void report_writer_free(struct report_writer *writer)
{
	if (!writer)
		return;
	report_rows_fini(&writer->rows);
	buf_fini(&writer->before);
	buf_fini(&writer->after);
	free(writer->own);
	free(writer);
}

struct buf report_write(enum report_format format, const struct report_view *view)
{
	struct report_writer *writer = report_writer_new(format, view);
	struct buf text = {0};

	if (writer && report_writer_go_on(writer, &text, writer->n_lines) != REPORT_WRITTEN)
		buf_fini(&text);
	report_writer_free(writer);
	return text;
}
